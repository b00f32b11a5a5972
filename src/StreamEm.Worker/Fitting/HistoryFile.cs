using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// Versions of a fit as a log of snapshots, one a line, further and further apart: each at least a quarter more updates than the one
/// before, and the last.
/// </summary>
internal sealed class HistoryFile(Stream output, RunIdentity identity, TimeProvider time) : IDisposable
{
    private long _next = 1, _last;

    /// <summary>Writes the newest version if it is one of those.</summary>
    public void Take(Learner learner)
    {
        if (learner.Updates < _next || learner.CreateSnapshot() is not { } learned) return;
        Write(identity.Stamp(learned, time.GetUtcNow()));
        _next = Math.Max(learner.Updates + 1, learner.Updates * 5 / 4);
    }

    /// <summary>Writes the last version.</summary>
    public void End(ModelSnapshot snapshot)
    {
        if (snapshot.Version != _last) Write(snapshot);
    }

    /// <inheritdoc/>
    public void Dispose() => output.Dispose();

    private void Write(ModelSnapshot snapshot)
    {
        output.Write(new SnapshotDocument(snapshot).Json.Span);
        output.WriteByte((byte)'\n');
        _last = snapshot.Version;
    }
}
