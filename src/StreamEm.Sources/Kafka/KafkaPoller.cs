using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// The one thread that owns the client: it opens, polls, pauses, commits and closes, and never decodes. What it reads goes to the inbox. When
/// the inbox is full and the reader is busy it lets the client's own bounded queue fill; when the reader waits for one partition while others
/// fill the memory, those are paused and polling goes on.
/// </summary>
internal sealed class KafkaPoller : IAsyncDisposable
{
    private const int PollMilliseconds = 100;
    private const int RetryMilliseconds = 250;
    private const int MessagesPerTurn = 1000;
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(5);

    private readonly KafkaSourceOptions _options;
    private readonly KafkaMessageFields _fields;
    private readonly SourcePosition _position;
    private readonly KafkaInbox _inbox;
    private readonly Outage _outage;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<TopicPartition, AssignedPartition> _assigned = [];
    private readonly HashSet<AssignedPartition> _paused = [];
    private readonly TimeProvider _time;
    private SourcePosition? _durable;
    private SourceException? _fatal;
    private long _discovered;
    private Task<IReadOnlyList<TopicPartitions>>? _discovery;

    public KafkaPoller(KafkaSourceOptions options, KafkaMessageFields fields, SourcePosition position, KafkaInbox inbox, TimeProvider time)
    {
        (_options, _fields, _position, _inbox, _time) = (options, fields, position, inbox, time);
        _outage = new Outage(options.Brokers, options.UnavailableAfter, "source.kafka", time) { ReachableChanged = inbox.SetReachable };
        Config = KafkaClient.ConsumerConfig(options, fields);
    }

    /// <summary>Why nothing comes from the brokers; null when all is well.</summary>
    public string? Problem => _outage.Problem;

    private ConsumerConfig Config { get; }

