using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>The JSON header of a checkpoint file: everything small as it is, and the lengths of the body's parts in their order.</summary>
internal sealed record CheckpointHeader : CheckpointFields
{
    private const string FormatName = "streamem.checkpoint";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    [JsonConstructor]
    public CheckpointHeader()
    {
    }

    /// <summary>The header of a checkpoint.</summary>
    [SetsRequiredMembers]
    public CheckpointHeader(Checkpoint checkpoint)
        : base(checkpoint)
    {
        Format = FormatName;
        LearnerLength = checkpoint.Learner.Length;
        LatestLength = checkpoint.Latest?.Json.Length ?? 0;
        ScoresLength = checkpoint.Scores.IsEmpty ? null : checkpoint.Scores.Length;
        CandidatesLength = checkpoint.Candidates.IsEmpty ? null : checkpoint.Candidates.Length;
        PinnedLength = checkpoint.Pinned?.Json.Length;
        Outbox =
            [.. checkpoint.Outbox.Select(entry => new OutboxPart(entry.Version, entry.IsLast, entry.Json.Length, entry.IsAcknowledged))];
    }

    [JsonPropertyOrder(-1)]
    public required string Format { get; init; }

    [JsonPropertyOrder(1)]
    public required int LearnerLength { get; init; }

    [JsonPropertyOrder(1)]
    public required int LatestLength { get; init; }

    [JsonPropertyOrder(1)]
    public required IReadOnlyList<OutboxPart> Outbox { get; init; }

    /// <summary>Absent where nothing is scored.</summary>
    [JsonPropertyOrder(1)]
    public int? ScoresLength { get; init; }

    /// <summary>Absent where nothing is compared.</summary>
    [JsonPropertyOrder(1)]
    public int? CandidatesLength { get; init; }

    /// <summary>Absent where no version is pinned.</summary>
    [JsonPropertyOrder(1)]
    public int? PinnedLength { get; init; }

    private long BodyLength => (long)LearnerLength + LatestLength + Outbox.Sum(part => (long)part.Length) + (ScoresLength ?? 0)
        + (CandidatesLength ?? 0) + (PinnedLength ?? 0);

    /// <summary>Reads a header.</summary>
    /// <exception cref="InvalidDataException">It is of another format.</exception>
    /// <exception cref="JsonException">It is not a header.</exception>
    public static CheckpointHeader Parse(ReadOnlySpan<byte> json)
    {
        CheckpointHeader header = JsonSerializer.Deserialize<CheckpointHeader>(json, Json)
            ?? throw new InvalidDataException("Its header is null.");
        return header.Format == FormatName
            ? header
            : throw new InvalidDataException($"Its header says format '{header.Format}'; expected '{FormatName}'.");
    }

    /// <summary>The header as it is written.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The checkpoint of this header and its body; its parts are slices of that.</summary>
    /// <param name="body">The body.</param>
    /// <param name="parse">How a snapshot in it is read.</param>
    /// <exception cref="InvalidDataException">The body is not what the header says.</exception>
    public Checkpoint WithBody(ReadOnlyMemory<byte> body, Func<ReadOnlyMemory<byte>, SnapshotDocument> parse)
    {
        if (LearnerLength < 0 || LatestLength < 0 || ScoresLength < 0 || CandidatesLength < 0 || PinnedLength < 0
            || Outbox.Any(part => part.Length < 0) || BodyLength != body.Length)
            throw new InvalidDataException($"Its header names parts of {BodyLength} bytes in all; the body has {body.Length}.");

        if (Updates < 0 || Records < 0 || RejectedFileLength < 0 || StatisticsNext < 0 || StatisticsCuts < 0 || Rejections.Read < 0
            || Rejections.ByReason.Any(count => count < 0)
            || !(Rejections.RecentRead >= 0) || !(Rejections.RecentRejected >= 0)
            || Position.Partitions.Values.Any(next => next.Next < 0 || next.End < 0 || next.Skipped < 0))
            throw new InvalidDataException("Its header has a count, a length or a position below 0.");
        if (Keys is { } keys && (keys.Keys < 0 || keys.Segments.Any(segment => segment is not { Number: > 0, Length: > 0 })))
            throw new InvalidDataException("Its header names files of keys that cannot be.");
        for (int at = 1; at < Outbox.Count; at++)
            if (Outbox[at].Version < Outbox[at - 1].Version)
                throw new InvalidDataException("The versions of its outbox are out of order.");

        ReadOnlyMemory<byte> Next(int length)
        {
            ReadOnlyMemory<byte> part = body[..length];
            body = body[length..];
            return part;
        }

        ReadOnlyMemory<byte> learner = Next(LearnerLength), latest = Next(LatestLength);
        List<OutboxEntry> outbox =
            [.. Outbox.Select(part => new OutboxEntry(part.Version, part.IsLast, Next(part.Length), part.IsAcknowledged))];
        ReadOnlyMemory<byte> scores = Next(ScoresLength ?? 0), candidates = Next(CandidatesLength ?? 0), pinned = Next(PinnedLength ?? 0);
        return new Checkpoint(this, learner, latest.IsEmpty ? null : parse(latest), outbox, scores, candidates,
            pinned.IsEmpty ? null : parse(pinned));
    }

    /// <summary>One outbox entry's part of the body.</summary>
    internal sealed record OutboxPart(long Version, bool IsLast, int Length, bool IsAcknowledged = false);
}
