namespace StreamEm.Worker.Publishing;

/// <summary>
/// The snapshots that some publisher has not acknowledged yet, oldest first. The learner adds, every checkpoint carries a copy, and
/// acknowledgements from the publishers take them out. Thread-safe.
/// </summary>
internal sealed class Outbox(IReadOnlyList<PublisherLane> lanes)
{
    private readonly Lock _lock = new();
    private readonly Queue<OutboxEntry> _entries = new();
    private TaskCompletionSource _acknowledged = NewSignal();
    private long _bytes, _bytesSinceCapture;

    /// <summary>Bytes of all entries.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock) return _bytes;
        }
    }

    /// <summary>Bytes added since <see cref="Capture"/>.</summary>
    public long BytesSinceCapture
    {
        get
        {
            lock (_lock) return _bytesSinceCapture;
        }
    }

    /// <summary>Completes with the next acknowledgement.</summary>
    public Task NextAcknowledgement
    {
        get
        {
            lock (_lock) return _acknowledged.Task;
        }
    }

    /// <summary>Adds a snapshot if some publisher wants it and does not have it.</summary>
    /// <returns>Whether it was added.</returns>
    public bool Add(SnapshotDocument document, bool isLast)
    {
        if (!lanes.Any(lane => lane.Lacks(document.Version, isLast))) return false;
        Add(new OutboxEntry(document.Version, isLast, document.Json));
        return true;
    }

    /// <summary>Adds an entry of a checkpoint.</summary>
    public void Add(OutboxEntry entry)
    {
        lock (_lock)
        {
            _entries.Enqueue(entry);
            _bytes += entry.Json.Length;
            _bytesSinceCapture += entry.Json.Length;
        }
    }

    /// <summary>The entries still to be acknowledged, for a checkpoint.</summary>
    public IReadOnlyList<OutboxEntry> Capture()
    {
        lock (_lock)
        {
            _bytesSinceCapture = 0;
            return [.. _entries];
        }
    }

    /// <summary>Takes out what every publisher has.</summary>
    public void RemoveAcknowledged()
    {
        TaskCompletionSource signal;
        lock (_lock)
        {
            while (_entries.TryPeek(out OutboxEntry? entry) && !lanes.Any(lane => lane.Lacks(entry.Version, entry.IsLast)))
                _bytes -= _entries.Dequeue().Json.Length;
            signal = _acknowledged;
            _acknowledged = NewSignal();
        }

        signal.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
