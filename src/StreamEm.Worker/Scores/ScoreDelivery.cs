using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Where the scored records of one model go. Told by the learner's thread; <see cref="Durable"/> by the one that writes checkpoints. What a
/// restart would make again to the byte goes out at once; what depends on a decision of the moment once a checkpoint that holds the
/// decision is durable, and of a source that cannot be read again once one holds the records themselves.
/// </summary>
internal sealed class ScoreDelivery(IReadOnlyList<ScoreLane> lanes) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _arrived = NewSignal();
    private long _captured, _decided, _durable;
    private bool _isReplayable = true;

    /// <summary>The lanes, in the configuration's order.</summary>
    public IReadOnlyList<ScoreLane> Lanes => lanes;

    /// <summary>Whether so much is on its way that learning has to wait.</summary>
    public bool IsFull => lanes.Any(lane => lane.Bytes > ScoreLane.LimitBytes);

    /// <summary>Bytes on their way.</summary>
    public long Bytes => lanes.Sum(lane => lane.Bytes);

    /// <summary>Whether a checkpoint soon lets out what waits for nothing else.</summary>
    public bool AwaitsCheckpoint => lanes.Any(lane => lane.IsHeld && (_isReplayable || lane.Bytes > ScoreLane.LimitBytes / 2));

    /// <summary>Whether something has arrived that the last checkpoint still has on its way.</summary>
    public bool HasArrivals => lanes.Any(lane => lane.HasArrivals);

    /// <summary>Completes when something has arrived.</summary>
    public Task NextArrival
    {
        get
        {
            lock (_lock) return _arrived.Task;
        }
    }

    /// <summary>One task a sink, ended when it has all; faulted when it cannot go on.</summary>
    public IEnumerable<Task> Delivering => lanes.Select(lane => lane.Delivering);

    /// <summary>What keeps a sink from delivering; null when all is well.</summary>
    public Obstacle? Obstacle => lanes.Select(lane => lane.Obstacle).FirstOrDefault(obstacle => obstacle is not null);

    /// <summary>Prepares the sinks; what a state had not delivered goes out.</summary>
    public async Task OpenAsync(string runId, CancellationToken cancellationToken)
    {
        foreach (ScoreLane lane in lanes) await lane.OpenAsync(runId, Arrived, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins.</summary>
    /// <param name="isReplayable">Whether a restart reads the same records again.</param>
    public void Begin(bool isReplayable) => _isReplayable = isReplayable;

    /// <summary>Notes a decision of the moment: what is made from now on depends on it.</summary>
    public void Decided()
    {
        lock (_lock) _decided = _captured + 1;
    }

    /// <summary>Takes lines that were made just now.</summary>
    public void Add(ScoreLane lane, ScoreChunk chunk)
    {
        lock (_lock)
        {
            chunk.Needs = _isReplayable ? _decided : _captured + 1;
            lane.Add(chunk, _durable);
        }
    }

    /// <summary>Writes where every sink is and what has not arrived.</summary>
    public void Save(BinaryWriter writer)
    {
        lock (_lock) _captured++;
        writer.Write(lanes.Count);
        foreach (ScoreLane lane in lanes)
        {
            writer.Write(lane.Name);
            lane.Save(writer);
        }
    }

    /// <summary>Makes what has arrived survive a power cut: a checkpoint counts on it.</summary>
    public void MakeDurable()
    {
        foreach (ScoreLane lane in lanes) lane.MakeDurable();
    }

    /// <summary>Lets out what waited for the checkpoint that was captured last.</summary>
    public void Durable()
    {
        lock (_lock)
        {
            _durable = _captured;
            foreach (ScoreLane lane in lanes) lane.Release(_durable);
        }
    }

    /// <summary>Delivers what was let out and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    /// <returns>Whether every sink took all of it.</returns>
    public bool Close(CancellationToken deadline)
    {
        try
        {
            Task.WhenAll(lanes.Select(lane => lane.CloseAsync(deadline))).GetAwaiter().GetResult();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Ends the sinks, all at once: each may wait for somebody who never answers.</summary>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(lanes.Select(lane => lane.DisposeAsync().AsTask())).ConfigureAwait(false);

    private void Arrived()
    {
        TaskCompletionSource signal;
        lock (_lock) (signal, _arrived) = (_arrived, NewSignal());
        signal.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
