using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Mqtt;

/// <summary>Filters of topics, and the parts of a topic that a record can have its key from.</summary>
public static class MqttTopics
{
    /// <summary>The message's topic, as the schema's key.</summary>
    public const string Field = "mqtt.topic";

    private const string Prefix = "mqtt.";
    private const int MaxBytes = 65_535;

    /// <summary>Whether a text is a filter: levels between slashes, <c>+</c> only as a whole level and <c>#</c> only as the last.</summary>
    public static bool IsFilter(string? text)
    {
        if (string.IsNullOrEmpty(text) || System.Text.Encoding.UTF8.GetByteCount(text) > MaxBytes || text.Any(char.IsControl)) return false;
        string[] levels = text.Split('/');
        for (int level = 0; level < levels.Length; level++)
        {
            bool isLast = level == levels.Length - 1;
            if (levels[level].Contains('#', StringComparison.Ordinal) && !(isLast && levels[level] == "#")) return false;
            if (levels[level].Contains('+', StringComparison.Ordinal) && levels[level] != "+") return false;
        }

        return true;
    }

    /// <summary>
    /// Fields of a schema that name a part of the message and cannot have it: the role (<c>features.2</c>), and why.
    /// </summary>
    public static IEnumerable<(string Role, string Reason)> Refusals(RecordSchema schema)
    {
        IEnumerable<(string Role, string? Field)> roles =
        [
            .. schema.Features.Select((field, at) => (string.Create(CultureInfo.InvariantCulture, $"features.{at}"), (string?)field)),
            ("label", schema.Label), ("weight", schema.Weight), ("timestamp", schema.Timestamp), ("target", schema.Target),
        ];
        foreach ((string role, string? field) in roles)
            if (field?.StartsWith(Field, StringComparison.Ordinal) == true)
                yield return (role, $"'{field}' can be the key alone; everything else is taken from the message.");
        if (schema.Key?.StartsWith(Prefix, StringComparison.Ordinal) == true && LevelOf(schema.Key) is null)
            yield return ("key", $"'{schema.Key}' is no part of a message; expected {Field}, or {Field}.N for level N of the topic.");
    }

    /// <summary>Which level of the topic a key is: -1 for the whole; null where it is a field of the message.</summary>
    internal static int? LevelOf(string? key)
    {
        if (key == Field) return -1;
        const string Level = $"{Field}.";
        return key?.StartsWith(Level, StringComparison.Ordinal) == true
            && int.TryParse(key.AsSpan(Level.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int level) ? level : null;
    }

    /// <summary>A level of a topic, or all of it; empty where it has not so many.</summary>
    internal static ReadOnlySpan<char> PartOf(string topic, int level)
    {
        if (level < 0) return topic;
        ReadOnlySpan<char> rest = topic;
        for (; level > 0; level--)
        {
            int slash = rest.IndexOf('/');
            if (slash < 0) return default;
            rest = rest[(slash + 1)..];
        }

        int end = rest.IndexOf('/');
        return end < 0 ? rest : rest[..end];
    }
}
