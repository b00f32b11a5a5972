using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>A partition as the polling thread sees it.</summary>
internal sealed class AssignedPartition(KafkaPartition partition)
{
    /// <summary>The partition as the reader sees it; here only its name matters.</summary>
    public KafkaPartition Partition { get; } = partition;

    /// <summary>Its name for the client.</summary>
    public TopicPartition TopicPartition { get; } = new(partition.Topic, partition.Number);

    /// <summary>Where it stood when it was assigned.</summary>
    public PartitionPosition Start { get; } = partition.Position;

    /// <summary>Where a drained run ends.</summary>
    public long End { get; } = partition.Position.End ?? long.MaxValue;

    /// <summary>The lowest offset not yet received.</summary>
    public long Next { get; set; } = partition.Position.Next;

    /// <summary>Whether the client was told not to fetch it for now.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Received in this turn and not yet in the inbox.</summary>
    public List<KafkaRecord> Received { get; set; } = [];
}
