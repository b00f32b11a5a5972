using Confluent.Kafka;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Kafka;

/// <summary>What happens when the records at a stored position no longer exist.</summary>
public enum GapPolicy
{
    /// <summary>The worker stops.</summary>
    Fail,

    /// <summary>Reading goes on at the next record that exists; the gap is recorded in the state.</summary>
    Skip,
}

/// <summary>Where reading starts in a partition without a stored position: at the first record, after the last one, or at a time.</summary>
public readonly record struct KafkaStart
{
    private KafkaStart(bool isLatest, DateTimeOffset? timestamp) => (IsLatest, Timestamp) = (isLatest, timestamp);

    /// <summary>The first record there is.</summary>
    public static KafkaStart Earliest => default;

    /// <summary>Only records that come after the start.</summary>
    public static KafkaStart Latest => new(isLatest: true, timestamp: null);

    /// <summary>Whether only records that come after the start are read.</summary>
    public bool IsLatest { get; }

    /// <summary>Records from this instant on, by the broker's timestamp; null otherwise.</summary>
    public DateTimeOffset? Timestamp { get; }

    /// <summary>The first record with this or a later timestamp.</summary>
    public static KafkaStart At(DateTimeOffset timestamp) => new(isLatest: false, timestamp);
}

/// <summary>
/// <c>source.kafka</c>: records from topics, one record a message. Where the schema names a field <c>kafka.key</c> (for <c>key</c>),
/// <c>kafka.timestamp</c> (for <c>timestamp</c>) or <c>kafka.header.NAME</c> (for <c>weight</c>), it is taken from the message instead of
/// its value.
/// </summary>
public sealed record KafkaSourceOptions : SourceOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topics</c>.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary><c>group_id</c>: the consumer group whose offsets are committed for lag tools; null commits none.</summary>
    public string? GroupId { get; init; }

    /// <summary><c>format</c>: <c>ndjson</c>, <c>csv</c>, <c>float64</c>, <c>avro</c> or <c>json_schema</c>.</summary>
    public RecordFormat Format { get; init; } = RecordFormat.Ndjson;

    /// <summary><c>key_format</c>: what keys are written in, where they are of use.</summary>
    public KeyFormat KeyFormat { get; init; }

    /// <summary><c>schema_registry</c>: where the schemas are that messages name; null where they name none.</summary>
    public SchemaRegistryOptions? SchemaRegistry { get; init; }

    /// <summary>
    /// <c>columns</c>: the columns of <c>csv</c> messages, which carry no header line; null: the schema's fields in its order.
    /// </summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary><c>start</c>: <c>earliest</c>, <c>latest</c> or an instant (ISO 8601).</summary>
    public KafkaStart Start { get; init; } = KafkaStart.Earliest;

    /// <summary><c>idle_after</c>: a partition at its end for this long is left out of minibatches; null waits for it for ever.</summary>
    public TimeSpan? IdleAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>on_gap</c>.</summary>
    public GapPolicy OnGap { get; init; } = GapPolicy.Fail;

    /// <summary>
    /// <c>unavailable_after</c>: brokers out of reach, or a topic that does not exist, for this long end the source; null waits for ever.
    /// </summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>properties</c>: handed to the Kafka client as they are, but for those <see cref="KafkaProperties"/> refuses.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// How often the cluster is asked for its topics: for new partitions, and whether it answers at all. Not part of the YAML.
    /// </summary>
    public TimeSpan DiscoverEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The partitions that are read, by name (<c>sensors/3</c>), each a whole minibatch at its turn, and none while it has nothing and
    /// others have: in which order is not told by the data then. Null reads all. Not part of the YAML.
    /// </summary>
    public IReadOnlyCollection<string>? Only { get; init; }

    /// <summary>Bytes of messages read ahead. Not part of the YAML.</summary>
    public long ReadAheadBytes { get; init; } = 64L << 20;

    /// <summary>Where reading starts in every partition there is, as <see cref="Start"/> says it now.</summary>
    /// <exception cref="SourceException">A topic does not exist, or nothing may be asked of it.</exception>
    /// <exception cref="KafkaException">The brokers do not answer.</exception>
    public SourcePosition FindStarts(RecordSchema schema, TimeProvider time)
    {
        using IConsumer<Ignore, Ignore> client = Client(schema);
        using var cluster = new KafkaCluster(client.Handle, this, time);
        IReadOnlyList<SourceTopic> topics = cluster.DescribeAsync(needsIds: true).GetAwaiter().GetResult();
        var starts = new SourcePosition();
        foreach (KafkaPartition partition in cluster.Resolve(topics, new SourcePosition(), once: false))
            starts.Set(partition.Name, new PartitionPosition(partition.Position.Next, partition.Position.Identity));
        return starts;
    }

    /// <summary>
    /// Of topics that were not deleted and created again since. Brokers that do not answer within seconds are taken at their earlier word.
    /// </summary>
    public override bool HoldsWhatWasRead(SourceContext context)
    {
        if (!context.Position.Partitions.Values.Any(position => position.Identity is not null)) return true;
        try
        {
            using IConsumer<Ignore, Ignore> client = Client(context.Schema);
            using var cluster = new KafkaCluster(client.Handle, this, context.Time);
            cluster.RefuseOtherTopics(cluster.DescribeAsync(needsIds: false).GetAwaiter().GetResult(), context.Position);
            return true;
        }
        catch (SourceException failure)
        {
            // Whatever else is wrong is told when the topics are read.
            return failure.Failure != SourceFailure.Changed;
        }
        catch (Exception failure) when (failure is KafkaException || KafkaClient.IsUnusable(failure))
        {
            return true;
        }
    }

    private IConsumer<Ignore, Ignore> Client(RecordSchema schema) =>
        new ConsumerBuilder<Ignore, Ignore>(KafkaClient.ConsumerConfig(this, new KafkaMessageFields(schema)))
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
}
