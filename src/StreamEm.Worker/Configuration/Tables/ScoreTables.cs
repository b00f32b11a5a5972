using StreamEm.Core.Alarms;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>scores</c> and <c>alarms</c>.</summary>
internal static class ScoreTables
{
    private static readonly Table<FileScoreOptions> File = new(
        () => new FileScoreOptions { Path = "" },
        [
            new ValueField<FileScoreOptions>(new Setting<FileScoreOptions, string>(
                "path", new TextKind(), o => o.Path, (o, v) => o with { Path = v }, "The NDJSON file that gets one record a line."))
            { IsRequired = true },
            .. Selection<FileScoreOptions>((o, v) => o with { Selection = v }),
        ]);

    private static readonly Table<StdoutScoreOptions> Stdout = new(
        () => new StdoutScoreOptions(),
        [
            new ValueField<StdoutScoreOptions>(new Setting<StdoutScoreOptions, StdoutFormat>(
                "format", new ChoiceKind<StdoutFormat>(), o => o.Format, (o, v) => o with { Format = v },
                "auto: for a person on a terminal, else ndjson.")),
            .. Selection<StdoutScoreOptions>((o, v) => o with { Selection = v }),
        ]);

    private static readonly Table<KafkaScoreOptions> Kafka = new(
        () => new KafkaScoreOptions { Brokers = [], Topic = "" },
        [
            new TextListField<KafkaScoreOptions>(
                "brokers", "Some of the cluster's brokers, host:port.", o => o.Brokers, (o, v) => o with { Brokers = v })
            { IsRequired = true },
            new ValueField<KafkaScoreOptions>(new Setting<KafkaScoreOptions, string>(
                "topic", new TopicNameKind(), o => o.Topic, (o, v) => o with { Topic = v }, "The topic; the key is the record's."))
            { IsRequired = true },
            new ValueField<KafkaScoreOptions>(new Setting<KafkaScoreOptions, TimeSpan?>(
                "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
                (o, v) => o with { UnavailableAfter = v },
                "Brokers out of reach for this long end the model (69); null waits for ever.")),
            new KafkaPropertiesField<KafkaScoreOptions>(o => o.Properties, (o, v) => o with { Properties = v }),
            .. Selection<KafkaScoreOptions>((o, v) => o with { Selection = v }),
        ]);

    private static readonly Table<WebhookScoreOptions> Webhook = new(
        () => new WebhookScoreOptions { Url = "" },
        [
            new ValueField<WebhookScoreOptions>(new Setting<WebhookScoreOptions, string>(
                "url", new UrlKind(), o => o.Url, (o, v) => o with { Url = v }, "Where records are posted, as lines of JSON."))
            { IsRequired = true },
            new SecretField<WebhookScoreOptions>(
                "secret", "What requests are signed with (HMAC-SHA256).", o => o.Secret, (o, v) => o with { Secret = v }),
            new SecretFileField<WebhookScoreOptions>(
                "secret_file", "File that holds the secret.", o => o.Secret, (o, v) => o with { Secret = v }),
            new ValueField<WebhookScoreOptions>(new Setting<WebhookScoreOptions, TimeSpan>(
                "timeout", new DurationKind(), o => o.Timeout, (o, v) => o with { Timeout = v }, "How long an answer may take.")),
            new ValueField<WebhookScoreOptions>(new Setting<WebhookScoreOptions, int>(
                "batch_records", new IntegerKind(1, 100_000), o => o.BatchRecords, (o, v) => o with { BatchRecords = v },
                "The most records of a request.")),
            new ValueField<WebhookScoreOptions>(new Setting<WebhookScoreOptions, TimeSpan?>(
                "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
                (o, v) => o with { UnavailableAfter = v },
                "Without an accepted request for this long the model ends (69); null waits for ever.")),
            .. Selection<WebhookScoreOptions>((o, v) => o with { Selection = v }),
        ]);

    private static readonly OneOf Choice = new(
        Alternative.Of("file", File), Alternative.Of("stdout", Stdout), Alternative.Of("kafka", Kafka), Alternative.Of("webhook", Webhook));

    private static readonly NumberKind Probability = new(Interval.OpenClosed(0, 1));

