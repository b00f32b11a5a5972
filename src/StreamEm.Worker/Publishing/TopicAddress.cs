using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Publishing;

/// <summary>A topic named on a command line: <c>kafka://host:port[,host:port]/topic[?model=id]</c>.</summary>
/// <param name="Brokers">host:port of some of the cluster's brokers.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Model">One model's id; null for all.</param>
internal sealed record TopicAddress(IReadOnlyList<string> Brokers, string Topic, string? Model)
{
    private const string Scheme = "kafka://";
    private const string ModelQuery = "model=";

    /// <summary>Whether a text is meant to be one.</summary>
    public static bool IsOne(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Reads one.</summary>
    /// <exception cref="CommandException">It is none (64).</exception>
    public static TopicAddress Parse(string text)
    {
        string[] parts = text[Scheme.Length..].Split('/', 2);
        string[] brokers = parts[0].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] rest = parts.Length == 2 ? parts[1].Split('?', 2) : [""];
        bool hasModel = rest.Length == 2 && rest[1].StartsWith(ModelQuery, StringComparison.Ordinal) && rest[1].Length > ModelQuery.Length;
        bool isWhole = brokers.Length > 0 && new TopicNameKind().TryParse(rest[0], out _) && (rest.Length == 1 || hasModel);
        if (!isWhole)
            throw new CommandException(
                ExitCode.Usage, $"'{text}' names no topic; expected kafka://host:port/topic or kafka://host:port,host:port/topic?model=id");
        return new TopicAddress(brokers, rest[0], hasModel ? Uri.UnescapeDataString(rest[1][ModelQuery.Length..]) : null);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}{string.Join(',', Brokers)}/{Topic}";
}
