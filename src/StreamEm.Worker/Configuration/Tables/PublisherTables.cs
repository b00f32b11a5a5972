using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of an item of <c>publish</c>.</summary>
internal static class PublisherTables
{
    private static readonly IntegerKind EveryUpdates = new(1);

    private static readonly Table<FilePublisherOptions> File = new(
        () => new FilePublisherOptions { Path = "" },
        new ValueField<FilePublisherOptions>(new Setting<FilePublisherOptions, string>(
            "path", new TextKind(), o => o.Path, (o, v) => o with { Path = v }, "The NDJSON file that gets one snapshot a line."))
        { IsRequired = true },
        new ValueField<FilePublisherOptions>(new Setting<FilePublisherOptions, int>(
            "every_updates", EveryUpdates, o => o.EveryUpdates, (o, v) => o with { EveryUpdates = v },
            "Only versions divisible by it, and the last one.")));

    private static readonly Table<KafkaPublisherOptions> Kafka = new(
        () => new KafkaPublisherOptions { Brokers = [], Topic = "" },
        new TextListField<KafkaPublisherOptions>(
            "brokers", "Some of the cluster's brokers, host:port.", o => o.Brokers, (o, v) => o with { Brokers = v })
        { IsRequired = true },
        new ValueField<KafkaPublisherOptions>(new Setting<KafkaPublisherOptions, string>(
            "topic", new TopicNameKind(), o => o.Topic, (o, v) => o with { Topic = v }, "The compacted topic; the key is the model's id."))
        { IsRequired = true },
        new ValueField<KafkaPublisherOptions>(new Setting<KafkaPublisherOptions, int>(
            "every_updates", EveryUpdates, o => o.EveryUpdates, (o, v) => o with { EveryUpdates = v },
            "Only versions divisible by it, and the last one.")),
        new ValueField<KafkaPublisherOptions>(new Setting<KafkaPublisherOptions, TimeSpan?>(
            "every", new NullableKind<TimeSpan>(new DurationKind()), o => o.Every, (o, v) => o with { Every = v },
            "At most one snapshot in this time, the newest; null publishes each.")),
        new ValueField<KafkaPublisherOptions>(new Setting<KafkaPublisherOptions, TimeSpan?>(
            "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
            (o, v) => o with { UnavailableAfter = v },
            "Brokers out of reach for this long end the worker (69); null waits for ever.")),
        new ValueField<KafkaPublisherOptions>(new Setting<KafkaPublisherOptions, string?>(
            "take_over", new RunIdKind(), o => o.TakeOver, (o, v) => o with { TakeOver = v },
            "The id of the run that published the model there before, when that has ended for good.")),
        new KafkaPropertiesField<KafkaPublisherOptions>(o => o.Properties, (o, v) => o with { Properties = v }));

    private static readonly OneOf Choice = new(Alternative.Of("file", File), Alternative.Of("kafka", Kafka));

    /// <summary><c>publish</c>.</summary>
    public static readonly Field<ModelOptions> Field = new ListField<ModelOptions, object>(
        "publish", "Where snapshots go.", (node, path, binder) => Choice.Bind(node, path, binder), Choice.Describe, o => o.Publish,
        (o, v) => o with { Publish = v })
    { ItemSchema = Choice.Schema };
}
