using System.Text.RegularExpressions;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Worker.Api;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of the whole file: everything that can be configured is described here and in the tables beside it, once.</summary>
internal static partial class WorkerTable
{
    private static readonly OptionalTextKind FieldName = new("the name of a field, or null");

    private static readonly Table<HttpOptions> Http = new(
        () => new HttpOptions(),
        new ValueField<HttpOptions>(new Setting<HttpOptions, string>(
            "address", new AddressKind(), o => o.Address, (o, v) => o with { Address = v },
            "Where the API listens; loopback unless a token is set.")),
        new SecretField<HttpOptions>(
            "auth_token", "Bearer token that calls must carry.", o => o.AuthToken, (o, v) => o with { AuthToken = v }),
        new SecretFileField<HttpOptions>(
            "auth_token_file", "File that holds the token.", o => o.AuthToken, (o, v) => o with { AuthToken = v }));

    private static readonly Table<CheckpointOptions> Checkpoint = new(
        () => new CheckpointOptions(),
        new ValueField<CheckpointOptions>(new Setting<CheckpointOptions, int>(
            "every_updates", new IntegerKind(1), o => o.EveryUpdates, (o, v) => o with { EveryUpdates = v },
            "A checkpoint after this many updates.")),
        new ValueField<CheckpointOptions>(new Setting<CheckpointOptions, TimeSpan>(
            "every", new DurationKind(), o => o.Every, (o, v) => o with { Every = v },
            "A checkpoint after this long, if there was an update.")),
        new ValueField<CheckpointOptions>(new Setting<CheckpointOptions, int>(
            "keep", new IntegerKind(1, 1000), o => o.Keep, (o, v) => o with { Keep = v }, "Checkpoints kept.")));

    private static readonly Table<DeadLetterOptions> DeadLetters = new(
        () => new DeadLetterOptions { Brokers = [], Topic = "" },
        new TextListField<DeadLetterOptions>(
            "brokers", "Some of the cluster's brokers, host:port.", o => o.Brokers, (o, v) => o with { Brokers = v })
        { IsRequired = true },
        new ValueField<DeadLetterOptions>(new Setting<DeadLetterOptions, string>(
            "topic", new TopicNameKind(), o => o.Topic, (o, v) => o with { Topic = v }, "The dead-letter topic."))
        { IsRequired = true },
        new ValueField<DeadLetterOptions>(new Setting<DeadLetterOptions, TimeSpan?>(
            "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
            (o, v) => o with { UnavailableAfter = v },
            "Brokers out of reach for this long end the worker (69); null waits for ever.")),
        new KafkaPropertiesField<DeadLetterOptions>(o => o.Properties, (o, v) => o with { Properties = v }));

    private static readonly Table<CandidateOptions> Candidates = new(
        () => new CandidateOptions(),
        new ValueField<CandidateOptions>(new Setting<CandidateOptions, IReadOnlyList<int>>(
            "components", new ComponentNumbersKind(), o => o.Components, (o, v) => o with { Components = v },
            "Their numbers of components, or of states: 1..8, or 2,3,5.")),
        new ValueField<CandidateOptions>(new Setting<CandidateOptions, int>(
            "every", new IntegerKind(1, 1000), o => o.Every, (o, v) => o with { Every = v },
            "They learn from one minibatch in so many; of sequences from all.")));

    private static readonly Table<RejectedOptions> Rejected = new(
        () => new RejectedOptions(),
        new ValueField<RejectedOptions>(new Setting<RejectedOptions, string?>(
            "file", new OptionalTextKind("the path of a file, or null"), o => o.File, (o, v) => o with { File = v },
            "NDJSON file that keeps records that cannot be used; null: rejected.ndjson beside the checkpoints, or only the topic.")),
        new OptionalSectionField<RejectedOptions, DeadLetterOptions>(
            "kafka", "Topic that gets records that cannot be used.", DeadLetters, o => o.Kafka, (o, v) => o with { Kafka = v }),
        new ValueField<RejectedOptions>(new Setting<RejectedOptions, double>(
            "stop_above_ratio", new NumberKind(Interval.Closed(0, 1)), o => o.StopAboveRatio, (o, v) => o with { StopAboveRatio = v },
            "The model fails when more than this share of the records cannot be used, and 1 never does; with an http source it goes on and "
                + "holds the clients back.")));

