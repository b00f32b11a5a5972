namespace StreamEm.Sources.Kafka;

/// <summary>One partition of a topic as the reader sees it: where it stands, and its place in the rotation. Not thread-safe.</summary>
internal sealed class KafkaPartition(PartitionId id, PartitionPosition position)
{
    private long _logEnd = -1;

    /// <summary>Which one it is.</summary>
    public PartitionId Id { get; } = id;

    /// <summary>Its name in positions.</summary>
    public string Name { get; } = id.Name;

    /// <summary>Where it stands.</summary>
    public PartitionPosition Position { get; set; } = position;

    /// <summary>The offset after its last record, as the client last heard it; -1 before. Any thread.</summary>
    public long LogEnd
    {
        get => Volatile.Read(ref _logEnd);
        set => Volatile.Write(ref _logEnd, value);
    }

    /// <summary>When its log grew. Any thread.</summary>
    public LogGrowth Growth { get; } = new();

    /// <summary>Whether it is left out of the rotation until it has records again.</summary>
    public bool IsIdle => Position.Turn is { IsIdle: true };

    /// <summary>Whether a drained run has read all of it.</summary>
    public bool IsDone => Position.End is { } end && Position.Next >= end;

    /// <summary>Number of its last turn; 0 before its first.</summary>
    public long LastTurn => Position.Turn?.Number ?? 0;
}
