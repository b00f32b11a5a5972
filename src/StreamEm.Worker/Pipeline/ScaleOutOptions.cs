using StreamEm.Sources.Kafka;

namespace StreamEm.Worker.Pipeline;

/// <summary><c>scale_out.transactions</c>: whether statistics and offsets are written in one transaction of Kafka.</summary>
public enum Transactions
{
    /// <summary>As the release thinks best: as <see cref="Off"/>.</summary>
    Auto,

    /// <summary>Always.</summary>
    On,

    /// <summary>Never: ranges alone keep records from being counted twice or left out.</summary>
    Off,
}

/// <summary><c>scale_out</c>: one model that several workers learn together, through topics of the cluster that its source is on.</summary>
public sealed record ScaleOutOptions
{
    /// <summary><c>statistics_topic</c>: what the workers' minibatches say; one partition, whose order is the model's history.</summary>
    public required string StatisticsTopic { get; init; }

    /// <summary><c>model_topic</c>: the model's newest state under <c>ID/state</c>, its newest snapshot under <c>ID</c>;
    /// compacted.</summary>
    public required string ModelTopic { get; init; }

    /// <summary><c>keys_topic</c>: with <c>per_key</c>, the models of the keys; compacted; null: <c>ID-keys</c>.</summary>
    public string? KeysTopic { get; init; }

    /// <summary><c>keys_every</c>: the models of the keys that have changed are written after so many records of a partition.</summary>
    public int KeysEvery { get; init; } = 10_000;

    /// <summary><c>standby</c>: every worker keeps a copy of what the others know of their keys.</summary>
    public bool Standby { get; init; }

    /// <summary>
    /// <c>group_id</c>: the consumer group that shares out the source's partitions, and with <c>-reducer</c> the one that chooses who
    /// folds; null: that of the source, or <c>streamem-ID</c>.
    /// </summary>
    public string? GroupId { get; init; }

    /// <summary>The group of a model's workers.</summary>
    internal string GroupOf(string id, KafkaSourceOptions source) => GroupId ?? source.GroupId ?? $"streamem-{id}";

    /// <summary><c>transactions</c>.</summary>
    public Transactions Transactions { get; init; } = Transactions.Auto;

    /// <summary><c>in_flight</c>: minibatches of a partition that may be sent and not yet in the model; then its worker waits.</summary>
    public int InFlight { get; init; } = 2;

    /// <summary><c>snapshot_every_updates</c>: a snapshot after so many updates.</summary>
    public int SnapshotEveryUpdates { get; init; } = 1;

    /// <summary><c>session_timeout</c>: a worker that has not been heard of for so long has lost its partitions, and its place as
    /// reducer.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(15);
}
