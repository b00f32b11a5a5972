using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Where the versions of one model go: to whoever looks, as soon as they may be seen (<see cref="SnapshotDisplay"/>), and to every
/// publisher, in order, each once a checkpoint that holds it is durable. Told by the learner's thread; <see cref="Durable"/> by the one
/// that writes checkpoints.
/// </summary>
internal sealed class SnapshotDelivery(IReadOnlyList<PublisherLane> lanes, SnapshotDisplay display, ScoreDelivery scores) : IAsyncDisposable
{
    /// <summary>Unpublished snapshots that no checkpoint holds yet: beyond this a checkpoint is due.</summary>
    private const long DueBytes = 8L << 20;

    /// <summary>Unpublished snapshots in all: beyond this learning waits for the publishers.</summary>
    private const long LimitBytes = 64L << 20;

    private readonly Outbox _outbox = new(lanes);

    /// <summary>Whether publishers get no versions, because one is pinned.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Bytes of snapshots that are not published, and of scores that have not arrived.</summary>
    public long Bytes => _outbox.Bytes + scores.Bytes;

    /// <summary>Whether so much is on its way that learning has to wait for some of it.</summary>
    public bool IsFull => _outbox.Bytes > LimitBytes || scores.IsFull;

    /// <summary>Whether so many wait for a checkpoint that one is due.</summary>
    public bool IsCheckpointDue => _outbox.BytesSinceCapture > DueBytes;

    /// <summary>Whether versions that could be seen wait for a checkpoint.</summary>
    public bool AwaitsCheckpoint => display.AwaitsCheckpoint || scores.AwaitsCheckpoint;

    /// <summary>Whether a sink that may get records twice has got some that the last checkpoint does not know to be there.</summary>
    public bool HasNews => scores.HasArrivals;

    /// <summary>Completes with the next acknowledgement of what there is too much of.</summary>
    public Task NextAcknowledgement => scores.IsFull ? scores.NextArrival : _outbox.NextAcknowledgement;

    /// <summary>One task a publisher or sink, ended when it has all; faulted when it cannot go on.</summary>
    public IEnumerable<Task> Publishing => lanes.Select(lane => lane.Publishing).Concat(scores.Delivering);

    /// <summary>What keeps a publisher from publishing, or a sink from delivering; null when all is well.</summary>
    public Obstacle? Obstacle => lanes.Select(lane => lane.Obstacle).FirstOrDefault(obstacle => obstacle is not null) ?? scores.Obstacle;

    /// <summary>Prepares the publishers and offers them what a run that goes on had not published.</summary>
    public async Task OpenAsync(RunStart start, CancellationToken cancellationToken)
    {
        foreach (OutboxEntry entry in start.Unpublished) _outbox.Add(entry);
        // A run that goes on from a snapshot publishes that as its own, as soon as a checkpoint holds it.
        if (start.IsNew && start.Run.Latest is { } first) _outbox.Add(first, isLast: false);
        foreach (PublisherLane lane in lanes)
            await lane.OpenAsync(start.Claim, start.UnpublishedSince, _outbox.RemoveAcknowledged, cancellationToken)
                .ConfigureAwait(false);
        await scores.OpenAsync(start.Run.Identity.RunId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Shows the version of the checkpoint that a run goes on from. What that had not published goes out with the next one, which tells
    /// this start from those before.
    /// </summary>
    /// <param name="start">The run.</param>
    /// <param name="isReplayable">Whether a restart reads the same records again.</param>
    public void Restore(RunStart start, bool isReplayable)
    {
        display.Begin(start.Run.Latest, isReplayable);
        scores.Begin(isReplayable);
    }

    /// <summary>Notes that the versions after <paramref name="version"/> depend on a decision of the moment.</summary>
    public void Decided(long version)
    {
        display.Decided(version);
        scores.Decided();
    }

    /// <summary>Takes a version just made.</summary>
    public void Take(SnapshotDocument made)
    {
        Offer(made);
        display.Made(made);
    }

    /// <summary>Has a version published that was made before.</summary>
    public void Offer(SnapshotDocument made)
    {
        if (!IsHeld) _outbox.Add(made, isLast: false);
    }

    /// <summary>Takes the last version of a drained run for the publishers that do not take each.</summary>
    /// <returns>Whether one lacked it.</returns>
    public bool TakeLast(SnapshotDocument last) => !IsHeld && _outbox.Add(last, isLast: true);

    /// <summary>The snapshots that some publisher has not acknowledged, for a checkpoint.</summary>
    public IReadOnlyList<OutboxEntry> Capture() => _outbox.Capture();

    /// <summary>Lets out what waited for this checkpoint. One thread at a time.</summary>
    public void Durable(Checkpoint checkpoint)
    {
        display.Durable(checkpoint.Updates);
        scores.Durable();
        Release(checkpoint.Outbox);
    }

    /// <summary>Throws what a publisher cannot go on for, if there is one.</summary>
    public void ThrowIfFaulted()
    {
        foreach (Task publishing in Publishing)
            if (publishing.IsFaulted) publishing.GetAwaiter().GetResult();
    }

    /// <summary>Publishes what was let out and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    /// <returns>Whether every publisher took all of it.</returns>
    public bool Close(CancellationToken deadline)
    {
        bool tookAll = true;
        foreach (PublisherLane lane in lanes)
        {
            try
            {
                lane.CloseAsync(deadline).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                tookAll = false;
            }
        }

        return scores.Close(deadline) && tookAll;
    }

    /// <summary>Ends the publishers, all at once: each may wait for a broker that never answers.</summary>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(
            [.. lanes.Select(lane => lane.DisposeAsync().AsTask()), _outbox.DisposeAsync().AsTask(), scores.DisposeAsync().AsTask()])
            .ConfigureAwait(false);

    private void Release(IReadOnlyList<OutboxEntry> durable)
    {
        foreach (PublisherLane lane in lanes) lane.Release(durable);
    }
}
