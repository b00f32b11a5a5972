using StreamEm.Core.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Snapshots;

/// <summary>
/// The versions of a run, each of which comes from the one before. What they are is hashed beside the thread that makes them, one after the
/// other, and is there when their JSON is made. Used by the learner's thread.
/// </summary>
/// <param name="first">What the first comes from; null for nothing.</param>
internal sealed class SnapshotChain(SnapshotParent? first)
{
    /// <summary>Versions that may wait to be hashed: they hold their parameters.</summary>
    private const int MostWaiting = 16;

    private Task<SnapshotParent?> _newest = Task.FromResult(first);
    private int _waiting;

    /// <summary>Goes on after a version that there is; null when there is none.</summary>
    public static SnapshotChain After(ModelSnapshot? snapshot) => new(snapshot?.Ancestry is { } ancestry
        ? new SnapshotParent(snapshot.RunId, snapshot.Version, ancestry.Hash)
        : null);

    /// <summary>Takes the next version.</summary>
    public SnapshotDocument Add(ModelSnapshot snapshot)
    {
        if (_newest.IsCompleted) _waiting = 0;
        else if (++_waiting > MostWaiting) _newest.Wait();
        Task<Ancestry> ancestry = _newest.ContinueWith(
            before => Ancestry.Of(snapshot, before.Result is { } parent ? [parent] : []), CancellationToken.None,
            TaskContinuationOptions.None, TaskScheduler.Default);
        _newest = ancestry.ContinueWith(
            known => (SnapshotParent?)new SnapshotParent(snapshot.RunId, snapshot.Version, known.Result.Hash), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return new SnapshotDocument(snapshot, ancestry) { Trace = WorkerTraces.Current };
    }
}
