using System.Reactive.Linq;
using System.Reactive.Subjects;

namespace StreamEm.Worker.Snapshots;

/// <summary>
/// The snapshots of one model for whoever reads them: the newest by reference, recent ones by version, and a feed of the version that is
/// served, which is the newest unless one is pinned. Readers never make the learner wait.
/// </summary>
public sealed class SnapshotFeed : IDisposable
{
    private readonly ReplaySubject<SnapshotDocument> _subject = new(bufferSize: 1);
    private readonly Lock _lock = new();
    private readonly RecentSnapshots _recent;
    private volatile SnapshotDocument? _latest, _pinned;

    /// <summary>A feed without a snapshot.</summary>
    /// <param name="keep">The most recent versions to keep.</param>
    public SnapshotFeed(int keep = RecentSnapshots.MaxCount) => _recent = new RecentSnapshots(keep);

    /// <summary>The newest snapshot; null before the first.</summary>
    public SnapshotDocument? Latest => _latest;

    /// <summary>The version that is served whatever is learned; null where that is the newest.</summary>
    public SnapshotDocument? Pinned => _pinned;

    /// <summary>What is shown to who asks for the model, and scored under: the pinned version or the newest.</summary>
    public SnapshotDocument? Served => _pinned ?? _latest;

    /// <summary>
    /// Every snapshot that is served, from the present one on, until the pipeline is disposed. Observers run on the thread that shows a
    /// version and must return at once; readers with a pace of their own end the chain with <see cref="Readers.NewestAsync"/> or <see
    /// cref="Readers.WaitForAsync"/>.
    /// </summary>
    public IObservable<SnapshotDocument> Snapshots => _subject.AsObservable();

    /// <summary>Whether anybody waits for what comes.</summary>
    internal bool HasReaders => _subject.HasObservers;

    /// <summary>The versions kept, oldest first.</summary>
    public IReadOnlyList<SnapshotDocument> Versions
    {
        get
        {
            lock (_lock) return _recent.ToArray();
        }
    }

    /// <summary>Makes a snapshot the newest one. One thread at a time.</summary>
    public void Publish(SnapshotDocument document)
    {
        lock (_lock)
        {
            _recent.Add(document);
            _latest = document;
            if (_pinned is null) _subject.OnNext(document);
        }
    }

    /// <summary>Serves one version from now on; null: the newest again.</summary>
    public void Pin(SnapshotDocument? document)
    {
        lock (_lock)
        {
            _pinned = document;
            if (Served is { } served) _subject.OnNext(served);
        }
    }

    /// <summary>Ends the feed.</summary>
    public void Dispose()
    {
        _subject.OnCompleted();
        _subject.Dispose();
    }
}
