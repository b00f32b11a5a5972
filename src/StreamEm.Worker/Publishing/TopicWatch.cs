using Confluent.Kafka;
using StreamEm.Worker.Kafka;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Finds out who else publishes a model to a topic: the newest record before the start, and after that what others wrote between the
/// start's own records. Where nobody did - the own offsets follow each other - nothing is read. Used by one thread at a time.
/// </summary>
/// <param name="lease">Who may publish.</param>
/// <param name="claim">The run that publishes, and its start.</param>
/// <param name="key">The key of the model's records.</param>
/// <param name="time">The clock.</param>
/// <param name="stranger">Told of another run that publishes beside this one, each time it is met.</param>
internal sealed class TopicWatch(TopicLease lease, RunClaim claim, byte[] key, TimeProvider time, Action<SnapshotHeaders> stranger)
{
    /// <summary>The most records of others that are read at once; a worker that goes on publishing is among the newest of them.</summary>
    public const int MostRecords = 256;

    /// <summary>How often others' records are read; the first time after the first own record.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private IReadOnlyDictionary<TopicPartition, long> _ends = new Dictionary<TopicPartition, long>();
    private long _next = -1, _counted;
    private long? _lookedAt;
    private bool _isPublishing;

    /// <summary>Who has the place by the records so far, and when the newest of those was written.</summary>
    private (DateTime Time, SnapshotHeaders? Headers)? _newest;
    private Partition _partition;

    /// <summary>Notes where the topic ends; to be called before it is looked at.</summary>
    public void Begin(KafkaTopic topic) => _ends = topic.Ends();

    /// <summary>Takes a record that is there before the start.</summary>
    public void Take(ConsumeResult<byte[]?, byte[]?> record)
    {
        if (!IsOfModel(record)) return;
        SnapshotHeaders? headers = SnapshotHeaders.Read(record.Message);
        // A record without a value takes the model away: the place is free. Something that is no snapshot says nothing.
        if (headers is null && record.Message.Value is not null) return;
        DateTime written = record.Message.Timestamp.UtcDateTime;
        if (_newest is not { } newest) _newest = (written, headers);
        else if (record.Partition == _partition || written >= newest.Time) _newest = (written, After(newest.Headers, headers));
        _partition = record.Partition;
    }

    /// <summary>Who has the place after one more record: the last words of an earlier start, or of a predecessor, change nothing.</summary>
    private static SnapshotHeaders? After(SnapshotHeaders? owner, SnapshotHeaders? next)
    {
        if (owner is null || next is null) return next;
        if (next.RunId == owner.RunId) return next with { Incarnation = Math.Max(owner.Incarnation, next.Incarnation) };
        return owner.Predecessors.Contains(next.RunId) ? owner : next;
    }

    /// <summary>Refuses to publish where another has the place.</summary>
    /// <exception cref="Failures.CommandException">Another has it (73).</exception>
    public void RefuseIfTaken(KafkaTopic topic)
    {
        // Most often the newest record is among the last ones; a topic of many models is read further and further back.
        long window = MostRecords;
        Dictionary<TopicPartition, long> unread = new(_ends);
        while (_newest is null && unread.Values.Any(end => end > 0))
        {
            OffsetRange[] ranges =
                [.. unread.Select(part => new OffsetRange(part.Key, Math.Max(0, part.Value - window), part.Value))];
            topic.Read(ranges, Take);
            foreach (OffsetRange range in ranges) unread[range.Partition] = range.Start;
            window *= 8;
        }

        if (lease.Refusal(_newest?.Headers) is { } refusal) throw refusal;
    }

    /// <summary>Looks at what others wrote, if it is time to.</summary>
    /// <param name="own">Where the newest own record is, and how many there are.</param>
    /// <param name="open">Opens the topic.</param>
    /// <exception cref="Failures.CommandException">Another has the place (75).</exception>
    public void Look((TopicPartition Partition, long Offset, long Count) own, Func<KafkaTopic> open)
    {
        if (_next < 0) _next = _ends.GetValueOrDefault(own.Partition);
        bool isAlone = own.Offset + 1 - _next <= own.Count - _counted;
        if (!isAlone)
        {
            if (_lookedAt is { } before && time.GetElapsedTime(before) < LookEvery) return;
            _lookedAt = time.GetTimestamp();
            using KafkaTopic topic = open();
            topic.Read([new OffsetRange(own.Partition, Math.Max(_next, own.Offset - MostRecords), own.Offset)], LookAt);
        }

        _isPublishing = true;
        (_next, _counted) = (own.Offset + 1, own.Count);
    }

    private void LookAt(ConsumeResult<byte[]?, byte[]?> record)
    {
        if (!IsOfModel(record) || SnapshotHeaders.Read(record.Message) is not { } seen) return;
        bool isOwn = seen.RunId == claim.RunId && seen.Incarnation == claim.Incarnation;
        _isPublishing |= isOwn;
        if (isOwn) return;
        lease.Look(seen, isBeforeOurs: !_isPublishing, out bool isStranger);
        if (isStranger) stranger(seen);
    }

    private bool IsOfModel(ConsumeResult<byte[]?, byte[]?> record) => record.Message.Key?.AsSpan().SequenceEqual(key) == true;
}
