namespace StreamEm.Sources.Kafka;

/// <summary>
/// When partitions leave the rotation and come back, for a worker that has some of a source's
/// (<see cref="KafkaSourceOptions.Only"/>): there nothing depends on their order. One that has nothing at hand gives way to those that
/// have. It is taken back when as much is at hand as a minibatch takes, when it has rested for <c>idle_after</c>, or when no other is left.
/// So one with a record now and then holds nobody up, and makes a small minibatch each <c>idle_after</c>, not one of every record.
/// </summary>
/// <param name="order">The rotation.</param>
/// <param name="inbox">What has come.</param>
/// <param name="hasMore">Whether something is left of what was taken of a partition.</param>
/// <param name="idleAfter">How long one that gave way rests at least, with little at hand.</param>
/// <param name="many">As many messages as a minibatch takes.</param>
/// <param name="time">The clock.</param>
internal sealed class SharedTurns(
    TurnOrder order, KafkaInbox inbox, Func<KafkaPartition, bool> hasMore, TimeSpan idleAfter, int many, TimeProvider time)
{
    /// <summary>How long others wait, in one turn, for the messages of a partition that is not known to be at its end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<KafkaPartition, long> _restsSince = [];
    private TimeSpan _waited;
    private long _turn;

    /// <summary>Of a source of which a worker has some partitions; null where it has all, each of which gets its equal share.</summary>
    public static SharedTurns? Of(
        KafkaSourceOptions options, SourceContext context, TurnOrder order, KafkaInbox inbox, Func<KafkaPartition, bool> hasMore) =>
        options.Only is null ? null : new SharedTurns(
            order, inbox, hasMore, options.IdleAfter ?? TimeSpan.FromSeconds(1), context.MinibatchSize, context.Time);

    /// <summary>Notes that a partition, of which nothing is at hand, leaves the rotation.</summary>
    public void Rest(KafkaPartition partition)
    {
        TryReachEnd(partition);
        _restsSince[partition] = time.GetTimestamp();
    }

    /// <summary>
    /// Passes offsets without a record at the end of a partition of which nothing is at hand, as what ends a transaction leaves: whoever
    /// has the partition next need not look for records there.
    /// </summary>
    /// <returns>Whether there were any.</returns>
    public bool TryReachEnd(KafkaPartition partition)
    {
        if (inbox.EndOf(partition) is not { } end || end.Offset <= partition.Position.Next) return false;
        partition.Position = partition.Position with { Next = end.Offset };
        return true;
    }

    /// <summary>Whether a partition that rests is to be taken back.</summary>
    public bool IsDue(KafkaPartition partition) => inbox.HasMessages(partition, LeastOf(partition, IsAnyInRotation(), out _));

    /// <summary>Whether a partition that has nothing at hand ends its turn for another that has.</summary>
    /// <param name="current">Whose turn it is.</param>
    /// <param name="isAtEnd">Whether it is known to have no more.</param>
    public bool GivesWay(KafkaPartition current, bool isAtEnd)
    {
        if (current.LastTurn != _turn) (_turn, _waited) = (current.LastTurn, TimeSpan.Zero);
        return (isAtEnd || _waited >= Patience) && HasAnother(current);
    }

    /// <summary>Waits until there may be something to do.</summary>
    /// <param name="current">Whose turn it is, and that has nothing at hand; null: nobody's.</param>
    /// <param name="seen">Changes of the inbox that were seen.</param>
    /// <param name="idleIn">When it is idle.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask WaitAsync(KafkaPartition? current, long seen, TimeSpan? idleIn, CancellationToken cancellationToken)
    {
        TimeSpan? atMost = idleIn;
        bool isHeld = current is not null && HasAnother(current);
        if (isHeld)
        {
            atMost = Sooner(atMost, _waited < Patience ? Patience - _waited : TimeSpan.Zero);
        }
        else
        {
            bool isAny = IsAnyInRotation();
            foreach (KafkaPartition partition in order.Partitions)
            {
                inbox.Expect(partition, LeastOf(partition, isAny, out TimeSpan? rest));
                atMost = Sooner(atMost, rest);
            }
        }

        long began = time.GetTimestamp();
        await inbox.WaitAsync(isHeld ? current : null, seen, atMost, cancellationToken).ConfigureAwait(false);
        _waited += time.GetElapsedTime(began);
    }

    private static TimeSpan? Sooner(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;

    private bool HasAnother(KafkaPartition current)
    {
        foreach (KafkaPartition other in order.Partitions)
        {
            if (other != current && (hasMore(other) || inbox.HasMessages(other, LeastOf(other, isAny: true, out _)))) return true;
        }

        return false;
    }

    private bool IsAnyInRotation()
    {
        foreach (KafkaPartition partition in order.Partitions)
            if (!partition.IsIdle) return true;
        return false;
    }

    /// <summary>Messages of a partition that are worth its turn.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="isAny">Whether any is in the rotation.</param>
    /// <param name="rest">How long until one is enough; null when it is.</param>
    private int LeastOf(KafkaPartition partition, bool isAny, out TimeSpan? rest)
    {
        rest = null;
        if (!isAny || !partition.IsIdle || !_restsSince.TryGetValue(partition, out long since)) return 1;
        TimeSpan left = idleAfter - time.GetElapsedTime(since);
        if (left <= TimeSpan.Zero) return 1;
        rest = left;
        return many;
    }
}
