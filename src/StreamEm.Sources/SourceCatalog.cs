using StreamEm.Sources.Files;
using StreamEm.Sources.Http;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Stdin;

namespace StreamEm.Sources;

/// <summary>One kind of source.</summary>
/// <param name="Name">Its name in the configuration: the key under <c>source</c>.</param>
/// <param name="Description">One line for a person.</param>
/// <param name="OptionsType">The record that configures it.</param>
/// <param name="Create">Makes one.</param>
public sealed record SourceType(string Name, string Description, Type OptionsType, Func<object, RecordSchema, SourcePosition, TimeProvider, RecordSource> Create);

/// <summary>All kinds of sources, one line each.</summary>
public static class SourceCatalog
{
    /// <summary>In the order of the documentation.</summary>
    public static IReadOnlyList<SourceType> Types { get; } =
    [
        Type<FileSourceOptions>("file", "CSV or NDJSON files and globs, gzip read as is; follow: true waits for growth", (o, s, p, t) => new FileSource(o, s, p, t)),
        Type<KafkaSourceOptions>("kafka", "Kafka topics, round robin over their partitions from positions in the state", (o, s, p, t) => new KafkaSource(o, s, p, t)),
        Type<StdinSourceOptions>("stdin", "CSV or NDJSON from standard input; cannot be read again", (o, s, p, _) => new StdinSource(o, s, p)),
        Type<HttpSourceOptions>("http", "records posted to /v1/models/{id}/records; cannot be read again", (o, s, p, _) => new HttpPushSource(o, s, p)),
    ];

    /// <summary>The source that an options record configures, at a position.</summary>
    /// <exception cref="ArgumentException">No source has such options.</exception>
    public static RecordSource Create(object options, RecordSchema schema, SourcePosition start, TimeProvider time)
    {
        SourceType? type = Types.FirstOrDefault(candidate => candidate.OptionsType == options.GetType());
        if (type is not null) return type.Create(options, schema, start, time);
        string known = string.Join(", ", Types.Select(candidate => candidate.OptionsType.Name));
        throw new ArgumentException($"No source is configured by a {options.GetType().Name}; expected one of {known}.", nameof(options));
    }

    private static SourceType Type<T>(string name, string description, Func<T, RecordSchema, SourcePosition, TimeProvider, RecordSource> create) =>
        new(name, description, typeof(T), (options, schema, start, time) => create((T)options, schema, start, time));
}
