using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Sources.Avro;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Kafka;

/// <summary>Asks a schema registry, before anything is read, whether it has what the topics of a source need.</summary>
public static class RegistryProbe
{
    private const int ShownFields = 40;

    /// <summary>
    /// Looks at the newest schema of every topic's subjects (<c>TOPIC-value</c>, <c>TOPIC-key</c>). That there is none yet is no fault:
    /// messages name their schemas by number, whatever subject they are under.
    /// </summary>
    /// <param name="options">The source, with a registry.</param>
    /// <param name="schema">The records' fields.</param>
    /// <param name="patience">How long the registry may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stop">Ends the question.</param>
    /// <returns>What was found, for a person.</returns>
    /// <exception cref="SourceException">The registry does not answer or denies access; or a schema cannot be used, or lacks a
    /// field.</exception>
    public static async Task<string> AskAsync(
        KafkaSourceOptions options, RecordSchema schema, TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        using var registry = new SchemaRegistry(options.SchemaRegistry!, unavailableAfter: TimeSpan.Zero, time);
        using var limit = new CancellationTokenSource(patience, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        (List<string> found, List<string> refused) = ([], []);
        try
        {
            foreach (string topic in options.Topics)
            {
                if (options.Format is RecordFormat.Avro or RecordFormat.JsonSchema)
                    await Try(() => ValueAsync(registry, options, topic, schema, deadline.Token)).ConfigureAwait(false);
                if (options.KeyFormat != KeyFormat.Text)
                    await Try(() => KeyAsync(registry, topic, options.KeyFormat, deadline.Token)).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new SourceException(SourceFailure.Unavailable, registry.Problem ?? string.Create(
                CultureInfo.InvariantCulture, $"The schema registry does not answer within {patience.TotalSeconds:0} s."));
        }

        return refused.Count == 0 ? string.Join("; ", found)
            : throw new SourceException(SourceFailure.Configuration, string.Join(' ', refused));

        // What one schema lacks keeps nobody from hearing of the others.
        async Task Try(Func<Task<string>> ask)
        {
            try
            {
                found.Add(await ask().ConfigureAwait(false));
            }
            catch (SourceException lacking) when (lacking.Failure == SourceFailure.Configuration)
            {
                refused.Add(lacking.Message);
            }
        }
    }

    private static async Task<string> ValueAsync(
        SchemaRegistry registry, KafkaSourceOptions options, string topic, RecordSchema schema, CancellationToken stop)
    {
        string subject = $"{topic}-value";
        if (await registry.NewestAsync(subject, stop).ConfigureAwait(false) is not { } newest) return NoneYet(subject);
        var decoder = new RegistryDecoder(registry, options.Format, new KafkaMessageFields(schema).Value);
        Refuse(decoder.Refusal(newest));
        if (newest.Avro is not { } type) return Invariant($"subject '{subject}' has schema {newest.Number}");
        string[] names = [.. NamesIn(type, "", 0).Distinct()];
        string[] lacking = [.. decoder.Lacking(newest).Select(field => $"no field '{field}'{Spelling.Suggestion(field, names)}")];
        if (lacking.Length > 0)
            Refuse(Invariant($"Schema {newest.Number}, the newest of subject '{subject}', has {string.Join("; ", lacking)}")
                + $"; its fields are: {string.Join(", ", names.Take(ShownFields))}"
                + (names.Length > ShownFields ? Invariant($" and {names.Length - ShownFields} more") : ""));
        return Invariant($"schema {newest.Number} of subject '{subject}' has all the fields");
    }

    private static async Task<string> KeyAsync(SchemaRegistry registry, string topic, KeyFormat format, CancellationToken stop)
    {
        string subject = $"{topic}-key", language = SchemaRegistry.LanguageOf(format == KeyFormat.Avro);
        if (await registry.NewestAsync(subject, stop).ConfigureAwait(false) is not { } newest) return NoneYet(subject);
        Refuse(newest.Problem ?? (newest.Language == language ? null : Invariant(
            $"schema {newest.Number} of subject '{subject}' is of type {newest.Language}, expected {language} (source.kafka.key_format)")));
        return Invariant($"schema {newest.Number} of subject '{subject}' is for the keys");
    }

    private static string NoneYet(string subject) => $"no subject '{subject}' yet; each message names its schema";

    private static void Refuse(string? problem)
    {
        if (problem is not null) throw new SourceException(SourceFailure.Configuration, $"{problem}.");
    }

    /// <summary>The names of the values that a type holds, as fields of the records name them.</summary>
    private static IEnumerable<string> NamesIn(AvroType type, string path, int depth) => type.Kind switch
    {
        AvroKind.Union => type.Branches.SelectMany(branch => NamesIn(branch, path, depth)),
        AvroKind.Record when depth < 4 => type.Fields.SelectMany(
            field => NamesIn(field.Type, path.Length == 0 ? field.Name : $"{path}.{field.Name}", depth + 1)),
        AvroKind.Map when depth < 4 => NamesIn(type.Items!, $"{path}.KEY", depth + 1),
        AvroKind.Null => [],
        _ => [path],
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
