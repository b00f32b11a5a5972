using StreamEm.Core.Settings;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Http;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Mqtt;
using StreamEm.Sources.Registry;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>source</c>.</summary>
internal static class SourceTables
{
    private static readonly ChoiceKind<RecordFormat> TextFormats = new(RecordFormat.Csv, RecordFormat.Ndjson);

    private static readonly ChoiceKind<RecordFormat> FileFormats = new(RecordFormat.Csv, RecordFormat.Ndjson, RecordFormat.Parquet);

    private static readonly ChoiceKind<RecordFormat> MessageFormats =
        new(RecordFormat.Csv, RecordFormat.Ndjson, RecordFormat.Float64, RecordFormat.Avro, RecordFormat.JsonSchema);

    private static readonly Table<FileSourceOptions> File = new(
        () => new FileSourceOptions { Path = [] },
        [new TextListField<FileSourceOptions>("path", "Files and globs to read, in this order.", o => o.Path, (o, v) => o with { Path = v })
        { IsRequired = true },
        new ValueField<FileSourceOptions>(new Setting<FileSourceOptions, RecordFormat>(
            "format", FileFormats, o => o.Format, (o, v) => o with { Format = v },
            "How records are written; a name ending in .gz or .zst is decompressed, a Parquet file is read as one.")),
        new ValueField<FileSourceOptions>(new Setting<FileSourceOptions, bool>(
            "follow", new BooleanKind(), o => o.Follow, (o, v) => o with { Follow = v }, "Whether to wait for more records at the end.")),
        .. DialectFields.OfStreams<FileSourceOptions>((o, v) => o with { Csv = v })]);

    private static readonly Table<StdinSourceOptions> Stdin = new(
        () => new StdinSourceOptions(),
        [new ValueField<StdinSourceOptions>(new Setting<StdinSourceOptions, RecordFormat>(
            "format", TextFormats, o => o.Format, (o, v) => o with { Format = v }, "How records are written.")),
        .. DialectFields.OfStreams<StdinSourceOptions>((o, v) => o with { Csv = v })]);

    private static readonly Table<HttpSourceOptions> Http = new(
        () => new HttpSourceOptions(), [.. DialectFields.OfMessages<HttpSourceOptions>((o, v) => o with { Csv = v })]);

