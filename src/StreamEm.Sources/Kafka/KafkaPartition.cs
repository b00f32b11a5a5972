namespace StreamEm.Sources.Kafka;

/// <summary>One partition of a topic as the reader sees it: where it stands, and its place in the rotation. Not thread-safe.</summary>
internal sealed class KafkaPartition
{
    private PartitionPosition _position;
    private long _logEnd = -1;

    public KafkaPartition(string topic, int number, PartitionPosition position)
    {
        (Topic, Number, _position) = (topic, number, position);
        Name = NameOf(topic, number);
    }

    /// <summary>Topic.</summary>
    public string Topic { get; }

    /// <summary>Number of the partition in its topic.</summary>
    public int Number { get; }

    /// <summary>The partition's name in positions: <c>sensors/3</c> (no topic's name contains a slash).</summary>
    public string Name { get; }

    /// <summary>Where it stands.</summary>
    public PartitionPosition Position
    {
        get => _position;
        set => _position = value;
    }

    /// <summary>The offset after its last record, as the client last heard it; -1 before. Any thread.</summary>
    public long LogEnd
    {
        get => Volatile.Read(ref _logEnd);
        set => Volatile.Write(ref _logEnd, value);
    }

    /// <summary>Whether it is left out of the rotation until it has records again.</summary>
    public bool IsIdle => _position.Turn is { IsIdle: true };

    /// <summary>Whether a drained run has read all of it.</summary>
    public bool IsDone => _position.End is { } end && _position.Next >= end;

    /// <summary>Number of its last turn; 0 before its first.</summary>
    public long LastTurn => _position.Turn?.Number ?? 0;

    /// <summary>The name of a partition in positions.</summary>
    public static string NameOf(string topic, int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{topic}/{number}");

    /// <summary>Order of the rotation: topics by name, partitions by number.</summary>
    public static int Compare(KafkaPartition one, KafkaPartition other)
    {
        int byTopic = string.CompareOrdinal(one.Topic, other.Topic);
        return byTopic != 0 ? byTopic : one.Number.CompareTo(other.Number);
    }
}
