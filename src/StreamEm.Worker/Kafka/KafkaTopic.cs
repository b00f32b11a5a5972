using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <summary>What a topic is set to.</summary>
/// <param name="MaxMessageBytes"><c>max.message.bytes</c>; null when the user may not see it.</param>
/// <param name="CleanupPolicy"><c>cleanup.policy</c>; null when the user may not see it.</param>
internal sealed record TopicSettings(int? MaxMessageBytes, string? CleanupPolicy);

/// <summary>Records of a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Start">The first offset.</param>
/// <param name="End">The offset after the last.</param>
internal readonly record struct OffsetRange(TopicPartition Partition, long Start, long End);

/// <summary>
/// One topic: its settings, its creation, and its records from the beginning or from a time to its present end. Asks until the brokers
/// answer or the outage has lasted too long. Used by one thread.
/// </summary>
internal sealed partial class KafkaTopic : IDisposable
{
    private const int RetryMilliseconds = 250;
    private const int PollMilliseconds = 250;

    /// <summary>Polls without anything, not even an end, after which the broker is thought not to answer.</summary>
    private const int SilentPolls = 10_000 / PollMilliseconds;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);
    /// <summary>How long closing may take.</summary>
    public static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1.5);

    private readonly KafkaTarget _target;
    private readonly Outage _outage;
    private readonly CancellationToken _stop;
    private readonly IConsumer<byte[]?, byte[]?> _consumer;
    private readonly IAdminClient _admin;
    private volatile Error? _lastError;
    private int _silentPolls;

    /// <summary>Makes a client; nothing is asked yet.</summary>
    /// <exception cref="CommandException">There can be none with these properties, or the native library is missing (78).</exception>
    public KafkaTopic(KafkaTarget target, Outage outage, CancellationToken stop)
    {
        (_target, _outage, _stop) = (target, outage, stop);
        ConsumerConfig config = target.Attempt(() => Configure(target));
        _consumer = target.Attempt(() => new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!)
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => _lastError = KafkaTarget.IsTelling(error) ? error : _lastError)
                .Build());
        _admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
    }

    /// <summary>The configuration of the client.</summary>
    /// <exception cref="SourceException">A property is refused.</exception>
    public static ConsumerConfig Configure(KafkaTarget target)
    {
        ConsumerConfig config = target.Configure(new ConsumerConfig { CheckCrcs = true, FetchWaitMaxMs = 100 });
        config.GroupId = "streamem";
        config.EnableAutoCommit = false;
        config.EnablePartitionEof = true;
        // What a transaction wrote that was not committed is nothing.
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        return config;
    }

    /// <summary>Number of partitions; null when the topic does not exist.</summary>
    public int? CountPartitions() => Ask<int?>(() =>
    {
        try
        {
            var topic = TopicCollection.OfTopicNames([_target.Topic]);
            DescribeTopicsResult result =
                Answer(_admin.DescribeTopicsAsync(topic, new DescribeTopicsOptions { RequestTimeout = AdminQuestion.ClientTimeout }));
            return result.TopicDescriptions.Single().Partitions.Count;
        }
        catch (DescribeTopicsException failure) when (failure.Results.TopicDescriptions is [{ Error: { IsError: true } error }])
        {
            return error.Code == ErrorCode.UnknownTopicOrPart ? null : throw Permanent(error, failure);
        }
    });

    /// <summary>What the topic is set to.</summary>
    public TopicSettings Describe() => Ask(() =>
    {
        try
        {
            var topic = new ConfigResource { Type = ResourceType.Topic, Name = _target.Topic };
            List<DescribeConfigsResult> results =
                Answer(_admin.DescribeConfigsAsync([topic], new DescribeConfigsOptions { RequestTimeout = AdminQuestion.ClientTimeout }));
            Dictionary<string, ConfigEntryResult> entries = results.Single().Entries;
            string? Value(string name) => entries.TryGetValue(name, out ConfigEntryResult? entry) ? entry.Value : null;
            return new TopicSettings(int.TryParse(Value("max.message.bytes"), CultureInfo.InvariantCulture, out int bytes) ? bytes : null,
                Value("cleanup.policy"));
        }
        catch (DescribeConfigsException failure) when (failure.Results is [{ Error: { IsError: true } error }])
        {
            return error.Code == ErrorCode.TopicAuthorizationFailed ? new TopicSettings(null, null) : throw Permanent(error, failure);
        }
    });

    /// <summary>Creates the topic, unless somebody else just has.</summary>
    /// <param name="partitions">Number of partitions; -1: the cluster's default.</param>
    /// <param name="settings">What it is set to.</param>
    /// <exception cref="CommandException">The user may not (77), or the cluster takes no such topic (78).</exception>
    public void Create(int partitions, IReadOnlyDictionary<string, string> settings)
    {
        var topic = new TopicSpecification
        {
            Name = _target.Topic,
            NumPartitions = partitions,
            ReplicationFactor = -1,
            Configs = new Dictionary<string, string>(settings, StringComparer.Ordinal)
        };
        Ask(() =>
        {
            try
            {
                Task creation = _admin.CreateTopicsAsync([topic],
                    new CreateTopicsOptions { RequestTimeout = AdminQuestion.ClientTimeout, OperationTimeout = Timeout });
                AdminQuestion.AnswerAsync(creation, Timeout + Timeout, TimeProvider.System).GetAwaiter().GetResult();
            }
            catch (CreateTopicsException failure) when (failure.Results is [{ Error: { IsError: true } error }])
            {
                if (KafkaClient.IsDenied(error.Code)) throw MayNotCreate(settings, error, failure);
                if (error.Code != ErrorCode.TopicAlreadyExists) throw Permanent(error, failure);
            }

            return true;
        });
        // Every broker has to hear of it.
        while (CountPartitions() is null) Pause();
    }

    /// <summary>The first offset that every partition still has; there need not be a record at it.</summary>
    public IReadOnlyDictionary<TopicPartition, long> Starts() => Offsets(Partitions(), OffsetSpec.Earliest());

    /// <summary>The offset after the last record of every partition, as it is now.</summary>
    public IReadOnlyDictionary<TopicPartition, long> Ends() => Offsets(Partitions(), OffsetSpec.Latest());

    /// <summary>Reads the records there are now: in order within each partition, up to the end as it is at the call.</summary>
    /// <param name="since">Only records with this or a later timestamp, and those after them; null: all.</param>
    /// <param name="receive">Told every record; a null value is a tombstone.</param>
    public void ReadToEnd(DateTimeOffset? since, Action<ConsumeResult<byte[]?, byte[]?>> receive)
    {
        TopicPartition[] partitions = Partitions();
        Dictionary<TopicPartition, long> ends = Offsets(partitions, OffsetSpec.Latest());
        Dictionary<TopicPartition, long> starts =
            Offsets(partitions, since is { } instant ? OffsetSpec.ForTimestamp(instant.ToUnixTimeMilliseconds()) : OffsetSpec.Earliest());
        // -1: no record is as late as that.
        Read(partitions.Where(partition => starts[partition] >= 0)
            .Select(partition => new OffsetRange(partition, starts[partition], ends[partition])), receive);
    }

    /// <summary>The last records of the topic, shared evenly among its partitions, in order within each.</summary>
    /// <param name="most">At most so many.</param>
    public IReadOnlyList<ConsumeResult<byte[]?, byte[]?>> ReadNewest(int most)
    {
        TopicPartition[] partitions = Partitions();
        Dictionary<TopicPartition, long> starts = Offsets(partitions, OffsetSpec.Earliest());
        Dictionary<TopicPartition, long> ends = Offsets(partitions, OffsetSpec.Latest());
        int share = Math.Max(1, most / Math.Max(1, partitions.Length));
        var records = new List<ConsumeResult<byte[]?, byte[]?>>();
        Read(partitions.Select(partition =>
            new OffsetRange(partition, Math.Max(starts[partition], ends[partition] - share), ends[partition])), records.Add);
        return records;
    }

    /// <summary>Reads what there is of ranges, in order within each partition.</summary>
    /// <param name="ranges">One of a partition at most, none beyond the partition's end.</param>
    /// <param name="receive">Told every record; a null value is a tombstone.</param>
    public void Read(IEnumerable<OffsetRange> ranges, Action<ConsumeResult<byte[]?, byte[]?>> receive)
    {
        Dictionary<TopicPartition, OffsetRange> left =
            ranges.Where(range => range.Start < range.End).ToDictionary(range => range.Partition);
        if (left.Count == 0) return;
        _consumer.Assign(left.Values.Select(range => new TopicPartitionOffset(range.Partition, range.Start)));
        while (left.Count > 0)
        {
            if (Consume() is not { } result || !left.TryGetValue(result.TopicPartition, out OffsetRange range)) continue;
            if (!result.IsPartitionEOF && result.Offset < range.End) receive(result);
            // Compaction leaves gaps: the record before the end may be gone, and then only the broker's word says that it is reached.
            if (result.Offset >= range.End - (result.IsPartitionEOF ? 0 : 1)) left.Remove(result.TopicPartition);
        }

        _consumer.Unassign();
    }

    /// <summary>
    /// Closes the client, which can wait for a broker that never answers: not longer than a deadline, then its thread is left to itself.
    /// </summary>
    public void Dispose()
    {
        Task closing = Task.Factory.StartNew(Close, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task.WaitAny([closing], CloseDeadline);

        void Close()
        {
            // In this order: the admin client polls a queue of the consumer's.
            _admin.Dispose();
            _consumer.Dispose();
        }
    }

    private TopicPartition[] Partitions() =>
        [.. Enumerable.Range(0, CountPartitions() ?? 0).Select(number => new TopicPartition(_target.Topic, number))];

    private Dictionary<TopicPartition, long> Offsets(TopicPartition[] partitions, OffsetSpec which) =>
        partitions.Length == 0 ? [] : Ask(() =>
    {
        ListOffsetsResult result = Answer(_admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = which }),
            new ListOffsetsOptions { RequestTimeout = AdminQuestion.ClientTimeout, IsolationLevel = IsolationLevel.ReadCommitted }));
        return result.ResultInfos
            .ToDictionary(info => info.TopicPartitionOffsetError.TopicPartition, info => info.TopicPartitionOffsetError.Offset.Value);
    });

    private static T Answer<T>(Task<T> question) =>
        AdminQuestion.AnswerAsync(question, Timeout, TimeProvider.System).GetAwaiter().GetResult();

    /// <summary>Asks until there is an answer, each time after brokers have answered at all: <see cref="AdminQuestion"/>.</summary>
    private T Ask<T>(Func<T> question) => _target.Attempt(() => _outage.Retry(
        () =>
        {
            _admin.GetMetadata(_target.Topic, Timeout);
            return question();
        },
        isPatient: false, Pause));

    private void Pause()
    {
        _stop.WaitHandle.WaitOne(RetryMilliseconds);
        _stop.ThrowIfCancellationRequested();
        if (_lastError is { } error && KafkaClient.IsDenied(error.Code)) throw _target.FailureOf(error);
    }

    private ConsumeResult<byte[]?, byte[]?>? Consume() => _target.Attempt(() =>
    {
        try
        {
            if (_consumer.Consume(PollMilliseconds) is { } result)
            {
                _outage.End();
                _lastError = null;
                _silentPolls = 0;
                return result;
            }
        }
        catch (ConsumeException failure) when (!KafkaClient.IsDamage(failure.Error.Code))
        {
            _lastError = failure.Error;
        }

        _stop.ThrowIfCancellationRequested();
        if (++_silentPolls >= SilentPolls)
            _lastError ??= new Error(ErrorCode.Local_TimedOut,
                string.Create(CultureInfo.InvariantCulture,
                    $"nothing was read of topic '{_target.Topic}' for {SilentPolls * PollMilliseconds / 1000} s"));
        if (_lastError is not { } error) return null;
        if (error.IsFatal || KafkaClient.IsDenied(error.Code) || KafkaClient.IsGone(error.Code)) throw _target.FailureOf(error);
        _outage.Begin(error.Reason);
        _outage.ThrowIfTooLong();
        return null;
    });

    private CommandException MayNotCreate(IReadOnlyDictionary<string, string> settings, Error error, Exception inner)
    {
        string wanted = string.Join(", ", settings.Select(setting => $"{setting.Key}={setting.Value}"));
        return new CommandException(ExitCode.Denied,
            $"{_target.Section}: {_target.Description} does not exist and this user may not create it ({error.Code}). Create "
                + $"it{(wanted.Length > 0 ? $" with {wanted}" : "")}, or grant the right to create it.", inner);
    }

    /// <summary>An answer that asking again may change is left to be asked again.</summary>
    private Exception Permanent(Error error, KafkaException failure) =>
        error.Code is ErrorCode.Local_TimedOut or ErrorCode.Local_Transport or ErrorCode.RequestTimedOut or ErrorCode.NotController
            or ErrorCode.LeaderNotAvailable
            or ErrorCode.UnknownTopicOrPart or ErrorCode.BrokerNotAvailable
            ? new KafkaException(error, failure)
            : _target.FailureOf(error, failure);
}
