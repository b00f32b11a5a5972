namespace StreamEm.Worker.Snapshots;

/// <summary>
/// Decides when a new version may be seen, so that (run id, version) never means two things. A version that a restart would make again, to
/// the byte, is shown at once. One that depends on a decision that no durable checkpoint holds yet - a minibatch cut by the clock, a
/// partition left out or taken in - is shown when one does; of a source that cannot be read again, every version waits for a checkpoint
/// that holds itself. Life cycle: <see cref="Begin"/> once, before all else.
/// </summary>
internal sealed class SnapshotDisplay(SnapshotFeed feed)
{
    private readonly Lock _lock = new();
    private readonly RecentSnapshots _held = new();
    private bool _isReplayable;
    private long _decided, _durable;

    /// <summary>Whether versions wait for a checkpoint only because of a decision: the sooner one is written the better.</summary>
    public bool AwaitsCheckpoint
    {
        get
        {
            lock (_lock) return _isReplayable && _held.Count > 0;
        }
    }

    /// <summary>Begins with the version of a checkpoint that a run goes on from, which is shown; null for a new run.</summary>
    /// <param name="restored">That version.</param>
    /// <param name="isReplayable">Whether a restart reads the same records again.</param>
    public void Begin(SnapshotDocument? restored, bool isReplayable)
    {
        lock (_lock)
        {
            _isReplayable = isReplayable;
            _decided = isReplayable ? -1 : long.MaxValue;
            if (restored is null) return;
            _durable = restored.Version;
            feed.Publish(restored);
        }
    }

    /// <summary>Notes a decision: the versions after the present one depend on it.</summary>
    public void Decided(long version)
    {
        lock (_lock) _decided = Math.Max(_decided, version);
    }

    /// <summary>Takes a new version.</summary>
    public void Made(SnapshotDocument document)
    {
        lock (_lock)
        {
            // A checkpoint beyond the decision was made after it: from there on a restart takes the same way.
            if (_durable > _decided) feed.Publish(document);
            else _held.Add(document);
        }
    }

    /// <summary>Shows what was held and is now settled: a checkpoint of this version is durable.</summary>
    public void Durable(long version)
    {
        lock (_lock)
        {
            _durable = Math.Max(_durable, version);
            while (_held.Oldest is { } oldest && (oldest.Version <= _durable || _durable > _decided)) feed.Publish(_held.TakeOldest());
        }
    }
}
