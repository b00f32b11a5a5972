using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>Who wrote a record of a topic of snapshots, by its headers and the beginning of its value.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Version">The version.</param>
/// <param name="CreatedAt">When the snapshot was made.</param>
/// <param name="Incarnation">The start of the run; 0 of releases that did not tell it.</param>
/// <param name="Predecessors">Runs whose place the run takes.</param>
/// <param name="Host">Where it was written, for a person; null where nobody says.</param>
internal sealed record SnapshotHeaders(
    string RunId, long Version, DateTimeOffset CreatedAt, long Incarnation, IReadOnlyList<string> Predecessors, string? Host)
{
    /// <summary>The media type of a value.</summary>
    public const string ContentType = "application/vnd.streamem.snapshot+json;v=1";

    /// <summary>The header that holds the snapshot's version as decimal text.</summary>
    public const string VersionHeader = "streamem_version";

    /// <summary>The header that holds <see cref="RunClaim.Incarnation"/> as decimal text.</summary>
    public const string IncarnationHeader = "streamem_incarnation";

    /// <summary>The header that holds the ids of the runs whose place is taken, with commas; left out for none.</summary>
    public const string PredecessorsHeader = "streamem_predecessors";

    private const string SourceHeader = "ce_source", SourcePrefix = "/streamem/";
    private const int MostHostCharacters = 100;

    /// <summary>The end of the year 9999, the latest time there is: no start is later.</summary>
    private const long LatestIncarnation = 253_402_300_799_999;

    /// <summary>The headers of a snapshot, after CloudEvents' Kafka binding.</summary>
    public static Headers Of(SnapshotIdentity identity, RunClaim claim)
    {
        string version = Text(identity.Version);
        var headers = new Headers();
        void Add(string name, string value) => headers.Add(name, Encoding.UTF8.GetBytes(value));
        Add("ce_specversion", "1.0");
        Add("ce_type", "io.streamem.snapshot.v1");
        Add("ce_id", $"{identity.RunId}/{version}");
        Add(SourceHeader, $"{SourcePrefix}{Environment.MachineName}");
        Add("ce_subject", identity.ModelId);
        Add("ce_time", identity.CreatedAtText);
        Add("content-type", ContentType);
        Add(VersionHeader, version);
        Add(IncarnationHeader, Text(claim.Incarnation));
        if (claim.Predecessors.Count > 0)
            Add(PredecessorsHeader, string.Join(',', claim.Predecessors.TakeLast(TopicLease.MostPredecessors)));
        return headers;
    }

    /// <summary>Reads who wrote a record; null when it holds no snapshot.</summary>
    public static SnapshotHeaders? Read(Message<byte[]?, byte[]?> message)
    {
        if (message.Value is not { } json || SnapshotIdentity.Read(json) is not { } identity) return null;
        string? host = HeaderOf(message, SourceHeader) is { } source && source.StartsWith(SourcePrefix, StringComparison.Ordinal)
            ? PrintableText.Of(source[SourcePrefix.Length..])
            : null;
        return new SnapshotHeaders(
            PrintableText.Of(identity.RunId), identity.Version, identity.CreatedAt, IncarnationOf(message),
            HeaderOf(message, PredecessorsHeader)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
            host is { Length: > MostHostCharacters } ? host[..MostHostCharacters] : host);
    }

    private static long IncarnationOf(Message<byte[]?, byte[]?> message) =>
        long.TryParse(HeaderOf(message, IncarnationHeader), NumberStyles.None, CultureInfo.InvariantCulture, out long incarnation)
        && incarnation <= LatestIncarnation
            ? incarnation
            : 0;

    private static string? HeaderOf(Message<byte[]?, byte[]?> message, string name) =>
        message.Headers?.TryGetLastBytes(name, out byte[] value) == true && value is not null ? Encoding.UTF8.GetString(value) : null;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
