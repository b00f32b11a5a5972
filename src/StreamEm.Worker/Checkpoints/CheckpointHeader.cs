using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEm.Sources;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>The JSON header of a checkpoint file: everything small as it is, and the lengths of the body's parts in their order.</summary>
internal sealed record CheckpointHeader
{
    private const string FormatName = "streamem.checkpoint";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
    };

    public required string Format { get; init; }

    public required string ModelId { get; init; }

    public required string RunId { get; init; }

    public required string ConfigHash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required long Updates { get; init; }

    public required long Records { get; init; }

    public required IReadOnlyDictionary<string, PartitionPosition> Position { get; init; }

    public required RejectionCounts Rejections { get; init; }

    public long? RejectedFileLength { get; init; }

    public required int LearnerLength { get; init; }

    public required int LatestLength { get; init; }

    public required IReadOnlyList<OutboxPart> Outbox { get; init; }

    public static CheckpointHeader Of(Checkpoint checkpoint) => new()
    {
        Format = FormatName,
        ModelId = checkpoint.ModelId,
        RunId = checkpoint.RunId,
        ConfigHash = checkpoint.ConfigHash,
        CreatedAt = checkpoint.CreatedAt,
        Updates = checkpoint.Updates,
        Records = checkpoint.Records,
        Position = checkpoint.Position.Partitions,
        Rejections = checkpoint.Rejections,
        RejectedFileLength = checkpoint.RejectedFileLength,
        LearnerLength = checkpoint.Learner.Length,
        LatestLength = checkpoint.Latest?.Json.Length ?? 0,
        Outbox = [.. checkpoint.Outbox.Select(entry => new OutboxPart(entry.Version, entry.IsLast, entry.Json.Length, entry.IsAcknowledged))],
    };

    public static CheckpointHeader Parse(ReadOnlySpan<byte> json)
    {
        CheckpointHeader header = JsonSerializer.Deserialize<CheckpointHeader>(json, Json) ?? throw new InvalidDataException("Its header is null.");
        return header.Format == FormatName
            ? header
            : throw new InvalidDataException($"Its header says format '{header.Format}'; expected '{FormatName}'.");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    public Checkpoint WithBody(ReadOnlyMemory<byte> body)
    {
        long named = (long)LearnerLength + LatestLength + Outbox.Sum(part => (long)part.Length);
        if (LearnerLength < 0 || LatestLength < 0 || Outbox.Any(part => part.Length < 0) || named != body.Length)
            throw new InvalidDataException($"Its header names parts of {named} bytes in all; the body has {body.Length}.");

        var position = new SourcePosition();
        foreach ((string partition, PartitionPosition next) in Position) position.Set(partition, next);
        ReadOnlyMemory<byte> rest = body[(LearnerLength + LatestLength)..];
        var outbox = new List<OutboxEntry>(Outbox.Count);
        foreach (OutboxPart part in Outbox)
        {
            outbox.Add(new OutboxEntry(part.Version, part.IsLast, rest[..part.Length], part.IsAcknowledged));
            rest = rest[part.Length..];
        }

        return new Checkpoint
        {
            ModelId = ModelId,
            RunId = RunId,
            ConfigHash = ConfigHash,
            CreatedAt = CreatedAt,
            Updates = Updates,
            Records = Records,
            Position = position,
            Rejections = Rejections,
            RejectedFileLength = RejectedFileLength,
            Latest = LatestLength == 0 ? null : SnapshotDocument.Parse(body.Slice(LearnerLength, LatestLength)),
            Outbox = outbox,
            Learner = body[..LearnerLength],
        };
    }

    /// <summary>One outbox entry's part of the body.</summary>
    internal sealed record OutboxPart(long Version, bool IsLast, int Length, bool IsAcknowledged = false);
}