    private static readonly Table<AlarmOptions> AlarmTable = new(
        () => new AlarmOptions(),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, double>(
            "threshold", Probability, o => o.Threshold, (o, v) => o with { Threshold = v },
            "A record whose p-value is below it may raise an alarm.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, double?>(
            "false_discovery_rate", new NullableKind<double>(Probability), o => o.FalseDiscoveryRate,
            (o, v) => o with { FalseDiscoveryRate = v },
            "The share of the alarms that may be false: how improbable a record has to be follows from it; null: threshold alone says "
                + "it.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, double?>(
            "clear", new NullableKind<double>(Probability), o => o.Clear, (o, v) => o with { Clear = v },
            "An alarm lasts until a record of its key has a p-value of at least this; null: of at least the threshold.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, int>(
            "rest", new IntegerKind(0), o => o.Rest, (o, v) => o with { Rest = v },
            "Records of a key after an alarm among which only one at least twice as improbable raises another.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, double>(
            "rest_share", new NumberKind(Interval.ClosedOpen(0, 1)), o => o.RestShare, (o, v) => o with { RestShare = v },
            "The rest is this share of the key's records so far, where that is more.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, int?>(
            "rest_at_most", new NullableKind<int>(new IntegerKind(0)), o => o.RestAtMost, (o, v) => o with { RestAtMost = v },
            "The most records that rest_share makes a rest of; null: any number.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, double?>(
            "flag", new NullableKind<double>(Probability), o => o.Flag, (o, v) => o with { Flag = v },
            "A record whose p-value is below it is in alarm whether it raises one or not; null: below the threshold, "
                + "or a tenth of it where alarms are raised by what is new.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, TimeSpan?>(
            "min_gap", new NullableKind<TimeSpan>(new DurationKind()), o => o.MinGap, (o, v) => o with { MinGap = v },
            "The least event time between two alarms of a key, however strong.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, IReadOnlyDictionary<string, double>>(
            "min_deviation", new PerFeatureKind<double>(new NumberKind(Interval.AtLeast(0))), o => o.MinDeviation,
            (o, v) => o with { MinDeviation = v },
            "By how much a feature has to be off the mean of its component, in its units: one number for all, or by feature.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, IReadOnlyDictionary<string, Direction>>(
            "direction", new PerFeatureKind<Direction>(new ChoiceKind<Direction>()), o => o.Direction, (o, v) => o with { Direction = v },
            "To which side a feature has to be off: both, up or down, for all or by feature.")),
        new ValueField<AlarmOptions>(new Setting<AlarmOptions, int>(
            "max_keys", new IntegerKind(1, 10_000_000), o => o.MaxKeys, (o, v) => o with { MaxKeys = v },
            "Keys remembered; beyond, the one not met for longest begins anew.")));

    /// <summary><c>scores</c>.</summary>
    public static readonly Field<ModelOptions> Scores = new ListField<ModelOptions, object>(
        "scores", "Where scored records go.", (node, path, binder) => Choice.Bind(node, path, binder), Choice.Describe, o => o.Scores,
        (o, v) => o with { Scores = [.. v.Cast<ScoreSinkOptions>()] })
    { ItemSchema = Choice.Schema };

    /// <summary><c>alarms</c>.</summary>
    public static readonly Field<ModelOptions> Alarms = new OptionalSectionField<ModelOptions, AlarmOptions>(
        "alarms", "When a record raises an alarm; null: never.", AlarmTable, o => o.Alarms, (o, v) => o with { Alarms = v });

    private static Field<T>[] Selection<T>(Func<T, ScoreSelection, T> set)
        where T : ScoreSinkOptions
    {
        return
        [
            Of("include", new FieldSelectionKind(), o => o.Include, (o, v) => o with { Include = v },
                "Fields of the record that are told beside its scores: none, all, or a list."),
            Of("explain", new BooleanKind(), o => o.Explain, (o, v) => o with { Explain = v },
                "Whether each feature's contribution is told, and what it was expected to be given the others."),
            Of("above", new NullableKind<double>(new NumberKind(Interval.ClosedOpen(0, 1))), o => o.Above,
                (o, v) => o with { Above = v }, "Only records whose anomaly score is above it."),
            Of("sample", new NullableKind<double>(new NumberKind(Interval.OpenClosed(0, 1))), o => o.Sample,
                (o, v) => o with { Sample = v }, "Only this share of the records, chosen by their number: the same in every replay."),
            Of("alarms_only", new BooleanKind(), o => o.AlarmsOnly, (o, v) => o with { AlarmsOnly = v },
                "Only records that raise an alarm."),
        ];

        ValueField<T> Of<TValue>(
            string key, ValueKind<TValue> kind, Func<ScoreSelection, TValue> get, Func<ScoreSelection, TValue, ScoreSelection> change,
            string description) =>
            new(new Setting<T, TValue>(key, kind, o => get(o.Selection), (o, v) => set(o, change(o.Selection, v)), description));
    }
}
