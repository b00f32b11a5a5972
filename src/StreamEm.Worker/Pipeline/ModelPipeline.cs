using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>How a pipeline ended.</summary>
/// <param name="State"><see cref="ModelState.Finished"/>, <see cref="ModelState.Stopped"/> or <see cref="ModelState.Failed"/>.</param>
/// <param name="Code">One of <see cref="ExitCode"/>.</param>
/// <param name="Problem">What went wrong, for the user.</param>
/// <param name="Cause">The exception behind it.</param>
public sealed record PipelineEnd(ModelState State, int Code = ExitCode.Ok, string? Problem = null, Exception? Cause = null)
{
    /// <summary>The end of a pipeline whose source cannot go on.</summary>
    public static PipelineEnd OfSource(Exception failure) => failure is SourceException source
        ? new PipelineEnd(ModelState.Failed, SourceExitCode.Of(source.Failure), source.Message, source)
        : new PipelineEnd(ModelState.Failed, ExitCode.Internal, $"The source failed: {failure.GetType().FullName}: {failure.Message}", failure);
}

/// <summary>
/// One model of the worker: source reader -> bounded channel of reused batches -> one learner thread -> immutable snapshots by reference ->
/// publishers. Life cycle: <see cref="StartAsync"/> once, <see cref="RequestStop"/> any number of times, disposed after <see cref="Completion"/>.
/// </summary>
public sealed class ModelPipeline : IAsyncDisposable
{
    private readonly PipelineEnvironment _environment;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<PipelineEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SourceReader? _reader;
    private LearnerLoop? _loop;
    private CheckpointWriter? _writer;
    private ModelRun? _run;
    private PublisherLane[] _lanes = [];
    private Outbox? _outbox;

    /// <summary>A pipeline that has not started.</summary>
    public ModelPipeline(ModelOptions options, PipelineEnvironment environment)
    {
        Options = options;
        _environment = environment;
    }

    /// <summary>The model's configuration.</summary>
    public ModelOptions Options { get; }

    /// <summary>Its snapshots.</summary>
    public SnapshotFeed Feed { get; } = new();

    /// <summary>Its numbers.</summary>
    public ModelMetrics Metrics { get; } = new();

    /// <summary>Where it stands.</summary>
    public ModelState State => _completion.Task.IsCompletedSuccessfully ? _completion.Task.Result.State : _loop?.State ?? ModelState.Waiting;

    /// <summary>Why it failed, or why it is not ready; null when all is well.</summary>
    public string? Problem => _completion.Task.IsCompletedSuccessfully ? _completion.Task.Result.Problem : _writer?.Failure ?? Source?.Problem ?? _lanes.Select(lane => lane.Problem).FirstOrDefault(problem => problem is not null)
        ?? _run?.RejectedTo.Problem;

    /// <summary>Its source, once started.</summary>
    public RecordSource? Source => _reader?.Source;

    /// <summary>Whether its state is restored and it runs.</summary>
    public bool HasStarted => _loop is not null;

    /// <summary>Ends with the pipeline. Never faults: failures are a <see cref="PipelineEnd"/>.</summary>
    public Task<PipelineEnd> Completion => _completion.Task;

    /// <summary>Restores or creates the state, opens source and publishers and starts the learner's thread.</summary>
    /// <exception cref="CommandException">Something it needs is missing or damaged.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        (TimeProvider time, ILogger log) = (_environment.Time, _environment.Log);
        var directory = new CheckpointDirectory(_environment.StateDirectory, Options.Id, Options.Checkpoint.Keep, log);
        _run = ModelRun.Start(Options, directory, time, log);
        var published = new PublishedModel(Options.Id, Options.Model, Options.Schema.Features);
        _lanes = [.. Options.Publish.Select(entry => new PublisherLane(_environment.CreatePublisher(published, entry), Metrics, time))];
        _outbox = new Outbox(_lanes);
        var lanes = new PublisherLanes(_lanes);
        foreach (OutboxEntry entry in _run.Unpublished) _outbox.Add(entry);
        foreach (PublisherLane lane in _lanes) await lane.OpenAsync(_run.RunId, _run.UnpublishedSince, _outbox.RemoveAcknowledged, cancellationToken).ConfigureAwait(false);

        _reader = new SourceReader(OpenSource(_run.Position), Options.Schema.Features.Count);
        var display = new SnapshotDisplay(Feed, _reader.Source.IsReplayable);
        _writer = new CheckpointWriter(directory, Metrics, time, log)
        {
            Durable = checkpoint =>
            {
                display.Durable(checkpoint.Updates);
                _reader.Source.Acknowledge(checkpoint.Position);
                lanes.Release(checkpoint.Outbox);
            },
        };
        _loop = new LearnerLoop(Options, _run, _reader, _writer, _outbox, lanes, display, Metrics, time, log, _stop.Token);
        new Thread(RunLoop) { Name = $"learner {Options.Id}", IsBackground = true }.Start();
    }

    /// <summary>Asks the pipeline to finish the current update, keep its state, publish and end.</summary>
    public void RequestStop()
    {
        // What was accepted from outside is still learned from; nothing more is accepted.
        _reader?.Source.Complete();
        if (!_completion.Task.IsCompleted) _stop.Cancel();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // All at once: each of them may wait for a broker that never answers.
        List<Task> closing = [.. _lanes.Select(lane => lane.DisposeAsync().AsTask())];
        if (_reader is { } reader) closing.Add(reader.DisposeAsync().AsTask());
        if (_run is { } run) closing.Add(Task.Factory.StartNew(run.RejectedTo.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        if (_outbox is { } outbox) closing.Add(outbox.DisposeAsync().AsTask());
        await Task.WhenAll(closing).ConfigureAwait(false);
        Feed.Dispose();
        _stop.Dispose();
    }

    private RecordSource OpenSource(SourcePosition position)
    {
        try
        {
            return _environment.OpenSource(Options, position.Copy());
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), $"Model '{Options.Id}': {failure.Message}", failure);
        }
    }

    private void RunLoop()
    {
        PipelineEnd end = _loop!.Run();
        if (end.Problem is { } problem) WorkerLog.ModelFailed(_environment.Log, Options.Id, problem, end.Code == ExitCode.Internal ? end.Cause : null);
        _completion.SetResult(end);
    }
}
