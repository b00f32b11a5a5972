using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// Keeps what was read and not yet used within its bound: when it is reached, the partitions that hold more than half of their share are
/// paused, while polling goes on; one whose messages are used up but for an eighth of its share is resumed: a pause throws away what the
/// client has fetched of the partition, so pauses are to be few. A partition that the reader waits for holds
/// none and is never paused, so that others that fill the memory cannot stall it. Used by the polling thread.
/// </summary>
internal sealed class ReadAhead(IConsumer<MessageBytes, MessageBytes> consumer, KafkaInbox inbox, long bound)
{
    private volatile int _paused;

    /// <summary>Partitions not fetched for now. Any thread.</summary>
    public int Paused => _paused;

    private bool IsFull => inbox.Bytes > bound;

    /// <summary>Pauses and resumes.</summary>
    /// <param name="partitions">All.</param>
    /// <param name="cluster">Whose brokers are roused when something is resumed; null: they do not answer.</param>
    public void Balance(IReadOnlyList<AssignedPartition> partitions, KafkaCluster? cluster)
    {
        if (_paused == 0 && !IsFull) return;
        long share = bound / Math.Max(1, partitions.Count);
        if (IsFull) Pause([.. partitions.Where(partition => !partition.IsPaused && inbox.BytesOf(partition.Partition) > share / 2)]);
        List<AssignedPartition> resumed =
            [.. partitions.Where(p => p.IsPaused && p.Next <= p.End && inbox.BytesOf(p.Partition) <= share / 8)];
        if (resumed.Count == 0) return;
        foreach (AssignedPartition partition in resumed) partition.IsPaused = false;
        _paused -= resumed.Count;
        consumer.Resume(resumed.Select(partition => partition.ForClient));
        cluster?.Rouse(resumed.Select(partition => partition.ForClient));
    }

    /// <summary>
    /// Stops fetching partitions until they are resumed by <see cref="Balance"/>; those that a drained run has read stay paused.
    /// </summary>
    public void Pause(IReadOnlyList<AssignedPartition> partitions)
    {
        if (partitions.Count == 0) return;
        foreach (AssignedPartition partition in partitions) partition.IsPaused = true;
        _paused += partitions.Count;
        consumer.Pause(partitions.Select(partition => partition.ForClient));
    }

    /// <summary>Notes that a partition was assigned anew, which ends a pause.</summary>
    public void Reassigned(AssignedPartition partition)
    {
        if (!partition.IsPaused) return;
        partition.IsPaused = false;
        _paused--;
    }
}
