using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Decides when a new version may be seen. A version that a restart would make again, to the byte, is shown at once. Where it would not - a
/// source that cannot be read again, minibatches cut by the clock - a version is shown when a checkpoint holds it, so that (run id, version)
/// never means two things.
/// </summary>
internal sealed class SnapshotDisplay(SnapshotFeed feed, bool showAtOnce)
{
    private readonly Lock _lock = new();
    private readonly Queue<SnapshotDocument> _held = new();

    /// <summary>Takes a new version.</summary>
    public void Made(SnapshotDocument document)
    {
        if (showAtOnce)
        {
            feed.Publish(document);
            return;
        }

        lock (_lock)
        {
            _held.Enqueue(document);
            if (_held.Count > SnapshotFeed.Kept) _held.Dequeue();
        }
    }

    /// <summary>Shows the version of a checkpoint.</summary>
    public void Restored(SnapshotDocument document) => feed.Publish(document);

    /// <summary>Shows what was held up to a version that is now in a durable checkpoint.</summary>
    public void Durable(long version)
    {
        while (true)
        {
            SnapshotDocument? document;
            lock (_lock)
            {
                if (!_held.TryPeek(out document) || document.Version > version) return;
                _held.Dequeue();
            }

            feed.Publish(document);
        }
    }
}
