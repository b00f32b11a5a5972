using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// What the polling thread does with an open client, round after round: it assigns partitions, polls, pauses, resumes and commits, and
/// never decodes nor waits for anything but the client. What it reads goes to the inbox; when that is full, partitions are paused and
/// polling goes on. An error while it polls is only noted: what has to be done about it, and may have to wait for brokers and poll again,
/// is done between the polls of a round.
/// </summary>
internal sealed class KafkaSession : IDisposable
{
    /// <summary>While partitions are paused: how late one may be resumed.</summary>
    private const int PausedPollMilliseconds = 10;

    private const int PollMilliseconds = 100;
    private const int RetryMilliseconds = 250;
    private const int MessagesPerRound = 1000;
    private const long MaxBytesPerRound = 1 << 20;

    private readonly IConsumer<MessageBytes, MessageBytes> _consumer;
    private readonly KafkaSourceOptions _options;
    private readonly SourceContext _context;
    private readonly KafkaMessageFields _fields;
    private readonly KafkaInbox _inbox;
    private readonly Outage _outage;
    private readonly CancellationToken _stop;
    private readonly KafkaCluster _cluster;
    private readonly Assignment _assignment;
    private readonly ReadAhead _readAhead;
    private readonly LogEnds _ends;
    private readonly long _bytesPerRound;

    /// <summary>Partitions whose next record does not exist, in the order that was found.</summary>
    private readonly Queue<AssignedPartition> _gaps = [];

    private ClusterWatch? _watch;
    private SourcePosition? _durable;
    private SourceException? _fatal;
    private long _rounds;

    public KafkaSession(
        IConsumer<MessageBytes, MessageBytes> consumer, KafkaSourceOptions options, SourceContext context, KafkaMessageFields fields,
        KafkaInbox inbox,
        Outage outage, CancellationToken stop)
    {
        (_consumer, _options, _context, _fields, _inbox, _outage, _stop) = (consumer, options, context, fields, inbox, outage, stop);
        _assignment = new Assignment(options.Topics[0], inbox);
        _readAhead = new ReadAhead(consumer, inbox, options.ReadAheadBytes);
        _ends = new LogEnds(context.Time);
        _bytesPerRound = Math.Min(MaxBytesPerRound, options.ReadAheadBytes / 8);
        _cluster = new KafkaCluster(consumer.Handle, options, context.Time);
    }

    /// <summary>How far reading is behind, for the partitions whose end is known. Any thread.</summary>
    public IReadOnlyList<PartitionProgress> Progress => _ends.Progress;

    /// <summary>Partitions paused because what was read of them waits to be used. Any thread.</summary>
    public int PausedPartitions => _readAhead.Paused;

    /// <summary>How many rounds were made. Any thread.</summary>
    public long Rounds => Interlocked.Read(ref _rounds);

    /// <summary>Notes a position that is to be committed. Any thread.</summary>
    public void Commit(SourcePosition durable) => Volatile.Write(ref _durable, durable);

    /// <summary>Notes an error that the client tells while it is polled.</summary>
    public void OnError(Error error)
    {
        if (error.IsFatal || KafkaClient.IsDenied(error.Code)) _fatal ??= KafkaClient.FailureOf(error, _options);
        else if (error.Code == ErrorCode.Local_AllBrokersDown) _outage.Begin(error.Reason);
        else _watch?.Doubt();
    }

    /// <summary>Assigns the partitions and polls until the stop.</summary>
    /// <exception cref="SourceException">It cannot go on.</exception>
    /// <exception cref="KafkaException">The same.</exception>
    /// <exception cref="OperationCanceledException">Stopped while it waited for the brokers.</exception>
    public void Run()
    {
        Assign(_outage.Retry(
            () => _cluster.Resolve(_cluster.DescribeAsync(needsIds: true).GetAwaiter().GetResult(), _context.Position, _context.Once),
            isPatient: !_context.Once, PollMeanwhile));
        _watch = new ClusterWatch(_cluster, _outage, _options, _context.Time);
        while (!_stop.IsCancellationRequested) Round();
    }

    /// <summary>Ends what polls or asks beside the client.</summary>
    public void Dispose()
    {
        _watch?.Dispose();
        _cluster.Dispose();
    }

    private void Assign(IReadOnlyList<KafkaPartition> partitions)
    {
        _assignment.Add(partitions);
        _consumer.IncrementalAssign(partitions.Select(
            partition => new TopicPartitionOffset(partition.Id.ForClient, partition.Position.Next)));
        _inbox.Join(partitions);
    }

    private void Round()
    {
        Interlocked.Increment(ref _rounds);
        _outage.ThrowIfTooLong();
        StoreDurable();
        if (_watch!.Poll() is { } topics) TakeNewPartitions(topics);
        _readAhead.Balance(_assignment.Partitions, _outage.Problem is null ? _cluster : null);
        _ends.Note(_consumer, _assignment.Partitions);

        // Many messages a round: the checks above are for every 100 ms, not for every message.
        int wait = _readAhead.Paused > 0 ? PausedPollMilliseconds : PollMilliseconds;
        for (int i = 0; i < MessagesPerRound && _gaps.Count == 0 && Poll(wait) && _assignment.ReceivedBytes <= _bytesPerRound; i++)
            wait = 0;
        for (; _gaps.TryPeek(out AssignedPartition? assigned); _gaps.Dequeue()) PassGap(assigned);
        _assignment.Deliver();
    }

