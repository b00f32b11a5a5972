using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// The client properties a user may set (<c>properties</c>): everything the client knows, but for what this project decides itself, what
/// runs or loads code, what writes files or secrets, and what accepts any broker's certificate.
/// </summary>
public static class KafkaProperties
{
    private const string OwnReason = "the worker sets it itself";
    private const string CodeReason = "it would load foreign code";
    private const string SecretReason = "it would write secrets to the log";
    private const string IdentityReason =
        "it accepts any broker's certificate; give the authority's certificate as ssl.ca.location instead";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        ["bootstrap.servers"] = "use brokers",
        ["metadata.broker.list"] = "use brokers",
        ["group.id"] = "use group_id",
        ["group.instance.id"] = OwnReason,
        ["group.protocol"] = OwnReason,
        ["enable.auto.commit"] = OwnReason,
        ["enable.auto.offset.store"] = OwnReason,
        ["auto.commit.interval.ms"] = OwnReason,
        ["auto.offset.reset"] = "use start and on_gap",
        ["enable.partition.eof"] = OwnReason,
        ["partition.assignment.strategy"] = OwnReason,
        ["transactional.id"] = OwnReason,
        ["enable.idempotence"] = OwnReason,
        ["acks"] = OwnReason,
        ["request.required.acks"] = OwnReason,
        ["offset.store.method"] = "offsets are part of the checkpoint",
        ["offset.store.path"] = "offsets are part of the checkpoint",
        ["plugin.library.paths"] = CodeReason,
        ["ssl.engine.location"] = CodeReason,
        ["ssl.providers"] = CodeReason,
        ["sasl.kerberos.kinit.cmd"] = "it would run a command",
        ["debug"] = SecretReason,
        ["enable.ssl.certificate.verification"] = IdentityReason,
        ["opaque"] = CodeReason,
    };

    /// <summary>What is wrong with a user's properties, one sentence each; empty when nothing is.</summary>
    public static IEnumerable<string> Errors(IReadOnlyDictionary<string, string> properties)
    {
        foreach ((string name, string value) in properties)
        {
            if (Refusal(name, value) is { } reason) yield return $"properties: '{name}' may not be set: {reason}.";
        }
    }

    /// <summary>Adds a user's properties to a client's configuration.</summary>
    /// <exception cref="SourceException">Some of them are refused.</exception>
    public static void Apply(IReadOnlyDictionary<string, string> properties, ClientConfig config)
    {
        if (Errors(properties).ToList() is { Count: > 0 } errors)
            throw new SourceException(SourceFailure.Configuration, string.Join(' ', errors));
        foreach ((string name, string value) in properties) config.Set(name, value);
    }

    /// <summary>Why a property may not be set; null when it may.</summary>
    public static string? Refusal(string name, string value)
    {
        if (name.EndsWith("_cb", StringComparison.OrdinalIgnoreCase)) return CodeReason;
        if (name.StartsWith("dotnet.", StringComparison.OrdinalIgnoreCase)) return OwnReason;
        if (string.Equals(name, "enable.ssl.certificate.verification", StringComparison.OrdinalIgnoreCase) && value == "true") return null;
        return Refused.GetValueOrDefault(name);
    }
}
