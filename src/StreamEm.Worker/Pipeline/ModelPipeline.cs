using StreamEm.Sources;
using StreamEm.Sources.Http;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// One model of the worker: source reader -> bounded channel of reused batches -> one learner thread -> immutable snapshots by reference ->
/// publishers. Life cycle: <see cref="StartAsync"/> once, <see cref="RequestStop"/> any number of times, disposed after
/// <see cref="Completion"/>.
/// </summary>
public sealed partial class ModelPipeline : IAsyncDisposable
{
    private readonly PipelineEnvironment _environment;
    private readonly Lazy<Task> _closing;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<PipelineEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OrderDesk _desk = new();
    private RunState? _run;
    private SnapshotDelivery? _delivery;
    private SourceReader? _reader;
    private CheckpointWriter? _writer;
    private CheckpointDirectory? _directory;
    private LearnerThread? _learner;
    private SnapshotArchive? _archive;
    private Replica? _replica;

    /// <summary>A pipeline that has not started.</summary>
    public ModelPipeline(ModelOptions options, PipelineEnvironment environment)
    {
        Options = options;
        _environment = environment;
        _closing = new Lazy<Task>(CloseAsync);
        Metrics = new ModelMetrics(options.Id, environment.Histograms);
        Feed = new SnapshotFeed(options.Snapshots.Keep);
        Operations = new ModelOperations(this, _desk, environment.StateDirectory);
        Shown = new ShownRecords(options.Schema, environment.Time);
        if (options is { PerKey: false, ScaleOut: null }) Memory = new RecordMemory(options.Schema.Read, environment.ReplayBytes);
    }

    /// <summary>The model's configuration.</summary>
    public ModelOptions Options { get; }

    /// <summary>Its snapshots.</summary>
    public SnapshotFeed Feed { get; }

    /// <summary>Where what happens to it is counted.</summary>
    internal WorkerHistograms Histograms => _environment.Histograms;

    /// <summary>Batches read and not learned from yet.</summary>
    internal int BatchesWaiting => _reader?.Waiting ?? 0;

    /// <summary>What a person may ask of it.</summary>
    internal ModelOperations Operations { get; }

    /// <summary>Versions kept on disk beyond the newest ones, oldest first.</summary>
    internal IReadOnlyList<ArchivedSnapshot> Archived => _archive?.Entries ?? [];

    /// <summary>Its numbers.</summary>
    public ModelMetrics Metrics { get; }

    /// <summary>Records passed over since the start because <c>where</c> is not about them.</summary>
    public long FilteredOut => Metrics.FilteredOut + ((Source as HttpPushSource)?.FilteredOut ?? 0);

    /// <summary>What a person may want to see of its records.</summary>
    internal ShownRecords Shown { get; }

    /// <summary>The last records, to be replayed; null where none can be.</summary>
    internal RecordMemory? Memory { get; }

    /// <summary>How it ended; null while it has not.</summary>
    public PipelineEnd? End => _completion.Task.IsCompletedSuccessfully ? _completion.Task.Result : null;

    /// <summary>Where it stands.</summary>
    public ModelState State => End?.State ?? _learner?.State ?? _replica?.State ?? ModelState.Waiting;

    /// <summary>Why it failed, or why it is not ready; null when all is well.</summary>
    public Obstacle? Obstacle => End is { } end
        ? end.Failure is { } failure ? new Obstacle(ObstacleKind.Failed, failure) : null
        : _replica?.Obstacle ?? _writer?.Obstacle ?? SourceObstacle ?? _delivery?.Obstacle ?? _run?.RejectedTo.Obstacle;

    /// <summary>
    /// Too large a share of what clients sent was rejected, in a sentence: they are held back, the model goes on; null when all is well.
    /// </summary>
    public string? Rejecting => End is null ? _learner?.Rejecting : null;

    /// <summary>Its source, from the start until it fails.</summary>
    public RecordSource? Source => State == ModelState.Failed ? null : _reader?.Source;

