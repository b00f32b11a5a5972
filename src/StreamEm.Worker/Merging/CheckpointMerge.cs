using System.Globalization;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Merging;

/// <summary>A checkpoint to be merged.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Checkpoint">What it holds.</param>
internal sealed record NamedCheckpoint(string Name, Checkpoint Checkpoint);

/// <summary>What a merge made.</summary>
/// <param name="Checkpoint">The state, of a run of its own, with its snapshot.</param>
/// <param name="Unplaced">Partitions in which the states stood at different places, and the merged one at none.</param>
/// <param name="ForgetsKeys">Whether what was remembered of keys is left out.</param>
internal sealed record MergedCheckpoint(Checkpoint Checkpoint, IReadOnlyList<string> Unplaced, bool ForgetsKeys);

/// <summary>
/// Puts the states of workers together that learned apart from the same start with the same configuration: <see cref="Learner.Merge"/>,
/// with the records counted, the places in the sources, and where the snapshot comes from.
/// </summary>
internal static class CheckpointMerge
{
    private const int MostDifferences = 5;

    /// <summary>Merges.</summary>
    /// <param name="parts">At least two.</param>
    /// <param name="id">The id of the model that they become; null for that of the first.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="CommandException">They cannot be merged (65).</exception>
    public static MergedCheckpoint Of(IReadOnlyList<NamedCheckpoint> parts, string? id, TimeProvider time)
    {
        RefuseOneRunTwice(parts);
        RefuseWhatIsInAnother(parts);
        RefuseOtherConfigurations(parts);
        RefuseRecordsTwice(parts);
        Checkpoint first = parts[0].Checkpoint;
        if (RecordedConfiguration.Of(first) is not { } values || RecordedModel.Of(values, first.ConfigHash) is not { } options)
            throw Refusal($"'{parts[0].Name}' does not say how it was configured in a way that this release understands. Start its worker "
                + "once with this release, which writes a checkpoint that does");
        options = options with { Id = id ?? first.ModelId };
        Learner learner = Merge(parts, options);
        DateTimeOffset now = time.GetUtcNow();
        RunIdentity identity = RunIdentity.New(options.Id, options.ConfigHash, time);
        SourcePosition position = PositionOf(parts, out List<string> unplaced);
        LearnedModel learned = learner.CreateSnapshot() ?? throw Refusal("none of the states has learned anything yet");
        ModelSnapshot snapshot = identity.Stamp(learned, now, position);
        snapshot = snapshot with { Ancestry = Ancestry.Of(snapshot, [.. parts.Select(ParentOf).OfType<SnapshotParent>()]) };
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) learner.Save(writer);
        var merged = new Checkpoint
        {
            ModelId = identity.ModelId,
            RunId = identity.RunId,
            ConfigHash = identity.ConfigHash,
            CreatedAt = now,
            Kernels = Core.LinearAlgebra.Kernels.Name,
            Updates = learner.Updates,
            Records = learner.Records,
            Position = position,
            Rejections = RejectionsOf(parts),
            Configuration = first.Configuration,
            History =
            [
                new RunEvent(now, learner.Updates, $"merged from {string.Join(", ", parts.Select(part => Described(part.Checkpoint)))}"),
            ],
            IsFinal = true,
            Latest = new SnapshotDocument(snapshot),
            Outbox = [],
            Learner = stream.ToArray(),
        };
        return new MergedCheckpoint(merged, unplaced, options.Model.MaxKeys > 0 || options.PerKey);
    }

    /// <summary>A state as messages call it: <c>version 40 of run 0190...</c>.</summary>
    public static string Described(Checkpoint checkpoint) =>
        string.Create(CultureInfo.InvariantCulture, $"version {checkpoint.Updates} of run {checkpoint.RunId}");

    private static Learner Merge(IReadOnlyList<NamedCheckpoint> parts, ModelOptions options)
    {
        Learner[] learners = [.. parts.Select(part => StateRestore.Learner(options, part.Checkpoint, binding: null))];
        try
        {
            return Learner.Merge(learners);
        }
        catch (MergeException refusal)
        {
            string which = refusal.Part < 0 ? "The states" : $"'{parts[refusal.Part].Name}'";
            throw Refusal($"{which} cannot be merged: {refusal.Message}");
        }
    }

    private static void RefuseOneRunTwice(IReadOnlyList<NamedCheckpoint> parts)
    {
        foreach (IGrouping<string, NamedCheckpoint> run in parts.GroupBy(part => part.Checkpoint.RunId, StringComparer.Ordinal))
            if (run.Count() > 1)
                throw Refusal($"{Names(run)} are states of one run, {run.Key}: what it learned would count twice. Merge states of workers "
                    + "that began apart, each with a state directory of its own");
    }

    /// <summary>A state that was merged already comes from those it holds.</summary>
    private static void RefuseWhatIsInAnother(IReadOnlyList<NamedCheckpoint> parts)
    {
        foreach (NamedCheckpoint part in parts)
            foreach (SnapshotParent parent in part.Checkpoint.Latest?.Snapshot.Ancestry?.Parents ?? [])
                if (parent.RunId != part.Checkpoint.RunId
                    && parts.FirstOrDefault(known => known.Checkpoint.RunId == parent.RunId) is { } other)
                    throw Refusal($"'{part.Name}' was merged from '{other.Name}' or an earlier state of it: what that learned would count "
                        + "twice");
    }

    private static void RefuseOtherConfigurations(IReadOnlyList<NamedCheckpoint> parts)
    {
        NamedCheckpoint first = parts[0];
        foreach (NamedCheckpoint part in parts.Skip(1))
        {
            if (part.Checkpoint.ConfigHash == first.Checkpoint.ConfigHash) continue;
            IReadOnlyDictionary<string, string> one = RecordedConfiguration.Of(first.Checkpoint) ?? new Dictionary<string, string>(),
                other = RecordedConfiguration.Of(part.Checkpoint) ?? new Dictionary<string, string>();
            string[] differences = [.. one.Keys.Union(other.Keys).Order(StringComparer.Ordinal)
                .Where(path => path.StartsWith("features.", StringComparison.Ordinal) || path.StartsWith("model.", StringComparison.Ordinal)
                    || path.StartsWith("learning.", StringComparison.Ordinal) || !path.Contains('.', StringComparison.Ordinal))
                .Where(path => path != "id" && one.GetValueOrDefault(path) != other.GetValueOrDefault(path))
                .Select(path => $"  {path}: {one.GetValueOrDefault(path) ?? "(not set)"}, {other.GetValueOrDefault(path) ?? "(not set)"}")
                .Take(MostDifferences)];
            throw Refusal($"'{first.Name}' and '{part.Name}' learned with different configurations. What they learned cannot be added:\n"
                + string.Join('\n', differences));
        }
    }

    /// <summary>Two states that both stand in one file or partition have both learned from its beginning.</summary>
    private static void RefuseRecordsTwice(IReadOnlyList<NamedCheckpoint> parts)
    {
        var readers = new Dictionary<(string Partition, string Identity), NamedCheckpoint>();
        foreach (NamedCheckpoint part in parts)
            foreach ((string name, PartitionPosition position) in part.Checkpoint.Position.Partitions)
                if (position is { Identity: { } identity, Next: > 0 } && !readers.TryAdd((name, identity), part))
                    throw Refusal($"'{readers[(name, identity)].Name}' and '{part.Name}' both read '{name}', which is one and the same: "
                        + "its records would count twice. Each worker needs records of its own");
    }

    private static SourcePosition PositionOf(IReadOnlyList<NamedCheckpoint> parts, out List<string> unplaced)
    {
        var position = new SourcePosition();
        unplaced = [];
        foreach (IGrouping<string, PartitionPosition> partition in parts.SelectMany(part => part.Checkpoint.Position.Partitions)
            .GroupBy(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal))
        {
            if (partition.Count() == 1) position.Set(partition.Key, partition.First());
            else unplaced.Add(partition.Key);
        }

        return position;
    }

    private static RejectionCounts RejectionsOf(IReadOnlyList<NamedCheckpoint> parts)
    {
        RejectionCounts[] counts = [.. parts.Select(part => part.Checkpoint.Rejections)];
        return new RejectionCounts
        {
            Read = counts.Sum(count => count.Read),
            ByReason = [.. Enumerable.Range(0, counts.Max(count => count.ByReason.Count))
                .Select(reason => counts.Sum(count => reason < count.ByReason.Count ? count.ByReason[reason] : 0))],
            UnreadKeys = counts.Sum(count => count.UnreadKeys),
            UnreadTimestamps = counts.Sum(count => count.UnreadTimestamps),
        };
    }

    /// <summary>The newest snapshot of a state; of one before the first version none.</summary>
    private static SnapshotParent? ParentOf(NamedCheckpoint part) => part.Checkpoint.Latest?.Snapshot is { } snapshot
        ? new SnapshotParent(
            snapshot.RunId, snapshot.Version, (snapshot.Ancestry ?? Ancestry.Of(snapshot, [])).Hash)
        : null;

    private static string Names(IEnumerable<NamedCheckpoint> parts) => string.Join(" and ", parts.Select(part => $"'{part.Name}'"));

    private static CommandException Refusal(string what) => new(ExitCode.DataCorrupt, $"{what}.");
}
