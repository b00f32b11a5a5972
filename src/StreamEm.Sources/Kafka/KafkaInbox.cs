using System.Runtime.InteropServices;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// What the polling thread has read and the reader has not: a queue per partition, and what is known about its end. One thread puts, one
/// takes.
/// </summary>
internal sealed class KafkaInbox(TimeProvider time)
{
    /// <summary>Bytes of messages of a partition that are worth a turn, however few they are.</summary>
    private const long ManyBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly Queue<KafkaPartition> _joined = new();
    private readonly Dictionary<KafkaPartition, PartitionQueue> _queues = [];
    private TaskCompletionSource? _waiting;
    private KafkaPartition? _wanted;
    private SourceException? _failure;
    private bool _isReachable = true;
    private long _bytes, _changes;

    /// <summary>Bytes that were put and not yet taken and used.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Takes in new partitions, all at once.</summary>
    public void Join(IReadOnlyList<KafkaPartition> partitions)
    {
        lock (_lock)
        {
            foreach (KafkaPartition partition in partitions)
            {
                _queues.Add(partition, new PartitionQueue());
                _joined.Enqueue(partition);
            }

            Signal();
        }
    }

    /// <summary>Puts messages of a partition; the reader learns of them by <see cref="Nudge"/>.</summary>
    /// <returns>An empty list to receive the next ones in.</returns>
    public List<KafkaMessage> Put(KafkaPartition partition, List<KafkaMessage> messages)
    {
        long bytes = 0;
        foreach (ref readonly KafkaMessage message in CollectionsMarshal.AsSpan(messages)) bytes += message.Bytes;
        lock (_lock)
        {
            PartitionQueue queue = _queues[partition];
            if (queue.Incoming.Count == 0)
            {
                (queue.Incoming, messages) = (messages, queue.Incoming);
            }
            else
            {
                queue.Incoming.AddRange(messages);
                messages.Clear();
            }

            queue.Bytes += bytes;
            queue.EndOffset = null;
            Interlocked.Add(ref _bytes, bytes);
            return messages;
        }
    }

    /// <summary>Wakes the reader if it waits for messages that are here: once after many, not for every one.</summary>
    public void Nudge()
    {
        lock (_lock)
        {
            if (_waiting is not null && HasSome(_wanted)) Wake();
        }
    }

    /// <summary>Notes that the broker reported the end of a partition.</summary>
    public void PutEnd(KafkaPartition partition, long offset)
    {
        lock (_lock)
        {
            PartitionQueue queue = _queues[partition];
            queue.EndOffset = offset;
            queue.EndSince = time.GetTimestamp();
            Signal();
        }
    }

    /// <summary>Notes whether the brokers answer. While they do not, no partition is idle: a reported end may be out of date.</summary>
    public void SetReachable(bool isReachable)
    {
        lock (_lock)
        {
            if (_isReachable == isReachable) return;
            _isReachable = isReachable;
            long now = time.GetTimestamp();
            foreach (PartitionQueue queue in _queues.Values) queue.EndSince = now;
            Signal();
        }
    }

    /// <summary>Ends the reader with a failure.</summary>
    public void Fail(SourceException failure)
    {
        lock (_lock)
        {
            _failure ??= failure;
            Signal();
        }
    }

    /// <summary>Bytes of a partition that were not yet taken.</summary>
    public long BytesOf(KafkaPartition partition)
    {
        lock (_lock) return _queues[partition].Bytes;
    }

    /// <summary>The next new partition, if any.</summary>
    public bool TryTakeJoined(out KafkaPartition? partition)
    {
        lock (_lock) return _joined.TryDequeue(out partition);
    }

    /// <summary>Whether a partition has messages to be taken.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="least">So many, or many bytes.</param>
    public bool HasMessages(KafkaPartition partition, int least = 1)
    {
        lock (_lock) return _queues[partition].Has(least);
    }

    /// <summary>
    /// Who waits for any partition is woken by so many messages of this one, or many bytes; by the first unless this was said.
    /// </summary>
    public void Expect(KafkaPartition partition, int least)
    {
        lock (_lock) _queues[partition].Expected = least;
    }

    /// <summary>Takes all messages of a partition in exchange for an empty list.</summary>
    /// <returns>The messages, in their order; empty when there are none.</returns>
    public List<KafkaMessage> Take(KafkaPartition partition, List<KafkaMessage> empty)
    {
        lock (_lock)
        {
            PartitionQueue queue = _queues[partition];
            (List<KafkaMessage> taken, queue.Incoming) = (queue.Incoming, empty);
            queue.Bytes = 0;
            return taken;
        }
    }

    /// <summary>Notes that messages taken were used.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _bytes, -bytes);

    /// <summary>
    /// What the broker last reported as the end of a partition, and for how long that has stood while the brokers answered.
    /// </summary>
    public (long Offset, TimeSpan Since)? EndOf(KafkaPartition partition)
    {
        lock (_lock)
        {
            PartitionQueue queue = _queues[partition];
            if (queue.Incoming.Count > 0 || queue.EndOffset is not { } offset) return null;
            return (offset, _isReachable ? time.GetElapsedTime(queue.EndSince) : TimeSpan.Zero);
        }
    }

    /// <summary>Number of changes so far that are not messages: partitions joined, ends reported, brokers lost and found.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>
    /// Waits until a partition (null: any) has messages or something changes, as counted from <paramref name="seen"/>; not longer than
    /// <paramref name="atMost"/>.
    /// </summary>
    /// <exception cref="SourceException">The source failed.</exception>
    public async ValueTask WaitAsync(KafkaPartition? wanted, long seen, TimeSpan? atMost, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_lock)
        {
            if (_failure is not null) throw _failure;
            if (_changes != seen || HasSome(wanted)) return;
            _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _wanted = wanted;
            changed = _waiting.Task;
        }

        using var awake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, Task.Delay(atMost ?? Timeout.InfiniteTimeSpan, time, awake.Token)).ConfigureAwait(false);
        await awake.CancelAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _waiting = null;
            _wanted = null;
            if (_failure is not null) throw _failure;
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private bool HasSome(KafkaPartition? wanted)
    {
        if (wanted is not null) return _queues[wanted].Incoming.Count > 0;
        foreach (PartitionQueue queue in _queues.Values)
            if (queue.Has(queue.Expected)) return true;
        return false;
    }

    private void Signal()
    {
        Interlocked.Increment(ref _changes);
        Wake();
    }

    private void Wake()
    {
        _waiting?.TrySetResult();
        _waiting = null;
    }

    private sealed class PartitionQueue
    {
        public List<KafkaMessage> Incoming { get; set; } = [];

        public long Bytes { get; set; }

        public long? EndOffset { get; set; }

        public long EndSince { get; set; }

        public int Expected { get; set; } = 1;

        public bool Has(int least) => Incoming.Count >= least || (Incoming.Count > 0 && Bytes >= ManyBytes);
    }
}
