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
    private readonly ReloadDesk _reloads = new();
    private volatile RunningModels? _running;

    /// <summary>Whether to end when every source has ended.</summary>
    public bool Once { get; init; }

    /// <summary>Whether components may come and go where the configuration has another number of them than the state.</summary>
    public bool AcceptsModelChange { get; init; }

    /// <summary>
    /// Reads the configuration again; throws <see cref="CommandException"/> with all its errors. Null where there is none to read.
    /// </summary>
    public Func<WorkerOptions>? Read { get; init; }

    /// <summary>Files of which every change has the configuration read again: <c>--watch</c>.</summary>
    public IReadOnlyList<string> Watched { get; init; } = [];

    /// <summary>The configuration that the worker runs by.</summary>
    public WorkerOptions Options => _running?.Options ?? options;

    /// <summary>The models there are now.</summary>
    internal IReadOnlyList<ModelPipeline> Models => _running?.All ?? [];

    /// <summary>Told when the worker is up, and when it goes.</summary>
    public ServiceManager Manager { get; init; } = new(null);

    /// <summary>Told where the API listens.</summary>
    public Action<string>? Listening { get; init; }

    /// <summary>
    /// Whether the process ends by itself when every source has ended: asked for, or because one of them is standard input, whose end is
    /// the end of a pipe.
    /// </summary>
    /// <summary>What the last records of all models take together that can be replayed, as long as each has a mebibyte.</summary>
    private const long MostReplayBytes = 64 << 20;

    private bool EndsWithSources => Once || (!Options.Serve && Options.Models.Any(model => model.Source is StdinSourceOptions));

    /// <summary>Has every model keep its state soon, and the configuration read again. Any thread, at any time.</summary>
    public void HangUp()
    {
        WorkerLog.HangUp(_log);
        foreach (ModelPipeline model in Models) model.RequestCheckpoint();
        if (Read is not null) _ = _reloads.AskAsync();
    }

    /// <summary>Has the configuration read again, and tells what became of it. Any thread, at any time.</summary>
    public Task<ReloadReport> ReloadAsync() => _reloads.AskAsync();

    /// <summary>Runs until the end.</summary>
    /// <param name="stop">Cancelled by the first signal.</param>
    /// <returns><see cref="ExitCode.Ok"/>, or <see cref="ExitCode.TryAgain"/> when stopping took too long.</returns>
    /// <exception cref="CommandException">The worker could not start, or a model failed: the message and the exit code.</exception>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        RefuseSharedFiles(options);
        using StateLock stateLock = StateLock.Acquire(options.StateDirectory);
        var environment = new PipelineEnvironment
        {
            StateDirectory = options.StateDirectory,
            OpenSource = openSource,
            CreatePublisher = (model, entry) => PublisherCatalog.Create(model, entry, time, _log),
            CreateReplica = (context, feed, directory) => new ScaledModel(context, feed, directory),
            AcceptsModelChange = AcceptsModelChange,
            ReplayBytes = Math.Clamp(MostReplayBytes / Math.Max(1, options.Models.Count), 1 << 20, 16 << 20),
            Time = time,
            Log = _log,
        };
        var status = new WorkerStatus([.. options.Models.Select(model => new ModelPipeline(model, environment))]);
        var running = new RunningModels(options, environment, status);
        _running = running;
        if (Read is not null) status.Reload = _reloads.AskAsync;
        using OtlpExport? otlp = OtlpExport.Start(status);
        await using var api = new ApiServer(options.Http, status, time, logs);
        WorkerLog.WorkerStarted(_log, ProgramVersion.Version, running.All.Count, Path.GetFullPath(options.StateDirectory));
        long start = time.GetTimestamp();
        try
        {
            await api.StartAsync(_log, stop).ConfigureAwait(false);
            Listening?.Invoke(api.Address);
            // A model may wait long for its broker: the worker is there meanwhile, and says so at /readyz.
            Manager.IsReady($"listening at {api.Address}");
            await running.StartAsync(stop).ConfigureAwait(false);
            status.Reloaded(succeeded: true, time.GetUtcNow());
            using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task[] watches = [new ReadinessLog(() => status.Obstacles, time, _log).RunAsync(watching.Token),
                .. Watched.Count == 0 ? [] : new[] { WatchAsync(watching.Token) }];
            await WaitForEndAsync(running, status, stop).ConfigureAwait(false);
            await watching.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(watches).ConfigureAwait(false);
            WorkerLog.StopRequested(_log,
                stop.IsCancellationRequested
                    ? "signal"
                    : status.EndAsked.IsCompleted ? "drain"
                    : running.All.Any(model => model.State == ModelState.Failed) ? "failure" : "end of data");
            return await StopAsync([.. running.All], status, api, start).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped while starting: nothing has been learned that is not kept.
            return await StopAsync([.. running.All.Where(model => model.HasStarted)], status, api, start).ConfigureAwait(false);
        }
        finally
        {
            status.IsStopping = true;
            _reloads.Close();
            ModelPipeline[] models = [.. running.All];
            foreach (ModelPipeline model in models.Where(model => model.HasStarted && !model.Completion.IsCompleted)) model.RequestStop();
            await Task.WhenAll(models.Select(CloseAsync)).ConfigureAwait(false);
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
    private async Task WaitForEndAsync(RunningModels models, WorkerStatus status, CancellationToken stop)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stop.Register(stopping.SetResult);
        var told = new HashSet<ModelPipeline>();
        while (!stop.IsCancellationRequested)
        {
            ModelPipeline[] running = [.. models.All.Where(model => !told.Contains(model))];
            bool anyFailed = models.All.Any(model => model.End is { State: ModelState.Failed });
            if (running.Length == 0 && (EndsWithSources || anyFailed)) return;
            Task ended = await Task.WhenAny([stopping.Task, status.EndAsked, _reloads.Asked, .. running.Select(model => model.Completion)])
                .ConfigureAwait(false);
            if (ended == _reloads.Asked)
            {
                await _reloads.AnswerAsync(() => ReloadAsync(models, status, stop)).ConfigureAwait(false);
                continue;
            }

            if (ended is not Task<PipelineEnd> end) return;
            PipelineEnd how = await end.ConfigureAwait(false);
            ModelPipeline model = running.First(model => model.Completion == end);
            told.Add(model);
            if (how.State != ModelState.Failed) continue;
            if (PolicyOf(model) == FailurePolicy.StopWorker) return;
            if (running.Length > 1) WorkerLog.ModelLeft(_log, model.Options.Id, how.Code);
        }
    }

    /// <summary>Reads the configuration and runs by it, or as before.</summary>
    private async Task<ReloadReport> ReloadAsync(RunningModels models, WorkerStatus status, CancellationToken stop)
    {
        ReloadReport report;
        try
        {
            WorkerOptions next = Read!();
            RefuseSharedFiles(next);
            report = await models.ChangeToAsync(next, stop).ConfigureAwait(false);
        }
        catch (CommandException refused)
        {
            report = ReloadReport.Refused($"{refused.Message}\nNothing was changed.");
        }

        status.Reloaded(report.Succeeded, time.GetUtcNow());
        if (report.Problem is { } problem) WorkerLog.ConfigurationRefused(_log, problem);
        else
            WorkerLog.ConfigurationReloaded(
                _log, Named([.. report.Added, .. report.Changed]), Named(report.Removed), report.Unchanged.Count);
        return report;
    }

    private static string Named(IReadOnlyList<string> models) => models.Count == 0 ? "none" : string.Join(", ", models);

    private Task WatchAsync(CancellationToken stop) =>
        new ConfigurationWatch(Watched, time, () => _ = _reloads.AskAsync()).RunAsync(stop);

    private FailurePolicy PolicyOf(ModelPipeline model) =>
        model.Options.OnFailure ?? (Options.Models.Count == 1 ? FailurePolicy.StopWorker : FailurePolicy.StopModel);

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

    private static void RefuseSharedFiles(WorkerOptions options)
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
