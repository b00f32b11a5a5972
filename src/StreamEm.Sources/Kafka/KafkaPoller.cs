using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// The one thread that owns the client: it opens, polls, pauses, commits and closes, and never decodes nor waits for anything but the client. What
/// it reads goes to the inbox; when that is full, partitions are paused and polling goes on.
/// </summary>
internal sealed class KafkaPoller : IAsyncDisposable
{
    /// <summary>While partitions are paused: how late one may be resumed.</summary>
    private const int PausedPollMilliseconds = 10;

    private const int PollMilliseconds = 100;
    private const int RetryMilliseconds = 250;
    private const int MessagesPerTurn = 1000;
    private const long MaxBytesPerTurn = 1 << 20;
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1.5);

    private readonly KafkaSourceOptions _options;
    private readonly SourceContext _context;
    private readonly KafkaMessageFields _fields;
    private readonly KafkaInbox _inbox;
    private readonly Outage _outage;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<(string, int), AssignedPartition> _assigned = [];
    private readonly List<AssignedPartition> _partitions = [];
    private readonly List<AssignedPartition> _received = [];
    private readonly LogEnds _ends;
    private readonly long _bytesPerTurn;
    private ReadAhead? _readAhead;
    private ClusterWatch? _watch;
    private AssignedPartition? _latest;
    private SourcePosition? _durable;
    private SourceException? _fatal;
    private long _receivedBytes, _turns;
    private bool _hasStarted;

    public KafkaPoller(KafkaSourceOptions options, SourceContext context, KafkaMessageFields fields, KafkaInbox inbox)
    {
        (_options, _context, _fields, _inbox) = (options, context, fields, inbox);
        _outage = new Outage(options.Brokers, options.UnavailableAfter, "source.kafka", context.Time) { ReachableChanged = inbox.SetReachable };
        _ends = new LogEnds(context.Time);
        _bytesPerTurn = Math.Min(MaxBytesPerTurn, options.ReadAheadBytes / 8);
        Config = KafkaClient.ConsumerConfig(options, fields);
    }

    /// <summary>Why nothing comes from the brokers; null when all is well.</summary>
    public string? Problem => _outage.Problem;

    /// <summary>How far reading is behind, for the partitions whose end is known.</summary>
    public IReadOnlyList<PartitionProgress> Progress => _ends.Progress;

    /// <summary>Partitions paused because what was read of them waits to be used.</summary>
    public int PausedPartitions => _readAhead?.Paused ?? 0;

    /// <summary>How often the client was polled, or a round of polls made: grows as long as the thread is alive.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    private ConsumerConfig Config { get; }

    /// <summary>Starts the thread, once.</summary>
    public void Start()
    {
        if (_hasStarted) return;
        _hasStarted = true;
        new Thread(Run) { Name = "kafka " + string.Join(',', _options.Topics), IsBackground = true }.Start();
    }

    /// <summary>Stops polling and closes the client, which can wait for a broker that never answers: not longer than a deadline, then its thread is
    /// left to itself.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (!_hasStarted || await Task.WhenAny(_ended.Task, Task.Delay(CloseDeadline, _context.Time)).ConfigureAwait(false) == _ended.Task) _stop.Dispose();
    }

    /// <summary>Commits a position for lag tools at the next opportunity, as good as it goes.</summary>
    public void Commit(SourcePosition durable)
    {
        if (_options.GroupId is not null) Volatile.Write(ref _durable, durable);
    }

    private void Run()
    {
        try
        {
            using IConsumer<MessageBytes, MessageBytes> consumer = Build();
            _readAhead = new ReadAhead(consumer, _inbox, _options.ReadAheadBytes);
            try
            {
                // Gone before the consumer is closed: it polls a queue of the consumer's.
                using var cluster = new KafkaCluster(consumer.Handle, _options, _context.Time);
                Open(consumer, cluster);
                using ClusterWatch watch = _watch = new ClusterWatch(cluster, _outage, _options, _context.Time);
                while (!_stop.IsCancellationRequested) Poll(consumer, cluster);
            }
            finally
            {
                consumer.Close();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped while it waited for the brokers.
        }
        catch (SourceException failure)
        {
            _inbox.Fail(failure);
        }
        catch (KafkaException failure)
        {
            _inbox.Fail(KafkaClient.FailureOf(failure.Error, _options, failure));
        }
        catch (Exception failure) when (KafkaClient.IsUnusable(failure))
        {
            _inbox.Fail(KafkaClient.UnusableClient(failure));
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private IConsumer<MessageBytes, MessageBytes> Build() => new ConsumerBuilder<MessageBytes, MessageBytes>(Config)
        .SetKeyDeserializer(_fields.NeedsKey ? new MessageBlocks() : new NoMessageBytes())
        .SetValueDeserializer(new MessageBlocks())
        .SetLogHandler((_, _) => { })
        .SetErrorHandler((_, error) => OnError(error))
        .Build();

    private void OnError(Error error)
    {
        if (error.IsFatal || KafkaClient.IsDenied(error.Code)) _fatal ??= KafkaClient.FailureOf(error, _options);
        else if (error.Code == ErrorCode.Local_AllBrokersDown) _outage.Begin(error.Reason);
        else _watch?.Doubt();
    }

    private void Open(IConsumer<MessageBytes, MessageBytes> consumer, KafkaCluster cluster)
    {
        IReadOnlyList<KafkaPartition> partitions = _outage.Retry(
            () => cluster.Resolve(cluster.DescribeAsync().GetAwaiter().GetResult(), _context.Position, _context.Once), isPatient: !_context.Once, () => Step(consumer, cluster, RetryMilliseconds));
        Assign(consumer, partitions);
    }

    private void Assign(IConsumer<MessageBytes, MessageBytes> consumer, IReadOnlyList<KafkaPartition> partitions)
    {
        foreach (KafkaPartition partition in partitions)
        {
            var assigned = new AssignedPartition(partition);
            _assigned.Add((partition.Topic, partition.Number), assigned);
            _partitions.Add(assigned);
        }

        consumer.IncrementalAssign(partitions.Select(p => new TopicPartitionOffset(p.Topic, p.Number, p.Position.Next)));
        _inbox.Join(partitions);
    }

    private void Poll(IConsumer<MessageBytes, MessageBytes> consumer, KafkaCluster cluster)
    {
        Interlocked.Increment(ref _turns);
        _outage.ThrowIfTooLong();
        StoreDurable(consumer);
        if (_watch!.Poll() is { } topics) TakeNewPartitions(consumer, cluster, topics);
        _readAhead!.Balance(_partitions, cluster);
        _ends.Note(consumer, _partitions);

        // Many messages a turn: the checks above are for every 100 ms, not for every message.
        int wait = _readAhead.Paused > 0 ? PausedPollMilliseconds : PollMilliseconds;
        for (int i = 0; i < MessagesPerTurn && Step(consumer, cluster, wait) && _receivedBytes <= _bytesPerTurn; i++) wait = 0;
        Deliver();
    }

    /// <summary>Polls once.</summary>
    /// <returns>Whether there was something.</returns>
    private bool Step(IConsumer<MessageBytes, MessageBytes> consumer, KafkaCluster cluster, int milliseconds)
    {
        _stop.Token.ThrowIfCancellationRequested();
        try
        {
            ConsumeResult<MessageBytes, MessageBytes>? result = consumer.Consume(milliseconds);
            if (_fatal is not null) throw _fatal;
            if (result is null) return false;
            Receive(result);
        }
        catch (ConsumeException failure)
        {
            OnConsumeError(consumer, cluster, failure);
        }

        return true;
    }

    private void Receive(ConsumeResult<MessageBytes, MessageBytes> result)
    {
        if (Find(result.Topic, result.Partition.Value) is not { } assigned) return;
        long offset = result.Offset.Value;
        if (result.IsPartitionEOF)
        {
            Deliver();
            _inbox.PutEnd(assigned.Partition, offset);
            return;
        }

        if (offset < assigned.Next) return;
        assigned.Next = offset + 1;
        Message<MessageBytes, MessageBytes> message = result.Message;
        long timestamp = _fields.NeedsTimestamp && message.Timestamp.Type != TimestampType.NotAvailable ? message.Timestamp.UnixTimestampMs : RecordBatch.NoTimestamp;
        Receive(assigned, new KafkaRecord(offset, message.Value, message.Key, _fields.NeedsHeaders ? message.Headers : null, timestamp));
        if (offset >= assigned.End) _readAhead!.Pause([assigned]);
    }

    private void Receive(AssignedPartition assigned, in KafkaRecord record)
    {
        if (assigned.Received.Count == 0) _received.Add(assigned);
        assigned.Received.Add(record);
        _receivedBytes += record.Bytes;
    }

    /// <summary>The partition of a message; mostly that of the one before. The client leaves the topic's name out where there is only one.</summary>
    private AssignedPartition? Find(string? topic, int number)
    {
        topic ??= _options.Topics[0];
        if (_latest is { } latest && latest.Partition.Number == number && latest.Partition.Topic == topic) return latest;
        return _latest = _assigned.GetValueOrDefault((topic, number));
    }

    /// <summary>Hands what was received to the reader.</summary>
    private void Deliver()
    {
        if (_received.Count == 0) return;
        foreach (AssignedPartition assigned in _received) assigned.Received = _inbox.Put(assigned.Partition, assigned.Received);
        _received.Clear();
        _receivedBytes = 0;
        _inbox.Nudge();
    }

    private void OnConsumeError(IConsumer<MessageBytes, MessageBytes> consumer, KafkaCluster cluster, ConsumeException failure)
    {
        ErrorCode code = failure.Error.Code;
        if (code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange && Find(failure.ConsumerRecord.Topic, failure.ConsumerRecord.Partition.Value) is { } assigned)
        {
            long next = _outage.Retry(() => PassGap(cluster, assigned), isPatient: true, () => Step(consumer, cluster, RetryMilliseconds));
            Receive(assigned, new KafkaRecord(next, default, default, null, RecordBatch.NoTimestamp, IsGap: true));
            assigned.Next = next;
            _readAhead!.Reassigned(assigned);
            consumer.IncrementalUnassign([assigned.TopicPartition]);
            consumer.IncrementalAssign([new TopicPartitionOffset(assigned.TopicPartition, next)]);
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

    /// <summary>Passes a gap of the topic that was learned from: in another one of the same name there is none, its offsets mean other records.</summary>
    private long PassGap(KafkaCluster cluster, AssignedPartition assigned)
    {
        cluster.RefuseOtherTopics(cluster.DescribeAsync().GetAwaiter().GetResult(), Known());
        return cluster.PassGap(assigned.Partition.Name, assigned.TopicPartition, assigned.Next);
    }

    /// <summary>Where the partitions stood when they were assigned, with the identity of their topics.</summary>
    private SourcePosition Known()
    {
        var known = new SourcePosition();
        foreach (AssignedPartition assigned in _partitions) known.Set(assigned.Partition.Name, assigned.Start);
        return known;
    }

    private void StoreDurable(IConsumer<MessageBytes, MessageBytes> consumer)
    {
        if (Interlocked.Exchange(ref _durable, null) is not { } durable) return;
        try
        {
            foreach (AssignedPartition assigned in _partitions)
            {
                if (durable.Partitions.TryGetValue(assigned.Partition.Name, out PartitionPosition? position))
                    consumer.StoreOffset(new TopicPartitionOffset(assigned.TopicPartition, position.Next));
            }
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal)
        {
            // Only a report for lag tools: the next checkpoint brings another one.
        }
    }

    private void TakeNewPartitions(IConsumer<MessageBytes, MessageBytes> consumer, KafkaCluster cluster, IReadOnlyList<TopicPartitions> topics)
    {
        SourcePosition known = Known();
        cluster.RefuseOtherTopics(topics, known);
        if (_context.Once || topics.Sum(topic => topic.Count) == _partitions.Count) return;
        IReadOnlyList<KafkaPartition> found = _outage.Retry(() => cluster.ResolveNew(topics, known), isPatient: true, () => Step(consumer, cluster, RetryMilliseconds));
        if (found.Count > 0) Assign(consumer, found);
    }
}
