using System.Diagnostics.CodeAnalysis;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// Everything one model needs to go on as if it had never stopped, as one value: what it has learned, the next record to read, what was
/// rejected, and the snapshots that are made but not yet acknowledged by every publisher.
/// </summary>
public sealed record Checkpoint : CheckpointFields
{
    /// <summary>A checkpoint; every field is to be given.</summary>
    public Checkpoint()
    {
    }

    /// <summary>A checkpoint with these small fields; the parts are to be given.</summary>
    [SetsRequiredMembers]
    internal Checkpoint(
        CheckpointFields fields, ReadOnlyMemory<byte> learner, SnapshotDocument? latest, IReadOnlyList<OutboxEntry> outbox,
        ReadOnlyMemory<byte> scores, ReadOnlyMemory<byte> candidates, SnapshotDocument? pinned)
        : base(fields) =>
        (Learner, Latest, Outbox, Scores, Candidates, Pinned) = (learner, latest, outbox, scores, candidates, pinned);

    /// <summary>What <see cref="Core.Learning.Learner.Save"/> wrote.</summary>
    public required ReadOnlyMemory<byte> Learner { get; init; }

    /// <summary>The newest snapshot, which is what a restarted worker shows at once; null before the first update.</summary>
    public required SnapshotDocument? Latest { get; init; }

    /// <summary>
    /// Snapshots that some publisher has not acknowledged, and the newest of a publisher that does not take each version; in the order of
    /// their versions.
    /// </summary>
    public required IReadOnlyList<OutboxEntry> Outbox { get; init; }

    /// <summary>Alarms, and where the scored stream has got to; empty where nothing is scored.</summary>
    public ReadOnlyMemory<byte> Scores { get; init; }

    /// <summary>Models the stream is compared with; empty for none.</summary>
    public ReadOnlyMemory<byte> Candidates { get; init; }

    /// <summary>The version that is served and published whatever is learned; null for the newest.</summary>
    public SnapshotDocument? Pinned { get; init; }

    /// <summary>The large parts in the order of the file's body, which <see cref="CheckpointHeader"/> takes apart again.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Parts =>
        [Learner, Latest?.Json ?? default, .. Outbox.Select(entry => entry.Json), Scores, Candidates, Pinned?.Json ?? default];
}
