using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Decides when a new version may be seen, so that (run id, version) never means two things. A version that a restart would make again, to the
/// byte, is shown at once. One that depends on a decision that no durable checkpoint holds yet - a minibatch cut by the clock, a partition left
/// out or taken in - is shown when one does; of a source that cannot be read again, every version waits for a checkpoint that holds itself.
/// </summary>
internal sealed class SnapshotDisplay(SnapshotFeed feed, bool isReplayable)
{
    private readonly Lock _lock = new();
    private readonly Queue<SnapshotDocument> _held = new();
    private long _decided = isReplayable ? -1 : long.MaxValue;
    private long _durable;

    /// <summary>Whether versions wait for a checkpoint only because of a decision: the sooner one is written the better.</summary>
    public bool AwaitsCheckpoint
    {
        get
        {
            lock (_lock) return isReplayable && _held.Count > 0;
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
            if (_durable > _decided)
            {
                feed.Publish(document);
                return;
            }

            _held.Enqueue(document);
            if (_held.Count > SnapshotFeed.Kept) _held.Dequeue();
        }
    }

    /// <summary>Shows the version of a checkpoint that a run goes on from.</summary>
    public void Restored(SnapshotDocument document)
    {
        lock (_lock)
        {
            _durable = document.Version;
            feed.Publish(document);
        }
    }

    /// <summary>Shows what was held and is now settled: a checkpoint of this version is durable.</summary>
    public void Durable(long version)
    {
        lock (_lock)
        {
            _durable = Math.Max(_durable, version);
            while (_held.TryPeek(out SnapshotDocument? document) && (document.Version <= _durable || _durable > _decided)) feed.Publish(_held.Dequeue());
        }
    }
}