    private bool IsStopping => _stop.IsCancellationRequested;

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Run) { Name = "kafka " + string.Join(',', _options.Topics), IsBackground = true }.Start();

    /// <summary>Stops polling and closes the client, which can wait for a broker that never answers: not longer than a deadline, then its thread is
    /// left to itself.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (await Task.WhenAny(_ended.Task, Task.Delay(CloseDeadline, _time)).ConfigureAwait(false) != _ended.Task) return;
        _stop.Dispose();
        _inbox.Dispose();
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
            using IConsumer<byte[]?, byte[]?> consumer = Build();
            var cluster = new KafkaCluster(consumer.Handle, _options);
            try
            {
                Open(consumer, cluster);
                while (!IsStopping) Poll(consumer, cluster);
            }
            finally
            {
                consumer.Close();
            }
        }
        catch (OperationCanceledException) when (IsStopping)
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

    private IConsumer<byte[]?, byte[]?> Build() => new ConsumerBuilder<byte[]?, byte[]?>(Config)
        .SetKeyDeserializer(_fields.UsesKey ? Deserializers.ByteArray! : KafkaClient.NoBytes)
        .SetValueDeserializer(Deserializers.ByteArray!)
        .SetLogHandler((_, _) => { })
        .SetErrorHandler((_, error) => OnError(error))
        .Build();

    private void OnError(Error error)
    {
        if (error.IsFatal || KafkaClient.IsDenied(error.Code)) _fatal ??= KafkaClient.FailureOf(error, _options);
        else if (error.Code == ErrorCode.Local_AllBrokersDown) _outage.Begin(error.Reason);
    }

    private void Open(IConsumer<byte[]?, byte[]?> consumer, KafkaCluster cluster)
    {
        IReadOnlyList<KafkaPartition> partitions = _outage.Retry(
            () => cluster.Resolve(cluster.DescribeAsync().GetAwaiter().GetResult(), _position, _options.Once), isPatient: !_options.Once, () => Step(consumer, cluster, RetryMilliseconds));
        Assign(consumer, partitions);
        _discovered = _time.GetTimestamp();
    }

    private void Assign(IConsumer<byte[]?, byte[]?> consumer, IReadOnlyList<KafkaPartition> partitions)
    {
        foreach (KafkaPartition partition in partitions) _assigned.Add(new TopicPartition(partition.Topic, partition.Number), new AssignedPartition(partition));
        _inbox.Join(partitions);
        consumer.IncrementalAssign(partitions.Select(p => new TopicPartitionOffset(p.Topic, p.Number, p.Position.Next)));
    }

    private void Poll(IConsumer<byte[]?, byte[]?> consumer, KafkaCluster cluster)
    {
        _outage.ThrowIfTooLong();
        StoreDurable(consumer);
        Discover(consumer, cluster);
        if (Throttle(consumer)) return;

        // Many messages a turn: the checks above are for every 100 ms, not for every message.
        int wait = PollMilliseconds;
        for (int i = 0; i < MessagesPerTurn && Step(consumer, cluster, wait) && _inbox.Bytes <= _options.ReadAheadBytes; i++) wait = 0;
        _inbox.Nudge();
    }

    /// <summary>Polls once.</summary>
    /// <returns>Whether there was something.</returns>
    private bool Step(IConsumer<byte[]?, byte[]?> consumer, KafkaCluster cluster, int milliseconds)
    {
        _stop.Token.ThrowIfCancellationRequested();
        try
        {
            ConsumeResult<byte[]?, byte[]?>? result = consumer.Consume(milliseconds);
            if (_fatal is not null) throw _fatal;
            if (result is null) return false;
            Receive(consumer, result);
        }
        catch (ConsumeException failure)
        {
            OnConsumeError(consumer, cluster, failure);
        }

        return true;
    }

    private void Receive(IConsumer<byte[]?, byte[]?> consumer, ConsumeResult<byte[]?, byte[]?> result)
    {
        if (!_assigned.TryGetValue(result.TopicPartition, out AssignedPartition? assigned)) return;
        _outage.End();
        if (result.IsPartitionEOF)
        {
            _inbox.PutEnd(assigned.Partition, result.Offset);
            return;
        }

        if (result.Offset < assigned.Next) return;
        assigned.Next = result.Offset + 1;
        Message<byte[]?, byte[]?> message = result.Message;
        long timestamp = _fields.UsesTimestamp && message.Timestamp.Type != TimestampType.NotAvailable ? message.Timestamp.UnixTimestampMs : RecordBatch.NoTimestamp;
        _inbox.Put(assigned.Partition, new KafkaRecord(result.Offset, message.Value, message.Key, _fields.WeightHeader is null ? null : message.Headers, timestamp));
        if (result.Offset >= assigned.End) Pause(consumer, assigned);
    }

    /// <summary>Keeps the read-ahead within its bound.</summary>
    /// <returns>Whether to look again before polling.</returns>
    private bool Throttle(IConsumer<byte[]?, byte[]?> consumer)
    {
        long share = _options.ReadAheadBytes / Math.Max(1, _assigned.Count);
        bool isFull = _inbox.Bytes > _options.ReadAheadBytes;
        if (isFull && _inbox.Wanted is null)
        {
            _inbox.WaitUntilTaken(TimeSpan.FromMilliseconds(PollMilliseconds));
            return true;
        }

        if (isFull)
        {
            foreach (AssignedPartition assigned in _assigned.Values)
                if (assigned.Partition != _inbox.Wanted && _inbox.BytesOf(assigned.Partition) > share / 2) Pause(consumer, assigned);
        }

        if (_paused.Count == 0) return false;
        List<AssignedPartition> resumed = [.. _paused.Where(p => p.Next <= p.End && _inbox.BytesOf(p.Partition) <= share / 4)];
        if (resumed.Count == 0) return false;
        _paused.ExceptWith(resumed);
        consumer.Resume(resumed.Select(p => p.TopicPartition));
        return false;
    }

    private void Pause(IConsumer<byte[]?, byte[]?> consumer, AssignedPartition assigned)
    {
        if (_paused.Add(assigned)) consumer.Pause([assigned.TopicPartition]);
    }

    private void OnConsumeError(IConsumer<byte[]?, byte[]?> consumer, KafkaCluster cluster, ConsumeException failure)
    {
        ErrorCode code = failure.Error.Code;
        if (code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange && _assigned.TryGetValue(failure.ConsumerRecord.TopicPartition, out AssignedPartition? assigned))
        {
            long next = _outage.Retry(() => cluster.PassGap(assigned.Partition.Name, assigned.TopicPartition, assigned.Next), isPatient: true, () => Step(consumer, cluster, RetryMilliseconds));
            _inbox.Put(assigned.Partition, new KafkaRecord(next, null, null, null, RecordBatch.NoTimestamp, IsGap: true));
            assigned.Next = next;
            _paused.Remove(assigned);
            consumer.IncrementalUnassign([assigned.TopicPartition]);
            consumer.IncrementalAssign([new TopicPartitionOffset(assigned.TopicPartition, next)]);
        }
        else if (failure.Error.IsFatal || KafkaClient.IsDenied(code) || KafkaClient.IsDamage(code))
        {
            throw KafkaClient.FailureOf(failure.Error, _options, failure);
        }
        else
        {
            _outage.Begin(failure.Error.Reason);
        }
    }

    private void StoreDurable(IConsumer<byte[]?, byte[]?> consumer)
    {
        if (Interlocked.Exchange(ref _durable, null) is not { } durable) return;
        try
        {
            foreach (AssignedPartition assigned in _assigned.Values)
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

    /// <summary>Looks for new partitions now and then, and for the brokers while they do not answer.</summary>
    private void Discover(IConsumer<byte[]?, byte[]?> consumer, KafkaCluster cluster)
    {
        TimeSpan every = _outage.Problem is null ? _options.DiscoverEvery : TimeSpan.FromSeconds(1);
        if (_discovery is null && _time.GetElapsedTime(_discovered) >= every) _discovery = cluster.DescribeAsync();
        if (_discovery is not { IsCompleted: true } completed) return;
        _discovery = null;
        _discovered = _time.GetTimestamp();
        if (completed.Exception?.InnerException is { } failure)
        {
            if (failure is SourceException) throw failure;
            if (failure is KafkaException kafka) _outage.Begin(kafka.Error.Reason);
            return;
        }

        _outage.End();
        var known = new SourcePosition();
        foreach (AssignedPartition assigned in _assigned.Values) known.Set(assigned.Partition.Name, assigned.Partition.Position);
        IReadOnlyList<TopicPartitions> topics = completed.Result;
        cluster.RefuseOtherTopics(topics, known);
        if (_options.Once || topics.Sum(topic => topic.Count) == _assigned.Count) return;
        IReadOnlyList<KafkaPartition> found = _outage.Retry(() => cluster.ResolveNew(topics, known), isPatient: true, () => Step(consumer, cluster, RetryMilliseconds));
        if (found.Count > 0) Assign(consumer, found);
    }

    /// <summary>A partition as the polling thread sees it.</summary>
    private sealed class AssignedPartition(KafkaPartition partition)
    {
        public KafkaPartition Partition { get; } = partition;

        public TopicPartition TopicPartition { get; } = new(partition.Topic, partition.Number);

        /// <summary>The lowest offset not yet put into the inbox.</summary>
        public long Next { get; set; } = partition.Position.Next;

        /// <summary>Where a drained run ends.</summary>
        public long End { get; } = partition.Position.End ?? long.MaxValue;
    }
}
