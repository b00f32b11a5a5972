using System.Security.Cryptography;
using System.Text;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// One worker of several that learn a model together: it works on its share of the source's partitions, follows the model, and stands
/// ready to fold. A thread each; when one cannot go on, all end.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="feed">Where its snapshots are shown.</param>
/// <param name="directory">Where this worker's rejected records go when the configuration names no file, and what has no room in
/// memory.</param>
internal sealed class ScaledModel(ModelContext context, SnapshotFeed feed, CheckpointDirectory directory) : Replica
{
    private readonly ScaleOutTopics _topics = new(context.Options, context.Time);
    private RejectedFile? _rejected;
    private ModelFollower? _follower;
    private Contributor? _contributor;
    private Reducer? _reducer;
    private KeyShare? _keys;
    private volatile WorkSurvey? _survey;

    /// <inheritdoc cref="Contributor.Wrap"/>
    public Func<StatisticsWriter, StatisticsWriter> Wrap { get; init; } = writer => writer;

    /// <inheritdoc/>
    public override ModelState State => feed.Latest is not null ? ModelState.Learning
        : _reducer is { Pending: > 0 } ? ModelState.WarmingUp : ModelState.Waiting;

    /// <inheritdoc/>
    public override string? RunId => _follower?.Newest?.RunId;

    /// <inheritdoc/>
    public override Obstacle? Obstacle =>
        (_contributor?.Problem ?? _follower?.Problem ?? _reducer?.Problem) is { } problem
            ? new Obstacle(ObstacleKind.SourceUnavailable, problem) : _keys?.Obstacle;

    /// <inheritdoc/>
    public override Task<KeyAnswer> DescribeKeyAsync(string key) => _keys?.DescribeAsync(key) ?? Task.FromResult(new KeyAnswer(false));

    /// <inheritdoc/>
    public override async Task<SharedWork?> DescribeWorkAsync(CancellationToken cancellationToken) =>
        _survey is { } survey ? await survey.AskAsync(cancellationToken).ConfigureAwait(false) : null;

    /// <inheritdoc/>
    public override PipelineEnd Run(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            _topics.Prepare(stop);
            // Before it joins: those that learn the model are not to be disturbed by one that cannot.
            if (_topics.ReadNewest(stop) is { } known) SharedConfiguration.Require(context.Options, known);
            _rejected = RejectedFile.Open(context.Options.Rejected.File ?? directory.RejectedFile, mark: null, context.Log);
            _follower = new ModelFollower(_topics, feed, context.Time);
            string worker = NameOf(directory.RejectedFile);
            _survey = new WorkSurvey(_topics, _follower, worker, context.Time);
            _keys = context.Options.KeepsKeys ? new KeyShare(context, _topics, _follower, directory.SharedKeys) : null;
            _contributor = new Contributor(context, _topics, _follower, _rejected, worker, _keys) { Wrap = Wrap };
            _reducer = new Reducer(context, _topics, worker, () => _follower.Newest);
            Task[] parts = [Start(_follower.Run), Start(_contributor.Run), Start(_reducer.Run)];
            Task.WaitAny(parts, CancellationToken.None);
            ending.Cancel();
            Task.WhenAll(parts).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped while it waited for the brokers.
        }
        catch (Exception failure)
        {
            return PipelineEnd.OfFailure(failure);
        }

        Checkpoint? last = _follower?.Newest;
        WorkerLog.ModelStopped(context.Log, context.Options.Id, last?.Updates ?? 0, last?.Records ?? 0);
        return new PipelineEnd(ModelState.Stopped);

        Task Start(Action<CancellationToken> part) => Task.Factory.StartNew(
            () => part(ending.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>A name for the machine and the state directory, of which no other running worker has both.</summary>
    private static string NameOf(string rejectedFile)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{Environment.MachineName}\n{Path.GetFullPath(rejectedFile)}");
        return $"{Environment.MachineName}-{Convert.ToHexStringLower(SHA256.HashData(text).AsSpan(0, 6))}";
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _contributor?.Dispose();
        _reducer?.Dispose();
        _keys?.Dispose();
        _rejected?.Dispose();
        _survey?.Dispose();
    }
}
