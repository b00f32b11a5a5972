using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>scale_out</c>.</summary>
internal static class ScaleOutTable
{
    private static readonly Table<ScaleOutOptions> Keys = new(
        () => new ScaleOutOptions { StatisticsTopic = "", ModelTopic = "" },
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, string>(
            "statistics_topic", new TopicNameKind(), o => o.StatisticsTopic, (o, v) => o with { StatisticsTopic = v },
            "Topic of one partition that carries what the workers' minibatches say; created where it does not exist."))
        { IsRequired = true },
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, string>(
            "model_topic", new TopicNameKind(), o => o.ModelTopic, (o, v) => o with { ModelTopic = v },
            "Compacted topic that holds the model's state and its snapshots; created where it does not exist."))
        { IsRequired = true },
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, string?>(
            "keys_topic", new OptionalTextKind(), o => o.KeysTopic, (o, v) => o with { KeysTopic = v },
            "With per_key, and of sequences: compacted topic that holds the keys' mixtures, or where their sequences stand, with as many "
                + "partitions as the source's; created where it does not exist; null: ID-keys.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, int>(
            "keys_every", new IntegerKind(1), o => o.KeysEvery, (o, v) => o with { KeysEvery = v },
            "After so many records of a partition what has changed of its keys is written to keys_topic.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, bool>(
            "standby", new BooleanKind(), o => o.Standby, (o, v) => o with { Standby = v },
            "Where there is a keys_topic: every worker keeps a copy of the other workers' keys on its disk, so that it has little to read "
                + "when it takes their place.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, string?>(
            "group_id", new OptionalTextKind(), o => o.GroupId, (o, v) => o with { GroupId = v },
            "Consumer group of the workers, and with -reducer of those that may fold; null: source.kafka.group_id, or streamem-ID.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, Transactions>(
            "transactions", new ChoiceKind<Transactions>(), o => o.Transactions, (o, v) => o with { Transactions = v },
            "Whether statistics with their offsets, and states, are written in transactions of Kafka; auto is off. Every record "
                + "counts once either way.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, int>(
            "in_flight", new IntegerKind(1, 100), o => o.InFlight, (o, v) => o with { InFlight = v },
            "Minibatches of a partition that may be sent and not yet in the model; then its worker waits.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, int>(
            "snapshot_every_updates", new IntegerKind(1), o => o.SnapshotEveryUpdates, (o, v) => o with { SnapshotEveryUpdates = v },
            "A snapshot after so many updates.")),
        new ValueField<ScaleOutOptions>(new Setting<ScaleOutOptions, TimeSpan>(
            "session_timeout", new DurationKind(), o => o.SessionTimeout, (o, v) => o with { SessionTimeout = v },
            "A worker not heard of for so long loses its partitions, and its place as the one that folds.")));

    /// <summary><c>scale_out</c>.</summary>
    public static readonly Field<ModelOptions> Field = new OptionalSectionField<ModelOptions, ScaleOutOptions>(
        "scale_out", "Several workers learn the model together through topics of the source's cluster; null: one alone.", Keys,
        o => o.ScaleOut, (o, v) => o with { ScaleOut = v });
}