    /// <summary>How far reading is; null where nothing is read, or the source cannot tell.</summary>
    internal SourceProgress? Progress => _replica is null ? Source?.Progress : State == ModelState.Failed ? null : Metrics.Progress;

    /// <summary>Its run; null before the state is restored.</summary>
    public string? RunId => _run?.Identity.RunId ?? _replica?.RunId;

    /// <summary>Whether the run takes the place of an earlier one, which had versions of the same numbers.</summary>
    public bool HasPredecessors => _run?.Predecessors is { Count: > 0 };

    /// <summary>Whether its state is restored and it runs.</summary>
    public bool HasStarted => _learner is not null || _replica is not null;

    /// <summary>Completes when it has started and what it goes on from is on disk; see <see cref="LearnerThread.Resumed"/>.</summary>
    internal Task Resumed => _learner?.Resumed ?? Task.CompletedTask;

    /// <summary>Ends with the pipeline. Never faults: failures are a <see cref="PipelineEnd"/>.</summary>
    public Task<PipelineEnd> Completion => _completion.Task;

    /// <summary>Restores or creates the state, opens source and publishers and starts the learner's thread.</summary>
    /// <exception cref="CommandException">Something it needs is missing or damaged.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var context = new ModelContext(Options, Metrics, Shown, _environment.Time, _environment.Log);
        var directory = new CheckpointDirectory(_environment.StateDirectory, Options.Id, Options.Checkpoint.Keep, context.Log);
        _directory = directory;
        if (Options.ScaleOut is not null && _environment.CreateReplica is { } create)
        {
            // Its state is in topics, where every worker finds it.
            _desk.Close($"Model '{Options.Id}' is learned by several workers (scale_out), of which one alone cannot keep its state, pause, "
                + "go back or pin a version.");
            Replica replica = _replica = create(context, Feed, directory);
            new Thread(() => Complete(replica.Run(_stop.Token))) { Name = $"replica {Options.Id}", IsBackground = true }.Start();
            return;
        }

