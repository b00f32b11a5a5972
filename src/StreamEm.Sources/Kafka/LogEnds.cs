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
                LagSeconds = lag == 0 ? 0 : AgeOf(partition.NewestTaken),
            };
        }),
    ];

    private double AgeOf(long timestamp) => timestamp == RecordBatch.NoTimestamp
        ? double.NaN : Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - timestamp) / 1000.0;

    /// <summary>Asks the client, when it is time.</summary>
    public void Note(IConsumer<MessageBytes, MessageBytes> consumer, IReadOnlyList<AssignedPartition> partitions)
    {
        if (_noted is { } last && time.GetElapsedTime(last) < Every && partitions.Count == _partitions.Length) return;
        _noted = time.GetTimestamp();
        foreach (AssignedPartition assigned in partitions)
        {
            long end = consumer.GetWatermarkOffsets(assigned.ForClient).High.Value;
            if (end >= 0) assigned.Partition.LogEnd = end;
        }

        if (partitions.Count != _partitions.Length) _partitions = [.. partitions.Select(assigned => assigned.Partition)];
    }
}
