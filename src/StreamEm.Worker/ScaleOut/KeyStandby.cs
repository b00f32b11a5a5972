using System.Globalization;
using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Follows the partitions of the topic of keys that this worker does not have and keeps what they say in files, so that it has to read
/// little when it gets one. A thread of its own does; whatever befalls it or a copy, the worker goes on: the copy is begun anew.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="topics">The topics.</param>
/// <param name="directory">Where the files are, of this process alone.</param>
internal sealed class KeyStandby(ModelContext context, ScaleOutTopics topics, string directory) : IDisposable
{
    /// <summary>What there is against a copy that is not <see cref="KeyCopy.IsContinuedBy">continued</see>.</summary>
    public const string Cut = "nothing shows that the topic is what it was where the copy ends";

    private const int PollMilliseconds = 100, MostQueuedKilobytes = 16 << 10;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30), TellEvery = TimeSpan.FromMilliseconds(500),
        ShortestPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>How many partitions of the source this worker has, by their number.</summary>
    private readonly Dictionary<int, int> _held = [];
    private readonly Dictionary<int, KeyCopy> _copies = [];
    private Dictionary<int, KeyCopy> _followed = [];
    private Dictionary<int, long> _ends = [];

    /// <summary>Of which no record has shown yet that their copies go on there.</summary>
    private HashSet<int> _unseen = [];
    private Task? _thread;
    private long _toldAt;
    private int _waiting;
    private volatile bool _isChanged;
    private bool _isNews, _isDisposed;

    /// <summary>Begins to follow all partitions.</summary>
    public void Start() => _thread ??= Task.Factory.StartNew(
        Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>This worker gets a partition of the source: its copy stays as it is.</summary>
    /// <param name="number">Its number.</param>
    /// <returns>The copy, until it is released; null where there is none.</returns>
    public KeyCopy? Hold(int number) => Exclusively(() =>
    {
        _held[number] = _held.GetValueOrDefault(number) + 1;
        _isChanged = true;
        return _copies.GetValueOrDefault(number);
    });

    /// <summary>This worker has a partition no more: its copy is followed again, from where it is.</summary>
    public void Release(int number) => Exclusively(() =>
    {
        if (_held.GetValueOrDefault(number) is > 1 and int count) _held[number] = count - 1;
        else _held.Remove(number);
        return _isChanged = true;
    });

    /// <summary>A copy is of no use: it is begun anew.</summary>
    public void Drop(int number, string reason) => Exclusively(() =>
    {
        if (!_copies.Remove(number, out KeyCopy? copy)) return false;
        copy.Dispose();
        WorkerLog.StandbyDropped(context.Log, context.Options.Id, number, reason);
        return _isChanged = true;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed) return;
        _stop.Cancel();
        if (_thread is { } thread) Task.WaitAny([thread], KafkaTopic.CloseDeadline);
        Exclusively(() =>
        {
            foreach (KeyCopy copy in _copies.Values) copy.Dispose();
            _copies.Clear();
            return _isDisposed = true;
        });
        _stop.Dispose();
    }

    private T Exclusively<T>(Func<T> act)
    {
        Interlocked.Increment(ref _waiting);
        lock (_lock)
        {
            Interlocked.Decrement(ref _waiting);
            return act();
        }
    }

    /// <summary>The same of one that nobody holds, who may be reading it and finds out for himself.</summary>
    private void Abandon(int number, string reason)
    {
        // The same thread may take the lock again.
        lock (_lock)
            if (!_held.ContainsKey(number)) Drop(number, reason);
    }

    private void Run()
    {
        CancellationToken stop = _stop.Token;
        TimeSpan pause = ShortestPause;
        while (!stop.IsCancellationRequested)
        {
            long start = context.Time.GetTimestamp();
            try
            {
                Follow(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                WorkerLog.StandbyFailed(context.Log, context.Options.Id, failure.Message);
                // What fails again and again, like a disk that is full, is not tried all the time.
                if (context.Time.GetElapsedTime(start) > LongestPause) pause = ShortestPause;
                stop.WaitHandle.WaitOne(pause);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private void Follow(CancellationToken stop)
    {
        using var topic = new KafkaTopic(topics.Keys, topics.NewOutage(), stop);
        _isChanged = true;
        Outage outage = topics.NewOutage();
        Error? lastError = null;
        ConsumerConfig config = KafkaTopic.Configure(topics.Keys);
        // Who has to begin anew must know it.
        config.AutoOffsetReset = AutoOffsetReset.Error;
        config.QueuedMaxMessagesKbytes = MostQueuedKilobytes;
        using IConsumer<byte[]?, byte[]?> consumer = topics.Keys.Attempt(() => new ConsumerBuilder<byte[]?, byte[]?>(config)
            .SetKeyDeserializer(Deserializers.ByteArray!).SetValueDeserializer(Deserializers.ByteArray!)
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => lastError = KafkaTarget.IsTelling(error) ? error : lastError).Build());
        long looked = context.Time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            if (_isChanged || context.Time.GetElapsedTime(looked) >= LookEvery)
            {
                Look(topic);
                // They answer, whatever was said before.
                outage.End();
                lastError = null;
                Assign(consumer);
                looked = context.Time.GetTimestamp();
            }

            ConsumeResult<byte[]?, byte[]?>? result = Consume(consumer);
            if (result is not null)
            {
                outage.End();
                lastError = null;
                Take(result);
            }
            else if (lastError is { } error)
            {
                if (KafkaClient.IsGone(error.Code)) throw topics.Keys.FailureOf(error);
                outage.Begin(error.Reason);
                outage.ThrowIfTooLong();
            }

            Tell(consumer);
        }
    }

    /// <summary>Which topic it is and what it has: what is of another is dropped, what is missing is begun.</summary>
    private void Look(KafkaTopic topic)
    {
        // In this order: what is read later is of this topic, or of one that is seen to be another.
        string? identity = topic.Identify();
        Dictionary<int, long> starts = topic.Starts().ToDictionary(one => one.Key.Partition.Value, one => one.Value);
        _ends = topic.Ends().ToDictionary(one => one.Key.Partition.Value, one => one.Value);
        DurableFile.CreateDirectory(directory, DurableFile.PrivateDirectory);
        lock (_lock)
        {
            if (_isDisposed) return;
            foreach ((int number, KeyCopy copy) in _copies.ToArray())
                if (ReasonAgainst(copy, identity, starts.GetValueOrDefault(number, -1), end: null) is { } reason) Abandon(number, reason);
            foreach ((int number, long start) in starts)
            {
                if (_copies.ContainsKey(number)) continue;
                _copies.Add(number, new KeyCopy(PathOf(number), start, identity));
                _isChanged = true;
            }
        }
    }

    /// <summary>What there is against the use of a copy.</summary>
    /// <param name="copy">It.</param>
    /// <param name="identity">What tells that the topic is the same one.</param>
    /// <param name="start">The first offset that its partition has.</param>
    /// <param name="end">The offset after the last; null where that is not known.</param>
    /// <returns>Null: nothing.</returns>
    public static string? ReasonAgainst(KeyCopy copy, string? identity, long start, long? end) =>
        copy.Identity != identity ? "the topic was deleted and created again"
        : copy.Start != start ? "records at its beginning were deleted"
        : copy.Next > end ? string.Create(CultureInfo.InvariantCulture, $"the topic ends at offset {end}, before {copy.Next}") : null;

    private void Assign(IConsumer<byte[]?, byte[]?> consumer)
    {
        List<TopicPartitionOffset> places;
        lock (_lock)
        {
            if (!_isChanged) return;
            _isNews = true;
            _isChanged = false;
            _followed = _copies.Where(one => !_held.ContainsKey(one.Key)).ToDictionary(one => one.Key, one => one.Value);
            places = [.. _followed.Select(one => new TopicPartitionOffset(topics.Keys.Topic, one.Key, one.Value.From))];
            _unseen = [.. _followed.Where(one => one.Value.IsToBeContinued).Select(one => one.Key)];
        }

        topics.Keys.Attempt(() =>
        {
            consumer.Assign(places);
            return true;
        });
    }

    private ConsumeResult<byte[]?, byte[]?>? Consume(IConsumer<byte[]?, byte[]?> consumer)
    {
        try
        {
            return consumer.Consume(PollMilliseconds);
        }
        catch (ConsumeException failure)
        {
            ErrorCode code = failure.Error.Code;
            if (code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange || KafkaClient.IsDamage(code))
                Abandon(failure.ConsumerRecord.Partition.Value, failure.Error.Reason);
            throw topics.Keys.FailureOf(failure.Error, failure);
        }
    }

    private void Take(ConsumeResult<byte[]?, byte[]?> result)
    {
        int number = result.Partition.Value;
        try
        {
            lock (_lock)
            {
                // What was on its way when this worker got the partition, or the copy was begun anew, is of no use.
                if (_held.ContainsKey(number) || !_followed.TryGetValue(number, out KeyCopy? copy)
                    || copy != _copies.GetValueOrDefault(number)) return;
                if (_unseen.Remove(number) && (result.IsPartitionEOF || !copy.IsContinuedBy(result.Offset.Value, result.LeaderEpoch)))
                    throw new InvalidDataException(Cut);
                if (result.IsPartitionEOF) copy.Reach(result.Offset.Value);
                else copy.Append(result.Offset.Value, result.Message.Key, result.Message.Value, result.LeaderEpoch);
                if (copy.IsWasteful) copy.TryTidy(() => Volatile.Read(ref _waiting) > 0);
            }
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Abandon(number, failure.Message);
            throw;
        }
    }

    private void Tell(IConsumer<byte[]?, byte[]?> consumer)
    {
        if (!_isNews && context.Time.GetElapsedTime(_toldAt) < TellEvery) return;
        _toldAt = context.Time.GetTimestamp();
        long lag = 0;
        foreach ((int number, KeyCopy copy) in _followed)
        {
            // Below zero where the client does not know yet.
            long end = consumer.GetWatermarkOffsets(new TopicPartition(topics.Keys.Topic, number)).High.Value;
            lag += Math.Max(0, Math.Max(end, _ends.GetValueOrDefault(number)) - copy.Next);
        }

        context.Metrics.StandbyLag = lag;
        if (_isNews) WorkerLog.StandbyFollowing(context.Log, context.Options.Id, _followed.Count, lag);
        _isNews = false;
    }

    private string PathOf(int number) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{number}.skc"));
}
