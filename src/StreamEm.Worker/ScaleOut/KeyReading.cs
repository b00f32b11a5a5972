using Confluent.Kafka;
using StreamEm.Worker.Kafka;

namespace StreamEm.Worker.ScaleOut;

/// <summary>A copy of a partition of the topic of keys is of no use.</summary>
internal sealed class KeyCopyException(int number, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The partition's number.</summary>
    public int Number => number;
}

/// <summary>Reads partitions of the topic of keys to their ends: what there is of copies from them, the rest from the topic.</summary>
/// <param name="topics">The topics.</param>
/// <param name="histories">Who takes what is read, by the partition's number.</param>
/// <param name="copies">Copies, by the same.</param>
internal sealed class KeyReading(ScaleOutTopics topics, ILookup<int, KeyHistory> histories, IReadOnlyDictionary<int, KeyCopy> copies)
{
    /// <summary>The ends, by number.</summary>
    public IReadOnlyDictionary<int, long> Ends { get; private set; } = new Dictionary<int, long>();

    /// <summary>Records that came from the topic.</summary>
    public long Read { get; private set; }

    /// <summary>Records that came from copies.</summary>
    public long Copied { get; private set; }

    /// <summary>Reads.</summary>
    /// <param name="goesOn">Asked after every record.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>False where it did not go on.</returns>
    /// <exception cref="KeyCopyException">A copy is damaged, or not of this topic.</exception>
    public bool TryRead(Func<bool> goesOn, CancellationToken stop)
    {
        using var topic = new KafkaTopic(topics.Keys, topics.NewOutage(), stop);
        Dictionary<int, long> starts = copies.Count > 0 ? ByNumber(topic.Starts()) : [];
        Ends = ByNumber(topic.Ends().Where(end => histories.Contains(end.Key.Partition.Value)));
        string? identity = copies.Count > 0 ? topic.Identify() : null;
        HashSet<int> unseen = [.. copies.Where(one => one.Value.IsToBeContinued).Select(one => one.Key)];
        using var ended = new CancellationTokenSource();
        try
        {
            foreach ((int number, KeyCopy copy) in copies)
            {
                if (KeyStandby.ReasonAgainst(copy, identity, starts[number], Ends[number]) is { } reason)
                    throw new KeyCopyException(number, reason);
                Replay(number, copy, Look);
            }

            topic.Read(Ends.Select(end => RangeOf(end.Key, end.Value)), record =>
            {
                int number = record.Partition.Value;
                long offset = record.Offset.Value;
                KeyCopy? copy = copies.GetValueOrDefault(number);
                if (unseen.Remove(number) && !copy!.IsContinuedBy(offset, record.LeaderEpoch))
                    throw new KeyCopyException(number, KeyStandby.Cut);
                if (offset < copy?.Next) return;
                foreach (KeyHistory history in histories[number]) history.Take(offset, record.Message.Key, record.Message.Value);
                Read++;
                Look();
            });
            return unseen.Count == 0 ? true : throw new KeyCopyException(unseen.Min(), KeyStandby.Cut);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return false;
        }

        void Look()
        {
            if (goesOn()) return;
            ended.Cancel();
            ended.Token.ThrowIfCancellationRequested();
        }
    }

    private void Replay(int number, KeyCopy copy, Action look)
    {
        try
        {
            Copied += copy.Read((offset, name, value) =>
            {
                foreach (KeyHistory history in histories[number]) history.Take(offset, name, value);
                look();
            });
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException)
        {
            throw new KeyCopyException(number, failure.Message, failure);
        }
    }

    private OffsetRange RangeOf(int number, long end) =>
        new(new TopicPartition(topics.Keys.Topic, number), copies.GetValueOrDefault(number)?.From ?? 0, end);

    private static Dictionary<int, long> ByNumber(IEnumerable<KeyValuePair<TopicPartition, long>> offsets) =>
        offsets.ToDictionary(one => one.Key.Partition.Value, one => one.Value);
}