    /// <summary>Polls once.</summary>
    /// <returns>Whether there was something.</returns>
    private bool Poll(int milliseconds)
    {
        _stop.ThrowIfCancellationRequested();
        try
        {
            ConsumeResult<MessageBytes, MessageBytes>? result = _consumer.Consume(milliseconds);
            if (_fatal is not null) throw _fatal;
            if (result is null) return false;
            Receive(result);
        }
        catch (ConsumeException failure)
        {
            OnConsumeError(failure);
        }

        return true;
    }

    /// <summary>What is done while brokers are waited for.</summary>
    private void PollMeanwhile() => Poll(RetryMilliseconds);

    private void Receive(ConsumeResult<MessageBytes, MessageBytes> result)
    {
        if (_assignment.Find(result.Topic, result.Partition.Value) is not { } assigned) return;
        long offset = result.Offset.Value;
        if (result.IsPartitionEOF)
        {
            _assignment.Deliver();
            _inbox.PutEnd(assigned.Partition, offset);
            return;
        }

        if (offset < assigned.Next) return;
        assigned.Next = offset + 1;
        Message<MessageBytes, MessageBytes> message = result.Message;
        long timestamp = _fields.NeedsTimestamp && message.Timestamp.Type != TimestampType.NotAvailable
            ? message.Timestamp.UnixTimestampMs
            : RecordBatch.NoTimestamp;
        _assignment.Receive(assigned,
            new KafkaMessage(offset, message.Value, message.Key, _fields.NeedsHeaders ? message.Headers : null, timestamp));
        if (offset >= assigned.End) _readAhead.Pause([assigned]);
    }

    private void OnConsumeError(ConsumeException failure)
    {
        ErrorCode code = failure.Error.Code;
        if (code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange && FindFailed(failure) is { } assigned)
        {
            if (!_gaps.Contains(assigned)) _gaps.Enqueue(assigned);
        }
        else if (failure.Error.IsFatal || KafkaClient.IsDenied(code) || KafkaClient.IsDamage(code))
        {
            throw KafkaClient.FailureOf(failure.Error, _options, failure);
        }
        else if (KafkaClient.IsGone(code))
        {
            _watch?.Doubt();
        }
        else
        {
            _outage.Begin(failure.Error.Reason);
        }
    }

    private AssignedPartition? FindFailed(ConsumeException failure) =>
        _assignment.Find(failure.ConsumerRecord.Topic, failure.ConsumerRecord.Partition.Value);

    /// <summary>Goes on behind records that do not exist any more, where the options allow it.</summary>
    private void PassGap(AssignedPartition assigned)
    {
        long next = _outage.Retry(() => EndOfGap(assigned), isPatient: true, PollMeanwhile);
        _assignment.Receive(assigned, new KafkaMessage(next, default, default, null, RecordBatch.NoTimestamp, IsGap: true));
        assigned.Next = next;
        _readAhead.Reassigned(assigned);
        _consumer.IncrementalUnassign([assigned.ForClient]);
        _consumer.IncrementalAssign([new TopicPartitionOffset(assigned.ForClient, next)]);
    }

    /// <summary>
    /// The end of a gap in the topic that was learned from: in another one of the same name there is none, its offsets mean other records.
    /// </summary>
    private long EndOfGap(AssignedPartition assigned)
    {
        _cluster.RefuseOtherTopics(_cluster.DescribeAsync(needsIds: true).GetAwaiter().GetResult(), _assignment.Start);
        return _cluster.PassGap(assigned.Partition.Id, assigned.Next);
    }

    private void StoreDurable()
    {
        if (Interlocked.Exchange(ref _durable, null) is not { } durable) return;
        try
        {
            foreach (AssignedPartition assigned in _assignment.Partitions)
            {
                if (durable.Partitions.TryGetValue(assigned.Partition.Name, out PartitionPosition? position))
                    _consumer.StoreOffset(new TopicPartitionOffset(assigned.ForClient, position.Next));
            }
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal)
        {
            // Only a report for lag tools: the next checkpoint brings another one.
        }
    }

    private void TakeNewPartitions(IReadOnlyList<SourceTopic> topics)
    {
        SourcePosition known = _assignment.Start;
        _cluster.RefuseOtherTopics(topics, known);
        if (_context.Once || topics.Sum(topic => topic.PartitionCount) == _assignment.Partitions.Count) return;
        IReadOnlyList<KafkaPartition> found = _outage.Retry(() => _cluster.ResolveNew(topics, known), isPatient: true, PollMeanwhile);
        if (found.Count > 0) Assign(found);
    }
}
