using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// The snapshots that some publisher has not acknowledged yet, oldest first. The learner adds, a lane of its own makes their JSON, every
/// checkpoint carries a copy, and acknowledgements from the publishers take them out; the newest of each publisher stays at hand.
/// Thread-safe.
/// </summary>
internal sealed class Outbox(IReadOnlyList<PublisherLane> lanes) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<Item> _entries = new();
    private readonly SerializationLane _serialization = new();
    private readonly OutboxEntry?[] _newest = new OutboxEntry?[lanes.Count];
    private TaskCompletionSource _acknowledged = NewSignal();
    private long _bytes, _bytesSinceCapture, _latest;

    /// <summary>
    /// Bytes of all entries whose JSON is made. One that only publishers of the newest version want counts as nothing: another one takes
    /// its place.
    /// </summary>
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
            lock (_lock) return Math.Min(_bytes, _bytesSinceCapture);
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
    public bool Add(SnapshotDocument document, bool isLast) => Add(new OutboxEntry(document, isLast));

    /// <summary>
    /// Adds an entry, of a checkpoint or new, if some publisher wants it and does not have it; waits while too many are without their JSON.
    /// </summary>
    /// <returns>Whether it was added.</returns>
    public bool Add(OutboxEntry entry)
    {
        entry = entry.As(isAcknowledged: false);
        bool isWanted = false, isForAll = false;
        lock (_lock)
        {
            _latest = Math.Max(_latest, entry.Version);
            for (int i = 0; i < lanes.Count; i++)
            {
                if (!lanes[i].Wants(entry.Version, entry.IsLast)) continue;
                _newest[i] = entry;
                if (!lanes[i].Offer(entry.Version)) continue;
                isWanted = true;
                isForAll |= !lanes[i].TakesNewestOnly;
            }
        }

        if (!isWanted) return false;
        var item = new Item(entry);
        lock (_lock)
        {
            _entries.Enqueue(item);
            DropTaken();
        }

        if (isForAll && entry.IsMade) Count(item);
        else if (isForAll) _serialization.Add(() => Count(item));
        return true;
    }

    /// <summary>
    /// The entries still to be acknowledged, for a checkpoint; and, marked as acknowledged, the newest of every publisher that is not the
    /// latest version of all.
    /// </summary>
    public IReadOnlyList<OutboxEntry> Capture()
    {
        lock (_lock)
        {
            _bytesSinceCapture = 0;
            List<OutboxEntry> captured = [.. _entries.Select(item => item.Entry)];
            for (int i = 0; i < lanes.Count; i++)
            {
                // The latest version of all is in the checkpoint anyway.
                if (_newest[i] is not { } newest || (newest.Version == _latest && lanes[i].Wants(newest.Version, isLast: false))) continue;
                if (captured.TrueForAll(entry => entry.Version != newest.Version)) captured.Add(newest.As(isAcknowledged: true));
            }

            return [.. captured.OrderBy(entry => entry.Version)];
        }
    }

    /// <summary>Takes out what every publisher has.</summary>
    public void RemoveAcknowledged()
    {
        TaskCompletionSource signal;
        lock (_lock)
        {
            DropTaken();
            signal = _acknowledged;
            _acknowledged = NewSignal();
        }

        signal.SetResult();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _serialization.DisposeAsync();

    /// <summary>Counts an entry's bytes, which makes its JSON.</summary>
    private void Count(Item item)
    {
        int bytes = item.Entry.Json.Length;
        lock (_lock)
        {
            if (item.IsTaken) return;
            item.Bytes = bytes;
            _bytes += bytes;
            _bytesSinceCapture += bytes;
        }
    }

    private void DropTaken()
    {
        while (_entries.TryPeek(out Item? oldest) && !lanes.Any(lane => lane.Lacks(oldest.Entry.Version, oldest.Entry.IsLast)))
        {
            _entries.Dequeue().IsTaken = true;
            _bytes -= oldest.Bytes;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Item(OutboxEntry entry)
    {
        public OutboxEntry Entry => entry;

        public long Bytes { get; set; }

        public bool IsTaken { get; set; }
    }
}
