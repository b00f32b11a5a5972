using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// How far reading is behind: where the partitions end, as the client last heard it (with every answer to a fetch, so not while a partition
/// is paused or the brokers are away), and where the reader stands. Noted by the polling thread, read by any.
/// </summary>
internal sealed class LogEnds(TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    private volatile KafkaPartition[] _partitions = [];
    private long? _noted;

    /// <summary>The partitions whose end is known.</summary>
    public IReadOnlyList<PartitionProgress> Progress =>
    [
        .. _partitions.Where(partition => partition.LogEnd >= 0).Select(partition =>
        {
            PartitionPosition position = partition.Position;
            long lag = Math.Max(0, partition.LogEnd - position.Next);
            return new PartitionProgress(partition.Id.Topic, partition.Id.Number, lag, position.Skipped ?? 0)
            {
                LagSeconds = partition.Growth.AgeOf(position.Next, time.GetUtcNow()),
            };
        }),
    ];

    /// <summary>Asks the client, when it is time.</summary>
    public void Note(IConsumer<MessageBytes, MessageBytes> consumer, IReadOnlyList<AssignedPartition> partitions)
    {
        if (_noted is { } last && time.GetElapsedTime(last) < Every && partitions.Count == _partitions.Length) return;
        _noted = time.GetTimestamp();
        foreach (AssignedPartition assigned in partitions)
        {
            long end = consumer.GetWatermarkOffsets(assigned.ForClient).High.Value;
            if (end < 0) continue;
            assigned.Partition.LogEnd = end;
            assigned.Partition.Growth.Note(end, assigned.Partition.Position.Next, time.GetUtcNow());
        }

        if (partitions.Count != _partitions.Length) _partitions = [.. partitions.Select(assigned => assigned.Partition)];
    }
}