        var start = RunStart.Open(context, directory, _environment.AcceptsModelChange);
        _run = start.Run;
        _run.RejectedTo.Start();
        _archive = new SnapshotArchive(
            Path.Combine(_environment.StateDirectory, Options.Id), Options.Snapshots, _run.Identity.RunId, context.Time);
        if (_run.Pinned is { } pinned) Feed.Pin(pinned);
        ScoreDelivery scores = OpenScores(start);
        _delivery = new SnapshotDelivery(CreateLanes(), new SnapshotDisplay(Feed), scores) { IsHeld = _run.Pinned is not null };
        await _delivery.OpenAsync(start, cancellationToken).ConfigureAwait(false);
        _reader = new SourceReader(OpenSource(_run.Position), Options.Schema.Read, context.Time)
        {
            Decoded = took => Metrics.Took(Phase.Decode, took),
            Taken = Memory is { } memory ? memory.Add : null,
        };
        _writer = new CheckpointWriter(directory, Metrics, context.Time, context.Log) { Durable = OnDurable };
        var keeper = new StateKeeper(
            new CheckpointSchedule(Options.Checkpoint, context.Time, _run.Learner.Updates), _writer, _run.RejectedTo,
            Capture)
        { MakeDurable = () => MakeDurable(scores) };
        _learner = new LearnerThread(context, start, _reader, keeper, _delivery, _desk, Feed);
        new Thread(Learn) { Name = $"learner {Options.Id}", IsBackground = true }.Start();
    }

    /// <summary>Notes that it could not be started, and closes what was opened.</summary>
    public void Fail(Exception failure) => Complete(PipelineEnd.OfFailure(failure));

    /// <summary>Asks the pipeline to finish the current update, keep its state, publish and end.</summary>
    public void RequestStop()
    {
        // What was accepted from outside is still learned from; nothing more is accepted.
        _reader?.Source.Complete();
        if (!_completion.Task.IsCompleted) _stop.Cancel();
    }

    /// <summary>Has the state kept soon, whether it is due or not. Any thread, at any time.</summary>
    public void RequestCheckpoint() => _ = Operations.CheckpointAsync().ContinueWith(
        // Who has ended has kept what there is.
        asked => asked.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>How old a version is.</summary>
    internal TimeSpan AgeOf(SnapshotDocument document) =>
        new(Math.Max(0, (_environment.Time.GetUtcNow() - document.Snapshot.CreatedAt).Ticks));

    /// <summary>A version that is kept in memory or in the archive; null where it is in neither.</summary>
    public SnapshotDocument? Find(long version) =>
        (Feed.Pinned is { } pinned && pinned.Version == version ? pinned : null)
            ?? Feed.Versions.LastOrDefault(document => document.Version == version) ?? _archive?.Find(version);

    /// <summary>Takes a person's word for one of the last records; the answer comes when it is kept. Any thread, at any time.</summary>
    internal Task<WordResult> JudgeAsync(Word word) =>
        _learner?.Asked.JudgeAsync(word) ?? Task.FromResult(new WordResult(WordOutcome.Ended));

    /// <summary>Asks for what the model of a key has learned. Any thread, at any time.</summary>
    internal Task<KeyAnswer> DescribeKeyAsync(string key) =>
        _learner?.Asked.DescribeAsync(key) ?? _replica?.DescribeKeyAsync(key) ?? Task.FromResult(new KeyAnswer(IsAnswered: false));

    /// <summary>Asks who learns the model with this worker; null where nobody does. Any thread, at any time.</summary>
    internal Task<SharedWork?> DescribeWorkAsync(CancellationToken cancellationToken) =>
        _replica?.DescribeWorkAsync(cancellationToken) ?? Task.FromResult<SharedWork?>(null);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.Value.ConfigureAwait(false);
        Feed.Dispose();
        _stop.Dispose();
    }

    /// <summary>Closes source, publishers and the file of rejected records: a failed model holds nothing, but what it learned can be
    /// asked for. What cannot be closed in order (a full disk) has been told by what failed before.</summary>
    private async Task CloseAsync()
    {
        // All at once: each of them may wait for a broker that never answers.
        var closing = new List<Task>();
        if (_replica is { } replica) closing.Add(Task.Run(replica.Dispose));
        if (_delivery is { } delivery) closing.Add(delivery.DisposeAsync().AsTask());
        if (_reader is { } reader) closing.Add(reader.DisposeAsync().AsTask());
        if (_run is { } run)
            closing.Add(Task.Factory.StartNew(
                run.RejectedTo.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        try
        {
            await Task.WhenAll(closing).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            WorkerLog.ModelWarning(_environment.Log, Options.Id, $"Not closed in order: {failure.Message}");
        }
        finally
        {
            _run?.Keyed?.Dispose();
        }
    }

    private Obstacle? SourceObstacle => Source?.Problem is { } problem ? new Obstacle(ObstacleKind.SourceUnavailable, problem) : null;

    private void MakeDurable(ScoreDelivery scores)
    {
        scores.MakeDurable();
        _run!.Keyed?.MakeDurable();
    }

    private void OnDurable(Checkpoint checkpoint)
    {
        _reader!.Source.Acknowledge(checkpoint.Position);
        _delivery!.Durable(checkpoint);
        _desk.Durable();
        if (checkpoint.Latest is { } latest && _archive?.Offer(latest) is { } problem)
            WorkerLog.ModelWarning(_environment.Log, Options.Id, problem);
        _run!.Keyed?.DeleteUnused(_directory!.SegmentsNamed());
    }

    private Checkpoint Capture()
    {
        _desk.Captured();
        return _run!.Capture(_delivery!.Capture(), _environment.Time.GetUtcNow());
    }

    private void Learn() => Complete(_learner!.Run(_stop.Token));

    private void Complete(PipelineEnd end)
    {
        if (end.Failure is { } failure)
            WorkerLog.ModelFailed(_environment.Log, Options.Id, failure, end.Code == ExitCode.Internal ? end.Cause : null);
        _completion.SetResult(end);
        _desk.Close(Options.Id, end);
        if (end.State == ModelState.Failed) _ = _closing.Value;
    }
}
