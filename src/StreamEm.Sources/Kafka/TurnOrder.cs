namespace StreamEm.Sources.Kafka;

/// <summary>
/// Whose turn it is: partitions in a fixed order, one after another, each for an equal share of the minibatch: minibatch / partitions in
/// the rotation, at least 1. Any minibatch of consecutive records then holds an equal share of each, up to the remainder of the division,
/// which falls on another partition every time. A partition that is idle or done is passed over. Everything that decides the order is in
/// the partitions' positions, so that a rotation made from stored positions goes on as the one that stored them.
/// </summary>
/// <param name="minibatchSize">Records of a minibatch.</param>
/// <param name="isShared">Whether a turn is a whole minibatch: where minibatches are of one partition (<see cref="SharedTurns"/>).</param>
internal sealed class TurnOrder(int minibatchSize, bool isShared = false)
{
    private readonly List<KafkaPartition> _partitions = [];
    private KafkaPartition? _last;

    /// <summary>The partitions in their order.</summary>
    public IReadOnlyList<KafkaPartition> Partitions => _partitions;

    /// <summary>The partition whose turn it is; null when every partition is idle or done, or there is none.</summary>
    public KafkaPartition? Current { get; private set; }

    /// <summary>Records it may still yield.</summary>
    public int Left => Current?.Position.Turn?.Left ?? 0;

    /// <summary>Takes in a partition; the one with the highest turn is at its turn.</summary>
    public void Add(KafkaPartition partition)
    {
        int place =
            _partitions.BinarySearch(partition, Comparer<KafkaPartition>.Create((one, other) => PartitionId.Compare(one.Id, other.Id)));
        if (place >= 0) throw new ArgumentException($"Partition {partition.Name} is already in the rotation.", nameof(partition));
        _partitions.Insert(~place, partition);
        if (partition.LastTurn == 0 || partition.LastTurn < (_last?.LastTurn ?? 0)) return;
        _last = partition;
        Current = partition.Position.Turn is { Left: > 0, IsIdle: false } && !partition.IsDone ? partition : null;
    }

    /// <summary>Passes the turn on when the current one is used up.</summary>
    /// <returns>Whether it is some partition's turn.</returns>
    public bool MoveNext()
    {
        if (Current is { IsIdle: false, IsDone: false } && Left > 0) return true;
        int active = 0;
        KafkaPartition? first = null, next = null;
        foreach (KafkaPartition partition in _partitions)
        {
            if (partition.IsIdle || partition.IsDone) continue;
            active++;
            first ??= partition;
            if (next is null && _last is not null && PartitionId.Compare(partition.Id, _last.Id) > 0) next = partition;
        }

        Current = next ?? first;
        if (Current is null) return false;
        long number = (_last?.LastTurn ?? 0) + 1;
        _last = Current;
        int share = isShared ? minibatchSize : Math.Max(1, minibatchSize / active);
        Current.Position = Current.Position with { Turn = new PartitionTurn(number, share, IsIdle: false) };
        return true;
    }

    /// <summary>Ends the turn of a partition that has nothing, and leaves it out until <see cref="Wake"/>.</summary>
    public static void Rest(KafkaPartition partition) =>
        partition.Position = partition.Position with { Turn = new PartitionTurn(partition.LastTurn, 0, IsIdle: true) };

    /// <summary>Takes a partition back into the rotation.</summary>
    public static void Wake(KafkaPartition partition) =>
        partition.Position = partition.Position with { Turn = new PartitionTurn(partition.LastTurn, 0, IsIdle: false) };
}
