using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>A partition as the polling thread sees it: assigned to the client, and how far it was received.</summary>
internal sealed class AssignedPartition(KafkaPartition partition)
{
    /// <summary>The partition as the reader sees it; here only its name matters.</summary>
    public KafkaPartition Partition { get; } = partition;

    /// <summary>What the client calls it.</summary>
    public TopicPartition ForClient { get; } = partition.Id.ForClient;

    /// <summary>Where it stood when it was assigned.</summary>
    public PartitionPosition Start { get; } = partition.Position;

    /// <summary>Where a drained run ends.</summary>
    public long End { get; } = partition.Position.End ?? long.MaxValue;

    /// <summary>The lowest offset not yet received.</summary>
    public long Next { get; set; } = partition.Position.Next;

    /// <summary>Whether the client was told not to fetch it for now.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Received and not yet in the inbox.</summary>
    public List<KafkaMessage> Received { get; set; } = [];
}