    private static readonly Table<KafkaSourceOptions> Kafka = new(
        () => new KafkaSourceOptions { Brokers = [], Topics = [] },
        [new TextListField<KafkaSourceOptions>(
            "brokers", "Some of the cluster's brokers, host:port.", o => o.Brokers, (o, v) => o with { Brokers = v })
        { IsRequired = true },
        new TextListField<KafkaSourceOptions>(
            "topics", "Topics to read.", o => o.Topics, (o, v) => o with { Topics = v }, new TopicNameKind())
        { IsRequired = true },
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, string?>(
            "group_id", new OptionalTextKind(), o => o.GroupId, (o, v) => o with { GroupId = v },
            "Consumer group whose offsets are committed, so that lag can be seen.")),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, RecordFormat>(
            "format", MessageFormats, o => o.Format, (o, v) => o with { Format = v },
            "How a record's value is written; of avro and json_schema the schemas are in a registry.")),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, KeyFormat>(
            "key_format", new ChoiceKind<KeyFormat>(), o => o.KeyFormat, (o, v) => o with { KeyFormat = v },
            "How a message's key is written, where it is used.")),
        new OptionalSectionField<KafkaSourceOptions, SchemaRegistryOptions>(
            "schema_registry", "The registry of the schemas that messages in avro and json_schema name.", RegistryTable.Keys,
            o => o.SchemaRegistry, (o, v) => o with { SchemaRegistry = v }),
        new TextListField<KafkaSourceOptions>("columns",
            "Columns of csv messages, which carry no header; default: the fields in their order.", o => o.Columns ?? [],
            (o, v) => o with { Columns = v.Count == 0 ? null : v }),
        .. DialectFields.OfMessages<KafkaSourceOptions>((o, v) => o with { Csv = v }),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, KafkaStart>(
            "start", new KafkaStartKind(), o => o.Start, (o, v) => o with { Start = v },
            "Where to begin in a partition without a stored position.")),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, TimeSpan?>(
            "idle_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.IdleAfter, (o, v) => o with { IdleAfter = v },
            "A partition at its end for this long is left out until it has records; null waits for ever.")),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, GapPolicy>(
            "on_gap", new ChoiceKind<GapPolicy>(), o => o.OnGap, (o, v) => o with { OnGap = v },
            "What to do when the records at the stored position are gone.")),
        new ValueField<KafkaSourceOptions>(new Setting<KafkaSourceOptions, TimeSpan?>(
            "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
            (o, v) => o with { UnavailableAfter = v },
            "Brokers out of reach or a missing topic for this long end the worker (69, 66); null waits for ever.")),
        new KafkaPropertiesField<KafkaSourceOptions>(o => o.Properties, (o, v) => o with { Properties = v })]);

    private static readonly Table<MqttSourceOptions> Mqtt = new(
        () => new MqttSourceOptions { Server = "", Topics = [], ClientId = "" },
        [new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, string>(
            "server", new MqttServerKind(), o => o.Server, (o, v) => o with { Server = v }, "The broker: mqtt://host:port, or mqtts://."))
        { IsRequired = true },
        new TextListField<MqttSourceOptions>(
            "topics", "Topics to read; + stands for a level, # for all that follow.", o => o.Topics, (o, v) => o with { Topics = v },
            new MqttFilterKind())
        { IsRequired = true },
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, string>(
            "client_id", new TextKind(), o => o.ClientId, (o, v) => o with { ClientId = v },
            "Whose session it is at the broker, which keeps messages while the worker is away; no other client may have it."))
        { IsRequired = true },
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, RecordFormat>(
            "format", TextFormats, o => o.Format, (o, v) => o with { Format = v }, "How a message is written.")),
        new TextListField<MqttSourceOptions>("columns",
            "Columns of csv messages, which carry no header; default: the fields in their order.", o => o.Columns ?? [],
            (o, v) => o with { Columns = v.Count == 0 ? null : v }),
        .. DialectFields.OfMessages<MqttSourceOptions>((o, v) => o with { Csv = v }),
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, MqttProtocol>(
            "protocol", new ChoiceKind<MqttProtocol>(), o => o.Protocol, (o, v) => o with { Protocol = v }, "The protocol's version.")),
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, string?>(
            "username", new OptionalTextKind(), o => o.Username, (o, v) => o with { Username = v }, "Who reads.")),
        new SecretField<MqttSourceOptions>("password", "The password.", o => o.Password, (o, v) => o with { Password = v }),
        new SecretFileField<MqttSourceOptions>(
            "password_file", "File that holds the password.", o => o.Password, (o, v) => o with { Password = v }),
        Pem("ca_file", "Certificates (PEM) of who may have signed the broker's; null: those the machine trusts.", o => o.CaFile,
            (o, v) => o with { CaFile = v }),
        Pem("certificate_file", "The worker's own certificate (PEM).", o => o.CertificateFile, (o, v) => o with { CertificateFile = v }),
        Pem("key_file", "Its private key (PEM); null: in the same file.", o => o.KeyFile, (o, v) => o with { KeyFile = v }),
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, TimeSpan>(
            "session_expires_after", new DurationKind(), o => o.SessionExpiresAfter, (o, v) => o with { SessionExpiresAfter = v },
            "How long the broker keeps messages while the worker is away (mqtt5).")),
        new ValueField<MqttSourceOptions>(new Setting<MqttSourceOptions, TimeSpan?>(
            "unavailable_after", new NullableKind<TimeSpan>(new DurationKind()), o => o.UnavailableAfter,
            (o, v) => o with { UnavailableAfter = v }, "A broker out of reach for this long ends the worker (69); null waits for ever."))]);

    private static readonly OneOf Choice = new(
        Alternative.Of("file", File),
        Alternative.Of("kafka", Kafka),
        Alternative.Of("mqtt", Mqtt),
        Alternative.Of("stdin", Stdin),
        Alternative.Of("http", Http));

    /// <summary><c>source</c>.</summary>
    public static readonly Field<ModelOptions> Field = new OneOfField<ModelOptions>(
        "source", "Where records come from: file, kafka, mqtt, stdin or http.", Choice, o => o.Source,
        (o, v) => o with { Source = (SourceOptions)v, Schema = o.Schema with { Csv = ((SourceOptions)v).Csv } })
    { IsRequired = true };

    /// <summary>A source of the same kind with nothing said of it.</summary>
    public static SourceOptions DefaultsFor(SourceOptions source) => source switch
    {
        FileSourceOptions => File.Seed(),
        StdinSourceOptions => Stdin.Seed(),
        HttpSourceOptions => Http.Seed(),
        KafkaSourceOptions => Kafka.Seed(),
        MqttSourceOptions => Mqtt.Seed(),
        _ => source,
    };

    private static ValueField<MqttSourceOptions> Pem(
        string key, string description, Func<MqttSourceOptions, string?> get, Func<MqttSourceOptions, string?, MqttSourceOptions> set) =>
        new(new Setting<MqttSourceOptions, string?>(key, new OptionalTextKind("the path of a file, or null"), get, set, description));
}
