using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// A run id and a version name the same bytes for ever. A worker that was killed may have shown versions that no checkpoint holds; it makes
/// them again to the byte, but not when it learns otherwise than before. Then what comes is of a new run, which takes the old one's place.
/// Of a source that cannot be read again nothing was shown that no checkpoint holds (<see cref="SnapshotDisplay"/>): such a run goes on.
/// </summary>
internal static class RunFork
{
    /// <summary>Sections that do not say what is learned.</summary>
    private static readonly string[] Bystanders = ["publish.", "checkpoint.", "snapshots.", "rejected.", "on_failure"];

    /// <summary>Whether versions may have been shown that will not come again as they were.</summary>
    /// <param name="checkpoint">The newest.</param>
    /// <param name="changes">How the configuration differs from the one it was made with.</param>
    /// <param name="source">The source as it is now.</param>
    public static bool IsNeeded(Checkpoint checkpoint, IReadOnlyList<ConfigurationChange> changes, SourceOptions source) =>
        checkpoint.IsFinal == false && (source.IsReplayable || HasOther("source.", changes))
        && changes.Any(change => (change.Effect != ChangeEffect.None || checkpoint.Updates == 0)
            && !Array.Exists(Bystanders, section => change.Path.StartsWith(section, StringComparison.Ordinal)));

    private static bool HasOther(string section, IReadOnlyList<ConfigurationChange> changes) =>
        changes.Any(change => change.Path.StartsWith(section, StringComparison.Ordinal));

    /// <summary>The checkpoint as one of a new run.</summary>
    public static Checkpoint Of(Checkpoint checkpoint, ModelContext context)
    {
        RunIdentity identity = RunIdentity.New(checkpoint.ModelId, context.Options.ConfigHash, context.Time);
        WorkerLog.RunForked(context.Log, checkpoint.ModelId, checkpoint.RunId, identity.RunId, checkpoint.Updates);
        return StateChange.WithIdentity(checkpoint, identity) with
        {
            Predecessors = [.. checkpoint.Predecessors ?? [], checkpoint.RunId],
            History = RunEvent.Append(checkpoint.History, [new RunEvent(context.Time.GetUtcNow(), checkpoint.Updates,
                $"run {checkpoint.RunId} -> {identity.RunId}: it had not ended in order, and learns otherwise now")]),
        };
    }
}
