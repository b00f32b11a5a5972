using System.Globalization;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Shows from the topics alone that a model that several workers learned is what their statistics give: folds them again from the state
/// that the run began with, and holds against what was published the hash of every snapshot and, at its end, the state to the byte. The
/// fold itself counts a record once or not at all, so that with the positions the counts are shown too.
/// </summary>
/// <param name="options">The model, as the states say that it was configured.</param>
/// <param name="start">The state that the run began with.</param>
/// <param name="newest">The newest state.</param>
/// <param name="hashes">The hashes of the snapshots published, by version.</param>
internal sealed class HistoryAudit(
    ModelOptions options, Checkpoint start, Checkpoint newest, IReadOnlyDictionary<long, string> hashes)
{
    private readonly Reduction _reduction = Reduction.Restore(options, start);

    /// <summary>The first thing that does not fit; null while all does.</summary>
    public FeedBreak? Break { get; private set; }

    /// <summary>Messages folded.</summary>
    public long Messages { get; private set; }

    /// <summary>Snapshots that are as they were published.</summary>
    public long Snapshots { get; private set; }

    /// <summary>Messages by what became of them.</summary>
    public long this[Verdict verdict] => _reduction[verdict];

    /// <summary>Begins with the first offset that the statistics topic still has; there need not be a message at it.</summary>
    public void Begin(long first)
    {
        if (newest.StatisticsCuts is { } cuts && cuts > (start.StatisticsCuts ?? 0))
            Break = new FeedBreak(BreakKind.Gap, "the statistics", string.Create(CultureInfo.InvariantCulture,
                $"their topic was cut or created again {cuts} time(s) since the run began: they cannot be folded again"));
        else if (first > start.StatisticsNext)
            Break = new FeedBreak(BreakKind.Gap, string.Create(CultureInfo.InvariantCulture, $"offset {first} of the statistics"),
                string.Create(CultureInfo.InvariantCulture,
                    $"the statistics from offset {start.StatisticsNext} on are gone: they cannot be folded again"));
    }

    /// <summary>Takes the next message of the statistics topic.</summary>
    public void Take(long offset, byte[]? value)
    {
        if (Break is not null || offset >= newest.StatisticsNext) return;
        string place = string.Create(CultureInfo.InvariantCulture, $"offset {offset} of the statistics");
        _reduction.Take(offset, value, newest.CreatedAt);
        Messages++;
        foreach (SnapshotDocument made in _reduction.TakeSnapshots())
        {
            if (!hashes.TryGetValue(made.Version, out string? published)) continue;
            string found = SnapshotDocument.Parse(made.Json).Snapshot.Ancestry!.Hash;
            if (found == published) Snapshots++;
            else Break ??= new FeedBreak(BreakKind.Changed, place, string.Create(CultureInfo.InvariantCulture,
                $"version {made.Version} was published with the hash {published}; the statistics give {PrintableText.Of(found)}"));
        }
    }

    /// <summary>Holds the newest state against what the statistics gave.</summary>
    public void Finish()
    {
        if (Break is not null) return;
        Checkpoint found = _reduction.Capture(newest.CreatedAt);
        string place = string.Create(CultureInfo.InvariantCulture, $"the state at offset {newest.StatisticsNext}");
        string? fault = found.StatisticsNext != newest.StatisticsNext
            ? string.Create(CultureInfo.InvariantCulture, $"the statistics end at offset {found.StatisticsNext}")
            : !found.Position.Partitions.SequenceEqual(newest.Position.Partitions) ? "it says other positions than the statistics give"
            : found.Records != newest.Records || found.Rejections.Read != newest.Rejections.Read
                ? string.Create(CultureInfo.InvariantCulture,
                    $"it says {newest.Records} records of {newest.Rejections.Read} read; the statistics give {found.Records} of "
                        + $"{found.Rejections.Read}")
            : !found.Learner.Span.SequenceEqual(newest.Learner.Span) ? "its parameters or statistics are not those that the messages give"
            : null;
        if (fault is not null) Break = new FeedBreak(BreakKind.Changed, place, fault);
    }
}
