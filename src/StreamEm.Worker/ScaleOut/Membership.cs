using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// A place in a consumer group, which shares out partitions among workers and takes them from those it does not hear of. Nothing is
/// fetched by it: who has a partition reads it with a client of its own, from where the model says. Used by one thread.
/// </summary>
internal sealed class Membership : IDisposable
{
    private static readonly TimeSpan CommitEvery = TimeSpan.FromSeconds(5);

    private readonly KafkaTarget _target;
    private readonly BrokerWatch _watch;
    private readonly TimeProvider _time;
    private readonly IReadOnlyList<string> _topics;
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly SortedSet<string> _assigned = new(StringComparer.Ordinal);
    /// <summary>What was committed of the partitions it has.</summary>
    private readonly Dictionary<string, long> _committed = new(StringComparer.Ordinal);
    private SourcePosition? _places;
    private long _committedAt, _pausedAt, _epoch;

    /// <summary>Joins.</summary>
    /// <param name="target">The cluster.</param>
    /// <param name="group">The group.</param>
    /// <param name="worker">This worker's name, by which the others know it.</param>
    /// <param name="topics">Whose partitions are shared out.</param>
    /// <param name="options">How soon a silent worker loses its place.</param>
    /// <param name="outage">How long the brokers may be away.</param>
    /// <param name="time">The clock.</param>
    public Membership(
        KafkaTarget target, string group, string worker, IReadOnlyList<string> topics, ScaleOutOptions options, Outage outage,
        TimeProvider time)
    {
        (_target, _topics, _time, _committedAt) = (target, topics, time, time.GetTimestamp());
        _watch = new BrokerWatch(target, outage, time);
        ConsumerConfig config = target.Attempt(() => target.Configure(new ConsumerConfig()));
        config.GroupId = group;
        config.ClientId = worker;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
        config.HeartbeatIntervalMs = Math.Min(3000, config.SessionTimeoutMs.Value / 3);
        // Next to nothing is fetched before what was assigned is paused.
        config.QueuedMinMessages = 1;
        config.QueuedMaxMessagesKbytes = 64;
        _consumer = target.Attempt(() => new ConsumerBuilder<Ignore, Ignore>(config)
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => _watch.Note(error))
            .SetPartitionsAssignedHandler((_, given) => Change(given, "assigned"))
            .SetPartitionsRevokedHandler((_, taken) => Change(taken.Select(place => place.TopicPartition), "revoked"))
            .SetPartitionsLostHandler((_, lost) => Change(lost.Select(place => place.TopicPartition), "lost")).Build());
        target.Attempt(() =>
        {
            _consumer.Subscribe(topics);
            return true;
        });
    }

    /// <summary>Told when partitions are <c>assigned</c>, <c>revoked</c> or <c>lost</c>.</summary>
    public Action<string>? Rebalanced { get; init; }

    /// <summary>Told the same before it counts; whoever is to have the partitions waits for the end of the call.</summary>
    public Action<string>? Changing { get; init; }

    /// <summary>Whether what it has was given to it, and not only taken from it: then others may have the rest.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>The partitions this worker has, by name.</summary>
    public IReadOnlyCollection<string> Assigned => _assigned;

    /// <summary>Grows with every change of what it has: what was begun before belongs to nobody. Any thread.</summary>
    public long Epoch => Interlocked.Read(ref _epoch);

    /// <summary>Why nobody answers; null when all is well.</summary>
    public string? Problem => _watch.Problem;

    /// <summary>Stays a member, and learns of changes.</summary>
    /// <exception cref="Failures.CommandException">The group cannot be used.</exception>
    /// <exception cref="StreamEm.Sources.SourceException">The brokers were away for too long.</exception>
    public void Poll()
    {
        _target.Attempt(() =>
        {
            _watch.Consume(_consumer, TimeSpan.Zero);
            List<TopicPartition> fetched = _consumer.Assignment;
            if (fetched.Count > 0 && _pausedAt != Epoch)
            {
                _consumer.Pause(fetched);
                _pausedAt = Epoch;
            }

            return true;
        });
    }

    /// <summary>
    /// Commits where the model has got to, now and then and at the end, for lag tools: nobody goes on from there. To be called again and
    /// again, so that the last places are committed too when no more come.
    /// </summary>
    public void Commit(SourcePosition places)
    {
        _places = places;
        if (_assigned.Count == 0 || _time.GetElapsedTime(_committedAt) < CommitEvery) return;
        _committedAt = _time.GetTimestamp();
        CommitPlaces();
    }

    private void CommitPlaces()
    {
        if (_places is not { } places) return;
        List<(string Partition, long Next)> news = [.. _assigned
            .Select(name => (name, places.Partitions.GetValueOrDefault(name)?.Next ?? -1))
            .Where(place => place.Item2 >= 0 && _committed.GetValueOrDefault(place.name, -1) != place.Item2)];
        if (news.Count == 0) return;
        try
        {
            _consumer.Commit(news.Select(place => PlaceOf(place.Partition, place.Next)));
            foreach ((string partition, long next) in news) _committed[partition] = next;
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal)
        {
            // Only a report: the next one brings another.
        }
    }

    /// <summary>
    /// The right to commit offsets in a transaction, as it is now: of one whose place the group has given away the brokers refuse them.
    /// </summary>
    /// <returns>Null when it is no member, or has nothing: the brokers would take offsets of one without a name from anybody.</returns>
    public GroupClaim? Claim()
    {
        long epoch = Epoch;
        IConsumerGroupMetadata metadata = _consumer.ConsumerGroupMetadata;
        // In this order: who has lost its place has neither, and gets one again only when it polls.
        return _assigned.Count == 0 || string.IsNullOrEmpty(_consumer.MemberId) ? null : new GroupClaim(metadata, () => Epoch == epoch);
    }

    /// <summary>Gives up what it has, and asks for a place anew.</summary>
    public void JoinAnew() => _target.Attempt(() =>
    {
        _consumer.Unsubscribe();
        _consumer.Subscribe(_topics);
        return true;
    });

    /// <summary>A place in a partition, as the client knows it.</summary>
    /// <param name="partition">The partition's name: <c>sensors/3</c>.</param>
    /// <param name="next">The next record.</param>
    public static TopicPartitionOffset PlaceOf(string partition, long next)
    {
        int slash = partition.LastIndexOf('/');
        return new TopicPartitionOffset(partition[..slash],
            int.Parse(partition.AsSpan(slash + 1), System.Globalization.CultureInfo.InvariantCulture), next);
    }

    /// <summary>
    /// Commits what is left to, and leaves, so that others have the partitions at once; a broker that never answers is waited for only so
    /// long.
    /// </summary>
    public void Dispose() => _watch.Close(_consumer, CommitPlaces);

    private void Change(IEnumerable<TopicPartition> partitions, string how)
    {
        Changing?.Invoke(how);
        Interlocked.Increment(ref _epoch);
        IsSettled = how == "assigned";
        Rebalanced?.Invoke(how);
        foreach (TopicPartition partition in partitions)
        {
            string name = $"{partition.Topic}/{partition.Partition.Value}";
            // Others commit what they have.
            _committed.Remove(name);
            if (how == "assigned") _assigned.Add(name);
            else _assigned.Remove(name);
        }
    }
}