    /// <summary>An item of <c>models</c>.</summary>
    public static readonly Table<ModelOptions> Model = new(
        NewModel,
        new ValueField<ModelOptions>(new Setting<ModelOptions, string>(
            "id", new TextKind(IdPattern(), $"an id of a-z, 0-9, '.', '_' and '-', at most 64, starting with a letter or digit"),
            o => o.Id, (o, v) => o with { Id = v }, "Name of the model in paths, files and topics."))
        { IsRequired = true },
        SourceTables.Field,
        new FeaturesField { IsRequired = true },
        new ValueField<ModelOptions>(new Setting<ModelOptions, int>(
            "feature_keys", new IntegerKind(1, 10_000_000), o => o.Schema.FeatureKeys,
            (o, v) => o with { Schema = o.Schema with { FeatureKeys = v } },
            "Keys whose past is remembered for features that are made of it; beyond, the one not met for longest begins anew.")),
        new WhereField(),
        SchemaField("label", o => o.Label, (o, v) => o with { Label = v }, "Field of the label; empty values are unlabelled."),
        SchemaField("weight", o => o.Weight, (o, v) => o with { Weight = v }, "Field of the record's weight."),
        SchemaField("key", o => o.Key, (o, v) => o with { Key = v }, "Field of the key that sequences are grouped by."),
        new ValueField<ModelOptions>(new Setting<ModelOptions, bool>(
            "per_key", new BooleanKind(), o => o.PerKey, (o, v) => o with { PerKey = v },
            "Whether every key has a small mixture of its own, which scores its records; for a mixture that grows.")),
        new ValueField<ModelOptions>(new Setting<ModelOptions, int>(
            "max_keys", new IntegerKind(1, 100_000_000), o => o.MaxKeys, (o, v) => o with { MaxKeys = v },
            "With per_key: keys whose mixture is in memory; those not met for longest are on disk.")),
        SchemaField("timestamp", o => o.Timestamp, (o, v) => o with { Timestamp = v }, "Field of the event time."),
        new ValueField<ModelOptions>(new Setting<ModelOptions, TimestampUnit>(
            "timestamp_unit", new ChoiceKind<TimestampUnit>(), o => o.Schema.TimestampUnit,
            (o, v) => o with { Schema = o.Schema with { TimestampUnit = v } },
            "What a number in timestamp counts since 1970; auto: told by its magnitude.")),
        SchemaField("target", o => o.Target, (o, v) => o with { Target = v }, "Field of the value to be predicted."),
        new ValueField<ModelOptions>(new Setting<ModelOptions, Missing>(
            "missing", new ChoiceKind<Missing>(), o => o.Schema.AllowMissing ? Missing.Allow : Missing.Reject,
            (o, v) => o with { Schema = o.Schema with { AllowMissing = v == Missing.Allow } }, "Whether a feature may be missing.")),
        new TextListField<ModelOptions>(
            "missing_values", "What is written where there is no value, beside NaN, NA, null, ? and the like.", o => o.Schema.MissingValues,
            (o, v) => o with { Schema = o.Schema with { MissingValues = v } }),
        new CatalogField<ModelOptions>("model", "What is learned.", o => o.Model, (o, v) => o with { Model = v }) { IsRequired = true },
        LearningTable.Field,
        CalendarTable.Field,
        new SectionField<ModelOptions, CheckpointOptions>(
            "checkpoint", "When the state is written.", Checkpoint, o => o.Checkpoint, (o, v) => o with { Checkpoint = v }),
        PublisherTables.Field,
        ScoreTables.Scores,
        ScoreTables.Alarms,
        new OptionalSectionField<ModelOptions, CandidateOptions>(
            "candidates", "Models with other numbers of components that learn the same stream, to be compared with; null: none.",
            Candidates, o => o.Candidates, (o, v) => o with { Candidates = v }),
        ScaleOutTable.Field,
        FeedbackTable.Field,
        new SectionField<ModelOptions, RejectedOptions>(
            "rejected", "What happens to records that cannot be used.", Rejected, o => o.Rejected, (o, v) => o with { Rejected = v }),
        new ValueField<ModelOptions>(new Setting<ModelOptions, FailurePolicy?>(
            "on_failure", new NullableKind<FailurePolicy>(new ChoiceKind<FailurePolicy>()), o => o.OnFailure,
            (o, v) => o with { OnFailure = v },
            "What ends when the model cannot go on; null: the worker when it is its only model, else the model alone.")));

    /// <summary>The whole file.</summary>
    public static readonly Table<WorkerOptions> Root = new(
        () => new WorkerOptions(),
        new SectionField<WorkerOptions, HttpOptions>("http", "The API.", Http, o => o.Http, (o, v) => o with { Http = v }),
        new ValueField<WorkerOptions>(new Setting<WorkerOptions, string>(
            "state_directory", new TextKind(), o => o.StateDirectory, (o, v) => o with { StateDirectory = v },
            "The only directory the worker owns.")),
        new ValueField<WorkerOptions>(new Setting<WorkerOptions, bool>(
            "serve", new BooleanKind(), o => o.Serve, (o, v) => o with { Serve = v },
            "Whether the process stays to answer queries when standard input has ended; else it ends then.")),
        new DefaultsField(),
        new ListField<WorkerOptions, ModelOptions>(
            "models", "The models to learn.", (node, path, binder) => binder.Bind(Model, node, path), Model.Describe, o => o.Models,
            (o, v) => o with { Models = v })
        { IsRequired = true, ItemSchema = Model.Schema },
        TestTable.Field);

    private enum Missing
    {
        Allow,
        Reject,
    }

    /// <summary>A model with every default; what is required is still empty.</summary>
    public static ModelOptions NewModel() => new() { Id = "", Source = null!, Schema = new RecordSchema { Features = [] }, Model = null! };

    private static ValueField<ModelOptions> SchemaField(
        string key, Func<RecordSchema, string?> get, Func<RecordSchema, string?, RecordSchema> set, string description) =>
        new(new Setting<ModelOptions, string?>(
            key, FieldName, o => get(o.Schema), (o, v) => o with { Schema = set(o.Schema, v) }, description));

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}\\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex IdPattern();
}
