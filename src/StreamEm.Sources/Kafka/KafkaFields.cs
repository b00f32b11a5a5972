using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// The names by which a schema takes parts of a message instead of fields of its value: <c>kafka.key</c> as the key, <c>kafka.timestamp</c>
/// as the timestamp, <c>kafka.header.NAME</c> as the weight.
/// </summary>
public static class KafkaFields
{
    /// <summary>The message's key.</summary>
    public const string Key = "kafka.key";

    /// <summary>The message's timestamp.</summary>
    public const string Timestamp = "kafka.timestamp";

    /// <summary>Before a header's name.</summary>
    public const string HeaderPrefix = "kafka.header.";

    private const string Prefix = "kafka.";
    private const string WhereRole = "where";
    private const string KeyRole = "key", TimestampRole = "timestamp", WeightRole = "weight";

    /// <summary>
    /// Parts of the message that cannot have the role they are given: its place in the model's configuration (<c>weight</c>,
    /// <c>features.2</c>), and why.
    /// </summary>
    public static IEnumerable<(string Role, string Reason)> Refusals(RecordSchema schema) =>
        from named in RolesOf(schema)
        let reason = Refusal(named.Role, named.Field)
        where reason is not null
        select (named.Role, reason);

    /// <summary>Fields of the value that were probably meant to be a part of the message, and which: <c>kafka.headers.x</c>.</summary>
    public static IEnumerable<(string Role, string Field, string Meant)> Doubts(RecordSchema schema) =>
        from named in RolesOf(schema)
        where !IsPart(named.Field) && named.Field.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        let meant = named.Role switch { KeyRole => Key, TimestampRole => Timestamp, WeightRole => $"{HeaderPrefix}NAME", _ => null }
        where meant is not null
        select (named.Role, named.Field, meant);

    private static string? Refusal(string role, string field) => (role, field) switch
    {
        _ when !IsPart(field) => null,
        (KeyRole, Key) or (TimestampRole, Timestamp) => null,
        (WeightRole, HeaderPrefix) => $"'{field}' names no header; expected {HeaderPrefix}NAME.",
        (WeightRole, not (Key or Timestamp)) => null,
        _ => $"'{field}' cannot be used here: key may be {Key}, timestamp {Timestamp} and weight {HeaderPrefix}NAME; everything else is "
            + "taken from the message's value.",
    };

    private static bool IsPart(string field) => field is Key or Timestamp || field.StartsWith(HeaderPrefix, StringComparison.Ordinal);

    private static IEnumerable<(string Role, string Field)> RolesOf(RecordSchema schema)
    {
        for (int i = 0; i < schema.Features.Count; i++)
            yield return (string.Create(CultureInfo.InvariantCulture, $"features.{i}"), schema.Features[i]);
        foreach ((string role, string? field) in ((string, string?)[])[(KeyRole, schema.Key), (TimestampRole, schema.Timestamp),
            (WeightRole, schema.Weight), ("label", schema.Label), ("target", schema.Target)])
            if (field is not null) yield return (role, field);
        foreach (string field in schema.Where?.Fields ?? []) yield return (WhereRole, field);
    }
}
