namespace StreamEm.Sources.Kafka;

/// <summary>
/// The partitions assigned to the client, and what it handed over of each that is not yet in the inbox: messages are put there many at
/// once. Used by the polling thread.
/// </summary>
/// <param name="firstTopic">The topic of messages that come without its name: the client leaves it out where there is only one.</param>
/// <param name="inbox">Where messages go.</param>
internal sealed class Assignment(string firstTopic, KafkaInbox inbox)
{
    private readonly Dictionary<PartitionId, AssignedPartition> _byId = [];
    private readonly List<AssignedPartition> _partitions = [];
    private readonly List<AssignedPartition> _received = [];
    private AssignedPartition? _latest;

    /// <summary>The partitions, in the order they were added.</summary>
    public IReadOnlyList<AssignedPartition> Partitions => _partitions;

    /// <summary>Bytes received and not yet delivered.</summary>
    public long ReceivedBytes { get; private set; }

    /// <summary>Where the partitions stood when they were assigned, with the identity of their topics.</summary>
    public SourcePosition Start
    {
        get
        {
            var start = new SourcePosition();
            foreach (AssignedPartition assigned in _partitions) start.Set(assigned.Partition.Name, assigned.Start);
            return start;
        }
    }

    /// <summary>Takes in partitions that were assigned to the client.</summary>
    public void Add(IReadOnlyList<KafkaPartition> partitions)
    {
        foreach (KafkaPartition partition in partitions)
        {
            var assigned = new AssignedPartition(partition);
            _byId.Add(partition.Id, assigned);
            _partitions.Add(assigned);
        }
    }

    /// <summary>The partition of a message; mostly that of the one before.</summary>
    public AssignedPartition? Find(string? topic, int number)
    {
        var id = new PartitionId(topic ?? firstTopic, number);
        if (_latest is { } latest && latest.Partition.Id == id) return latest;
        return _latest = _byId.GetValueOrDefault(id);
    }

    /// <summary>Keeps a message until <see cref="Deliver"/>.</summary>
    public void Receive(AssignedPartition assigned, in KafkaMessage message)
    {
        if (assigned.Received.Count == 0) _received.Add(assigned);
        assigned.Received.Add(message);
        ReceivedBytes += message.Bytes;
    }

    /// <summary>Hands what was received to the reader.</summary>
    public void Deliver()
    {
        if (_received.Count == 0) return;
        foreach (AssignedPartition assigned in _received) assigned.Received = inbox.Put(assigned.Partition, assigned.Received);
        _received.Clear();
        ReceivedBytes = 0;
        inbox.Nudge();
    }
}
