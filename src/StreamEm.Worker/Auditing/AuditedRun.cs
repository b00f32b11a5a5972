using System.Globalization;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Auditing;

/// <summary>What a feed says of one run.</summary>
/// <param name="modelId">The model.</param>
/// <param name="runId">The run.</param>
internal sealed class AuditedRun(string modelId, string runId)
{
    private readonly Dictionary<long, string?> _hashes = [];

    /// <summary>The model.</summary>
    public string ModelId => modelId;

    /// <summary>The run.</summary>
    public string RunId => runId;

    /// <summary>The lowest and the highest version met.</summary>
    public long First { get; private set; }

    /// <inheritdoc cref="First"/>
    public long Last { get; private set; }

    /// <summary>Versions met, each once.</summary>
    public int Versions => _hashes.Count;

    /// <summary>Versions between the first and the last that are not in the feed.</summary>
    public long Missing => Last - First + 1 - Versions;

    /// <summary>Versions that came again as they were.</summary>
    public long Repeats { get; private set; }

    /// <summary>Versions without a hash.</summary>
    public int Unsigned { get; private set; }

    /// <summary>Records learned from at the last version.</summary>
    public long Records { get; private set; }

    /// <summary>What the first version comes from.</summary>
    public IReadOnlyList<SnapshotParent> Origins { get; private set; } = [];

    /// <summary>The hash of a version; null where the feed does not have it, or it has none.</summary>
    public string? HashOf(long version) => _hashes.GetValueOrDefault(version);

    /// <summary>Takes a version; null when it fits to those before.</summary>
    /// <param name="snapshot">The version.</param>
    /// <param name="allowsGaps">Whether versions may be missing.</param>
    public (BreakKind Kind, string Text)? Break(ModelSnapshot snapshot, bool allowsGaps)
    {
        long version = snapshot.Version;
        string name = FeedAudit.Name(runId, version);
        string? hash = snapshot.Ancestry?.Hash;
        if (_hashes.TryGetValue(version, out string? known))
        {
            Repeats++;
            return known == hash
                ? null
                : (BreakKind.Fork, $"{name} is there twice, with the hashes {known ?? "none"} and {hash ?? "none"}");
        }

        if (_hashes.Count > 0 && version < Last)
            return (BreakKind.Fork, string.Create(CultureInfo.InvariantCulture, $"{name} comes after version {Last}"));
        if (hash is null && Unsigned < _hashes.Count)
            return (BreakKind.Unsigned, $"{name} has no hash; those before have one");
        if (BreakOf(snapshot, name, allowsGaps) is { } broken) return broken;
        if (_hashes.Count == 0) (First, Origins) = (version, snapshot.Ancestry?.Parents ?? []);
        _hashes.Add(version, hash);
        if (hash is null) Unsigned++;
        (Last, Records) = (version, snapshot.Training.Records);
        return null;
    }

    /// <summary>Where a version that is new comes from, and where it should: the one before it in the feed.</summary>
    private (BreakKind Kind, string Text)? BreakOf(ModelSnapshot snapshot, string name, bool allowsGaps)
    {
        long version = snapshot.Version;
        SnapshotParent? before = snapshot.Ancestry?.Parents.FirstOrDefault(parent => parent.RunId == runId && parent.Version < version);
        string from = before is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{name} comes from version {before.Version}");
        if (_hashes.Count == 0)
            return allowsGaps || before is null ? null : (BreakKind.Gap, $"{from}, and is the first of its run in the feed");
        string after = string.Create(CultureInfo.InvariantCulture, $"the one before it in the feed is version {Last}");
        if (before is null)
        {
            if (!allowsGaps && version > Last + 1) return (BreakKind.Gap, $"{name} does not follow: {after}");
            return HashOf(Last) is null || snapshot.Ancestry is null
                ? null
                : (BreakKind.Parent, $"{name} does not say that it comes from another; {after}");
        }

        if (before.Version < Last) return (BreakKind.Parent, $"{from}; {after}");
        if (before.Version > Last) return allowsGaps ? null : (BreakKind.Gap, $"{from}; {after}");
        return HashOf(Last) is not { } expected || expected == before.Hash
            ? null
            : (BreakKind.Parent, $"{from} with the hash {before.Hash}; the feed has that with {expected}");
    }
}
