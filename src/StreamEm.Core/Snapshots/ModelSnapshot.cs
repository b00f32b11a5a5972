using System.Diagnostics.CodeAnalysis;

namespace StreamEm.Core.Snapshots;

/// <summary>Whose a snapshot is: the same parameters have another identity in another run.</summary>
/// <param name="ModelId">The model's id in the configuration.</param>
/// <param name="RunId">Identity of the run: the same from the first start until its state is deleted. (run id, version) identifies the
/// content.</param>
/// <param name="ConfigHash">Hash of the model's part of the configuration: <c>sha256:...</c>.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record SnapshotOrigin(string ModelId, string RunId, string ConfigHash, DateTimeOffset CreatedAt)
{
    /// <summary>The next record of every partition of the source.</summary>
    public IReadOnlyDictionary<string, long> Source { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);
}

/// <summary>What was learned and whose it is: one version of a model.</summary>
public sealed record ModelSnapshot : LearnedModel
{
    /// <summary>Says whose something learned is.</summary>
    [SetsRequiredMembers]
    public ModelSnapshot(LearnedModel learned, SnapshotOrigin origin)
        : base(learned) => Origin = origin;

    /// <summary>Whose it is.</summary>
    public SnapshotOrigin Origin { get; init; }

    /// <summary>What it came from; null where nobody goes on from it, and of releases that did not say.</summary>
    public Ancestry? Ancestry { get; init; }

    /// <summary>Models with other numbers of components that learn the same stream; empty for none.</summary>
    public IReadOnlyList<CandidateStanding> Candidates { get; init; } = [];

    /// <summary>The model's id in the configuration.</summary>
    public string ModelId => Origin.ModelId;

    /// <summary>Identity of the run.</summary>
    public string RunId => Origin.RunId;

    /// <summary>Hash of the model's part of the configuration.</summary>
    public string ConfigHash => Origin.ConfigHash;

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt => Origin.CreatedAt;

    /// <summary>The next record of every partition of the source.</summary>
    public IReadOnlyDictionary<string, long> Source => Origin.Source;
}
