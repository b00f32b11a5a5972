using StreamEm.Sources;
using StreamEm.Sources.Paths;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Api;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// The worker as a process: locks the state directory, serves the API, runs a pipeline per model until a stop is asked for, a model fails
/// without which it is not to go on (<see cref="FailurePolicy"/>) or, with <c>--once</c>, every source has ended; then stops everything in
/// order. Its result is the exit code: that of a failed model where one failed.
/// </summary>
public sealed class WorkerHost(
    WorkerOptions options, Func<ModelOptions, SourcePosition, RecordSource> openSource, TimeProvider time, ILoggerProvider logs)
{
    /// <summary>Longest time from a request to stop to the end of the process.</summary>
    public static readonly TimeSpan ShutdownDeadline = TimeSpan.FromSeconds(20);

    private readonly ILogger _log = logs.CreateLogger("worker");
    private volatile ModelPipeline[] _models = [];

    /// <summary>Whether to end when every source has ended.</summary>
    public bool Once { get; init; }

    /// <summary>Whether components may come and go where the configuration has another number of them than the state.</summary>
    public bool AcceptsModelChange { get; init; }

    /// <summary>Told when the worker is up, and when it goes.</summary>
    public ServiceManager Manager { get; init; } = new(null);

    /// <summary>Told where the API listens.</summary>
    public Action<string>? Listening { get; init; }

    /// <summary>The models that run; none before the start.</summary>
    internal IReadOnlyList<ModelPipeline> Models => _models;

    /// <summary>
    /// Whether the process ends by itself when every source has ended: asked for, or because one of them is standard input, whose end is
    /// the end of a pipe.
    /// </summary>
    private bool EndsWithSources => Once || (!options.Serve && options.Models.Any(model => model.Source is StdinSourceOptions));

    /// <summary>Has every model keep its state soon. Any thread, at any time.</summary>
    public void KeepState()
    {
        WorkerLog.HangUp(_log);
        foreach (ModelPipeline model in _models) model.RequestCheckpoint();
    }

    /// <summary>Runs until the end.</summary>
    /// <param name="stop">Cancelled by the first signal.</param>
    /// <returns><see cref="ExitCode.Ok"/>, or <see cref="ExitCode.TryAgain"/> when stopping took too long.</returns>
    /// <exception cref="CommandException">The worker could not start, or a model failed: the message and the exit code.</exception>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        RefuseSharedFiles();
        using StateLock stateLock = StateLock.Acquire(options.StateDirectory);
        var environment = new PipelineEnvironment
        {
            StateDirectory = options.StateDirectory,
            OpenSource = openSource,
            CreatePublisher = (model, entry) => PublisherCatalog.Create(model, entry, time, _log),
            CreateReplica = (context, feed, rejected) => new ScaledModel(context, feed, rejected),
            AcceptsModelChange = AcceptsModelChange,
            Time = time,
            Log = _log,
        };
        ModelPipeline[] models = [.. options.Models.Select(model => new ModelPipeline(model, environment))];
        _models = models;
        var status = new WorkerStatus(models);
        await using var api = new ApiServer(options.Http, status, time, logs);
        WorkerLog.WorkerStarted(_log, ProgramVersion.Version, models.Length, Path.GetFullPath(options.StateDirectory));
        long start = time.GetTimestamp();
        try
        {
            await api.StartAsync(_log, stop).ConfigureAwait(false);
            Listening?.Invoke(api.Address);
            // A model may wait long for its broker: the worker is there meanwhile, and says so at /readyz.
            Manager.IsReady($"listening at {api.Address}");
            await Task.WhenAll(models.Select(model => StartAsync(model, stop))).ConfigureAwait(false);
            using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task readiness = new ReadinessLog(() => status.Obstacles, time, _log).RunAsync(watching.Token);
            await WaitForEndAsync(models, stop).ConfigureAwait(false);
            await watching.CancelAsync().ConfigureAwait(false);
            await readiness.ConfigureAwait(false);
            WorkerLog.StopRequested(_log,
                stop.IsCancellationRequested
                    ? "signal"
                    : models.Any(model => model.State == ModelState.Failed) ? "failure" : "end of data");
            return await StopAsync(models, status, api, start).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped while starting: nothing has been learned that is not kept.
            return await StopAsync([.. models.Where(model => model.HasStarted)], status, api, start).ConfigureAwait(false);
        }
        finally
        {
            status.IsStopping = true;
            foreach (ModelPipeline model in models.Where(model => model.HasStarted && !model.Completion.IsCompleted)) model.RequestStop();
            await Task.WhenAll(models.Select(CloseAsync)).ConfigureAwait(false);
        }
    }

    /// <summary>Starts a model beside the others: one that waits for its broker, or cannot start, is not in their way.</summary>
    private static async Task StartAsync(ModelPipeline model, CancellationToken stop)
    {
        try
        {
            await Task.Run(() => model.StartAsync(stop), stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            model.Fail(failure);
        }
    }

    private async Task CloseAsync(ModelPipeline model)
    {
        if (model.HasStarted) await model.Completion.WaitAsync(ShutdownDeadline, time, CancellationToken.None).ConfigureAwait(false);
        await model.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Until a stop is asked for, a model fails for which the worker stops, or all have ended where that is the end or one of them failed.
    /// </summary>
    private async Task WaitForEndAsync(ModelPipeline[] models, CancellationToken stop)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stop.Register(stopping.SetResult);
        var running = models.Select(model => model.Completion).ToList();
        bool anyFailed = false;
        while (!stop.IsCancellationRequested && (running.Count > 0 || !(EndsWithSources || anyFailed)))
        {
            Task ended = await Task.WhenAny([stopping.Task, .. running]).ConfigureAwait(false);
            if (ended is not Task<PipelineEnd> end) return;
            running.Remove(end);
            PipelineEnd how = await end.ConfigureAwait(false);
            if (how.State != ModelState.Failed) continue;
            anyFailed = true;
            ModelPipeline failed = models.First(model => model.Completion == end);
            if (PolicyOf(failed) == FailurePolicy.StopWorker) return;
            if (running.Count > 0) WorkerLog.ModelLeft(_log, failed.Options.Id, how.Code);
        }
    }

    private FailurePolicy PolicyOf(ModelPipeline model) =>
        model.Options.OnFailure ?? (options.Models.Count == 1 ? FailurePolicy.StopWorker : FailurePolicy.StopModel);

    private async Task<int> StopAsync(ModelPipeline[] models, WorkerStatus status, ApiServer api, long start)
    {
        status.IsStopping = true;
        Manager.IsStopping();
        foreach (ModelPipeline model in models) model.RequestStop();
        Task<PipelineEnd[]> ends = Task.WhenAll(models.Select(model => model.Completion));
        using var deadline = new CancellationTokenSource(ShutdownDeadline, time);
        try
        {
            await ends.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            WorkerLog.ShutdownDeadline(_log, ShutdownDeadline.TotalSeconds);
            Environment.Exit(ExitCode.TryAgain);
        }

        await api.StopAsync(deadline.Token).ConfigureAwait(false);
        await ends.ConfigureAwait(false);
        // Of several, the one for which the worker stopped.
        PipelineEnd? failed = models.Where(model => model.State == ModelState.Failed)
            .OrderByDescending(PolicyOf).FirstOrDefault()?.End;
        WorkerLog.WorkerStopped(_log, failed?.Code ?? ExitCode.Ok, time.GetElapsedTime(start).TotalSeconds);
        return failed is null ? ExitCode.Ok : throw new CommandException(failed.Code, failed.Failure ?? "A model failed.", failed.Cause);
    }

    private void RefuseSharedFiles()
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (ModelOptions model in options.Models)
        {
            IEnumerable<string?> files = model.Publish.OfType<FilePublisherOptions>().Select(file => file.Path)
                .Concat(model.Scores.OfType<FileScoreOptions>().Select(file => file.Path)).Append(model.Rejected.File);
            foreach (string path in files.OfType<string>().Select(RealPath.OfNew))
            {
                if (owners.TryAdd(path, model.Id)) continue;
                throw new CommandException(ExitCode.Configuration, owners[path] == model.Id
                    ? $"Model '{model.Id}' writes to '{path}' twice; give every publisher, file of scores and rejected file its own path."
                    : $"Models '{owners[path]}' and '{model.Id}' both write to '{path}'; give each a file of its own.");
            }
        }
    }
}
