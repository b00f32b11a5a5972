using StreamEm.Sources.Files;
using StreamEm.Sources.Http;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Mqtt;
using StreamEm.Sources.Stdin;

namespace StreamEm.Sources.Catalog;

/// <summary>One kind of source.</summary>
/// <param name="Name">Its name in the configuration: the key under <c>source</c>.</param>
/// <param name="Description">One line for a person.</param>
/// <param name="OptionsType">The record that configures it.</param>
/// <param name="Create">Makes one; it begins to read when it is first asked to.</param>
public sealed record SourceType(string Name, string Description, Type OptionsType, Func<SourceOptions, SourceContext, RecordSource> Create);

/// <summary>All kinds of sources, one line each.</summary>
public static class SourceCatalog
{
    /// <summary>In the order of the documentation.</summary>
    public static IReadOnlyList<SourceType> Types { get; } =
    [
        Type<FileSourceOptions>("file", "CSV, NDJSON or Parquet files and globs, gzip read as is; follow: true waits for growth",
            (o, c) => new FileSource(o, c)),
        Type<KafkaSourceOptions>(
            "kafka", "Kafka topics, round robin over their partitions from positions in the state", (o, c) => new KafkaSource(o, c)),
        Type<MqttSourceOptions>(
            "mqtt", "MQTT topics with wildcards, quality of service 1; acknowledged when a checkpoint holds them",
            (o, c) => new MqttSource(o, c)),
        Type<StdinSourceOptions>("stdin", "CSV or NDJSON from standard input; cannot be read again", (o, c) => new StdinSource(o, c)),
        Type<HttpSourceOptions>("http", "records posted to /v1/models/{id}/records; cannot be read again",
            (o, c) => new HttpPushSource(o, c)),
    ];

    /// <summary>The source that an options record configures.</summary>
    /// <exception cref="ArgumentException">No source has such options.</exception>
    /// <exception cref="SourceException">Options and schema cannot be used together.</exception>
    public static RecordSource Create(SourceOptions options, SourceContext context)
    {
        SourceType? type = Types.FirstOrDefault(candidate => candidate.OptionsType == options.GetType());
        if (type is not null) return type.Create(options, context);
        string known = string.Join(", ", Types.Select(candidate => candidate.OptionsType.Name));
        throw new ArgumentException($"No source is configured by a {options.GetType().Name}; expected one of {known}.", nameof(options));
    }

    /// <summary>The name of the source that an options record configures.</summary>
    public static string NameOf(SourceOptions options) => Types.First(candidate => candidate.OptionsType == options.GetType()).Name;

    private static SourceType Type<T>(string name, string description, Func<T, SourceContext, RecordSource> create)
        where T : SourceOptions =>
        new(name, description, typeof(T), (options, context) => create((T)options, context));
}
