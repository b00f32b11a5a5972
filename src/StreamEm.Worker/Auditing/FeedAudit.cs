using System.Globalization;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Auditing;

/// <summary>What breaks a feed of snapshots.</summary>
internal enum BreakKind
{
    /// <summary>Something that is no snapshot.</summary>
    Unreadable,

    /// <summary>A snapshot that says of itself what does not fit it: it was changed after it was written.</summary>
    Changed,

    /// <summary>A snapshot without a hash after one of its run that has one.</summary>
    Unsigned,

    /// <summary>A version that comes from another than the one before it in the feed.</summary>
    Parent,

    /// <summary>A version whose predecessor is not in the feed.</summary>
    Gap,

    /// <summary>Two snapshots of one version of one run.</summary>
    Fork,
}

/// <summary>The first thing wrong with a feed.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Place">Where it is: <c>line 12</c>.</param>
/// <param name="Text">What was found and what was expected.</param>
internal sealed record FeedBreak(BreakKind Kind, string Place, string Text);

/// <summary>
/// Verifies a feed of snapshots as it is read: of each that its content has the hash that it says (<see cref="Ancestry"/>), of each run
/// that its versions follow each other, each from the one before. Stops at the first break. A version that comes twice as it was is a
/// repeat: a topic may have some after a crash.
/// </summary>
/// <param name="allowsGaps">Whether versions may be missing, as from feeds that do not take each: order and hashes are verified, and of
/// which version one comes wherever that is in the feed.</param>
internal sealed class FeedAudit(bool allowsGaps)
{
    private readonly Dictionary<(string Model, string Run), AuditedRun> _runs = [];
    private readonly List<AuditedRun> _inOrder = [];

    /// <summary>The runs met, in their order.</summary>
    public IReadOnlyList<AuditedRun> Runs => _inOrder;

    /// <summary>The first break; null while there is none.</summary>
    public FeedBreak? Break { get; private set; }

    /// <summary>Snapshots read.</summary>
    public long Snapshots { get; private set; }

    /// <summary>Takes the next snapshot of the feed.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="key">The model it is said to be of beside it; null where nobody says.</param>
    public void Take(ReadOnlyMemory<byte> json, string place, string? key = null)
    {
        if (Break is not null) return;
        if (Look(json, key) is var (kind, text)) Break = new FeedBreak(kind, place, text);
        else Snapshots++;
    }

    private (BreakKind Kind, string Text)? Look(ReadOnlyMemory<byte> json, string? key)
    {
        ModelSnapshot snapshot;
        try
        {
            snapshot = SnapshotReader.Read(json);
        }
        catch (InvalidDataException failure)
        {
            return (BreakKind.Unreadable, failure.Message);
        }

        string name = Name(snapshot.RunId, snapshot.Version);
        if (key is not null && key != snapshot.ModelId)
            return (BreakKind.Changed, $"{name} is of model '{Shown(snapshot.ModelId)}'; its key says '{Shown(key)}'");
        if (snapshot.Ancestry is { } said)
        {
            Ancestry found = Ancestry.Of(snapshot, said.Parents);
            if (found.Hash != said.Hash)
                return (BreakKind.Changed, $"{name} says that its hash is {said.Hash}; what it holds has {found.Hash}");
        }

        if (!_runs.TryGetValue((snapshot.ModelId, snapshot.RunId), out AuditedRun? run))
        {
            run = new AuditedRun(snapshot.ModelId, snapshot.RunId);
            _runs.Add((run.ModelId, run.RunId), run);
            _inOrder.Add(run);
        }

        if (run.Break(snapshot, allowsGaps) is { } broken) return broken;
        if (snapshot.Ancestry is null) return null;
        foreach (SnapshotParent parent in snapshot.Ancestry.Parents)
            foreach (AuditedRun other in _inOrder)
                if (other.RunId == parent.RunId && other != run && other.HashOf(parent.Version) is { } hash && hash != parent.Hash)
                    return (BreakKind.Parent, $"{name} comes from {Name(parent.RunId, parent.Version)} with the hash {parent.Hash}; the "
                        + $"feed has it with {hash}");
        return null;
    }

    /// <summary>A version of a run as messages call it.</summary>
    internal static string Name(string runId, long version) =>
        string.Create(CultureInfo.InvariantCulture, $"version {version} of run {Shown(runId)}");

    private static string Shown(string text) => PrintableText.Of(text);
}
