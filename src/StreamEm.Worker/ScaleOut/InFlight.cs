using StreamEm.Sources;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What a worker has sent and not yet seen in the model: how much more it may send, and which partitions have to be worked on anew. A
/// message whose offset the model has passed without taking its range was not counted: duplicate, gap or stale. Its records are read again
/// from where the model says the partition stands. So a message that was lost, or a position that was wrong, mends itself. Where the log
/// was cut offsets say nothing of what was sent before, and all of it is worked on anew. Any thread.
/// </summary>
/// <param name="most">Messages of one partition under way.</param>
/// <param name="counted">Told of every message of this worker that is in the model how many versions late it came; null for nobody.</param>
internal sealed class InFlight(int most, Action<long>? counted = null)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Sent>> _sent = new(StringComparer.Ordinal);
    private int _cuts;

    /// <summary>Messages under way, of all partitions.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _sent.Values.Sum(list => list.Count);
        }
    }

    /// <summary>The highest offset of a message under way that is in the log; null for none.</summary>
    public long? Newest
    {
        get
        {
            lock (_lock)
                return _sent.Values.SelectMany(list => list).Where(sent => sent.Offset < long.MaxValue).Max(sent => (long?)sent.Offset);
        }
    }

    /// <summary>Whether one more of a partition may be sent.</summary>
    public bool HasRoom(string partition)
    {
        lock (_lock) return !_sent.TryGetValue(partition, out List<Sent>? list) || list.Count < most;
    }

    /// <summary>Notes a message that is sent.</summary>
    /// <param name="range">The records it is of.</param>
    /// <param name="baseVersion">The version it was computed under; null for one that another worker has sent.</param>
    /// <returns>To be told its offset once it is in the log.</returns>
    public Action<long> Add(RecordRange range, long? baseVersion = null)
    {
        var sent = new Sent(range, baseVersion);
        lock (_lock)
        {
            if (!_sent.TryGetValue(range.Partition, out List<Sent>? list)) _sent.Add(range.Partition, list = []);
            list.Add(sent);
        }

        return offset =>
        {
            lock (_lock) sent.Offset = offset;
        };
    }

    /// <summary>Forgets everything: it is worked on anew, or by another.</summary>
    public void Clear()
    {
        lock (_lock) _sent.Clear();
    }

    /// <summary>Looks at a state of the model.</summary>
    /// <param name="position">Where the partitions stand in it.</param>
    /// <param name="next">The offset of the next message that is not in it.</param>
    /// <param name="version">Its version.</param>
    /// <param name="cuts">How often the log was found cut.</param>
    /// <returns>Whether some partition has to be worked on anew from where it stands there.</returns>
    public bool Look(SourcePosition position, long next, long version, int cuts = 0)
    {
        bool isMissed = false;
        lock (_lock)
        {
            bool isCut = cuts != _cuts;
            _cuts = cuts;
            foreach ((string partition, List<Sent> list) in _sent)
            {
                long stands = position.Partitions.GetValueOrDefault(partition)?.Next ?? -1;
                foreach (Sent sent in list)
                    if (sent.Range.To <= stands && sent.BaseVersion is { } known) counted?.Invoke(Math.Max(0, version - 1 - known));
                list.RemoveAll(sent => sent.Range.To <= stands);
                isMissed |= list.Exists(sent => isCut || sent.Offset < next);
            }
        }

        return isMissed;
    }

    private sealed class Sent(RecordRange range, long? baseVersion)
    {
        public RecordRange Range => range;

        public long? BaseVersion => baseVersion;

        public long Offset { get; set; } = long.MaxValue;
    }
}
