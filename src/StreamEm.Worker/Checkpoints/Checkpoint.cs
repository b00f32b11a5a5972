using StreamEm.Sources;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// Everything one model needs to go on as if it had never stopped, as one value: what it has learned, the next record to read, what was
/// rejected, and the snapshots that are made but not yet acknowledged by every publisher.
/// </summary>
public sealed record Checkpoint
{
    /// <summary>The model's id.</summary>
    public required string ModelId { get; init; }

    /// <summary>Identity of the run; see <see cref="Core.Snapshots.ModelSnapshot.RunId"/>.</summary>
    public required string RunId { get; init; }

    /// <summary>Hash of the configuration the state belongs to.</summary>
    public required string ConfigHash { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Updates so far: the version of the parameters inside.</summary>
    public required long Updates { get; init; }

    /// <summary>Records learned from so far.</summary>
    public required long Records { get; init; }

    /// <summary>The next record of every partition.</summary>
    public required SourcePosition Position { get; init; }

    /// <summary>Records read and rejected so far.</summary>
    public required RejectionCounts Rejections { get; init; }

    /// <summary>Length in bytes of the rejected file that belongs to this state; null without a file.</summary>
    public required long? RejectedFileLength { get; init; }

    /// <summary>The newest snapshot, which is what a restarted worker shows at once; null before the first update.</summary>
    public required SnapshotDocument? Latest { get; init; }

    /// <summary>
    /// Snapshots that some publisher has not acknowledged, and the newest of a publisher that does not take each version; in the order of their versions.
    /// </summary>
    public required IReadOnlyList<OutboxEntry> Outbox { get; init; }

    /// <summary>Whose it is.</summary>
    public RunIdentity Identity => new(ModelId, RunId, ConfigHash);

    /// <summary>What <see cref="Core.Learning.Learner.Save"/> wrote.</summary>
    public required ReadOnlyMemory<byte> Learner { get; init; }
}
