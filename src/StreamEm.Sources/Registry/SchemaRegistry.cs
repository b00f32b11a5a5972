using System.Globalization;
using System.Text.Json;
using StreamEm.Sources.Avro;

namespace StreamEm.Sources.Registry;

/// <summary>
/// The schemas of a registry by their number, each asked for once: what a number means never changes. While the registry does not answer it
/// is asked again every second, and whoever needs the schema waits; only the answer that there is none with a number, three times, is
/// taken for one, and asked for again after a minute. Used by one reader; <see cref="Problem"/> by any thread.
/// </summary>
/// <param name="options">Where it is.</param>
/// <param name="unavailableAfter">After how long without an answer the source ends; null: never; zero: it is asked once.</param>
/// <param name="time">The clock.</param>
internal sealed class SchemaRegistry(SchemaRegistryOptions options, TimeSpan? unavailableAfter, TimeProvider time) : IDisposable
{
    private const string AvroLanguage = "AVRO", JsonLanguage = "JSON";

    /// <summary>A registry that follows another may learn of a new schema after the first messages have come.</summary>
    private const int AsksBeforeUnknown = 3;

    private const int MostUnknown = 1000, MaxReferenceDepth = 16;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1), AskAgainAfter = TimeSpan.FromMinutes(1);

    private readonly RegistryConnection _connection = new(options);
    private readonly Dictionary<int, RegisteredSchema> _known = [];
    private readonly Dictionary<int, (RegisteredSchema Answer, long Since)> _unknown = [];
    private volatile string? _problem;

    /// <summary>What is wrong and what is done about it; null while the registry answers.</summary>
    public string? Problem => _problem;

    /// <summary>Whether the schema with a number has to be asked for, because it was not or there was none.</summary>
    public bool Lacks(int number) => !_known.ContainsKey(number)
        && (!_unknown.TryGetValue(number, out (RegisteredSchema Answer, long Since) none)
            || time.GetElapsedTime(none.Since) >= AskAgainAfter);

    /// <summary>The schema with a number, or that there is none, as was last answered; null when nobody has asked.</summary>
    public RegisteredSchema? Find(int number) => _known.TryGetValue(number, out RegisteredSchema? schema) ? schema
        : _unknown.TryGetValue(number, out (RegisteredSchema Answer, long Since) none) ? none.Answer : null;

    /// <summary>Asks for a schema until there is an answer.</summary>
    /// <exception cref="SourceException">Access is denied, or there was no answer for too long.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped.</exception>
    public async Task LearnAsync(int number, CancellationToken stop)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"schemas/ids/{number}");
        for (int ask = 1; ; ask++)
        {
            JsonElement? answer = await AskAsync(path, stop).ConfigureAwait(false);
            if (answer is { } schema)
            {
                _known[number] = await ReadAsync(number, schema, stop).ConfigureAwait(false);
                _unknown.Remove(number);
                return;
            }
            if (ask == AsksBeforeUnknown) break;
            await Task.Delay(Retry, time, stop).ConfigureAwait(false);
        }
        if (_unknown.Count >= MostUnknown) _unknown.Clear();
        _unknown[number] = (new RegisteredSchema(number, "", null, string.Create(CultureInfo.InvariantCulture,
            $"the schema registry has no schema {number}"), IsUnknown: true), time.GetTimestamp());
    }

    /// <summary>The newest schema of a subject; null when it has none.</summary>
    /// <exception cref="SourceException">Access is denied, or there was no answer for too long.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped.</exception>
    public async Task<RegisteredSchema?> NewestAsync(string subject, CancellationToken stop)
    {
        JsonElement? answer = await AskAsync($"subjects/{Uri.EscapeDataString(subject)}/versions/latest", stop).ConfigureAwait(false);
        if (answer is not { } schema) return null;
        int number = schema.TryGetProperty("id", out JsonElement id) && id.TryGetInt32(out int given) ? given : 0;
        return await ReadAsync(number, schema, stop).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private async Task<JsonElement?> AskAsync(string path, CancellationToken stop)
    {
        long since = time.GetTimestamp();
        while (true)
        {
            RegistryAnswer answer = await _connection.GetAsync(path, stop).ConfigureAwait(false);
            if (answer.Failure is not { } failure)
            {
                _problem = null;
                return answer.Json;
            }
            string sentence = $"The schema registry cannot be asked: {failure}.";
            _problem = $"{sentence} Trying again.";
            if (unavailableAfter is { } limit && time.GetElapsedTime(since) >= limit)
                throw new SourceException(SourceFailure.Unavailable, string.Create(CultureInfo.InvariantCulture,
                    $"{sentence}{(limit == TimeSpan.Zero ? "" : Lasted(limit))} Check the registry, the network and "
                        + $"source.kafka.schema_registry."));
            await Task.Delay(Retry, time, stop).ConfigureAwait(false);
        }
    }

    private static string Lasted(TimeSpan limit) => string.Create(
        CultureInfo.InvariantCulture, $" That has lasted {limit.TotalSeconds:0.#} s, the limit source.kafka.unavailable_after.");

    private async Task<RegisteredSchema> ReadAsync(int number, JsonElement answer, CancellationToken stop)
    {
        string language = answer.TryGetProperty("schemaType", out JsonElement kind) && kind.ValueKind == JsonValueKind.String
            ? kind.GetString()! : AvroLanguage;
        if (language != AvroLanguage) return new RegisteredSchema(number, language, null, null);
        var reader = new AvroSchemaReader();
        try
        {
            await ReadReferencesAsync(answer, reader, [], 0, stop).ConfigureAwait(false);
            return new RegisteredSchema(number, language, reader.Read(TextOf(answer)), null);
        }
        catch (FormatException damage)
        {
            return new RegisteredSchema(number, language, null,
                string.Create(CultureInfo.InvariantCulture, $"schema {number} of the registry cannot be read: {damage.Message}"));
        }
    }

    /// <summary>Reads what a schema refers to, and before it what that refers to.</summary>
    private async Task ReadReferencesAsync(
        JsonElement answer, AvroSchemaReader reader, HashSet<string> read, int depth, CancellationToken stop)
    {
        if (!answer.TryGetProperty("references", out JsonElement references) || references.ValueKind != JsonValueKind.Array) return;
        if (depth == MaxReferenceDepth) throw new FormatException("its references are nested too deep");
        foreach (JsonElement reference in references.EnumerateArray())
        {
            if (!reference.TryGetProperty("subject", out JsonElement subject)
                || !reference.TryGetProperty("version", out JsonElement version) || !version.TryGetInt32(out int wanted))
                throw new FormatException("a reference has no subject or no version");
            string path = string.Create(
                CultureInfo.InvariantCulture, $"subjects/{Uri.EscapeDataString(subject.GetString() ?? "")}/versions/{wanted}");
            if (!read.Add(path)) continue;
            if (await AskAsync(path, stop).ConfigureAwait(false) is not { } other)
                throw new FormatException("it refers to a schema that the registry does not have");
            await ReadReferencesAsync(other, reader, read, depth + 1, stop).ConfigureAwait(false);
            reader.Read(TextOf(other));
        }
    }

    private static string TextOf(JsonElement answer) =>
        answer.TryGetProperty("schema", out JsonElement schema) && schema.ValueKind == JsonValueKind.String
            ? schema.GetString()! : throw new FormatException("the registry's answer has no schema");

    /// <summary>What a format is called in the registry.</summary>
    public static string LanguageOf(bool isAvro) => isAvro ? AvroLanguage : JsonLanguage;
}
