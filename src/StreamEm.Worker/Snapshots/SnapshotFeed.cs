using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Reactive.Subjects;
using System.Reactive.Threading.Tasks;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace StreamEm.Worker.Snapshots;

/// <summary>
/// The snapshots of one model for whoever reads them: the newest by reference, recent ones by version, and a feed that starts with the newest. Readers never
/// make the learner wait, and never run on its thread unless they subscribe to <see cref="Snapshots"/> themselves.
/// </summary>
public sealed class SnapshotFeed : IDisposable
{
    private readonly ReplaySubject<SnapshotDocument> _subject = new(bufferSize: 1);
    private readonly Lock _lock = new();
    private readonly RecentSnapshots _recent = new();
    private volatile SnapshotDocument? _latest;

    /// <summary>The newest snapshot; null before the first.</summary>
    public SnapshotDocument? Latest => _latest;

    /// <summary>Every snapshot from the newest one on, until the pipeline is disposed. Observers run on the thread that shows a version: they must return at once.</summary>
    public IObservable<SnapshotDocument> Snapshots => _subject.AsObservable();

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
        lock (_lock) _recent.Add(document);
        _latest = document;
        _subject.OnNext(document);
    }

    /// <summary>Waits for a version.</summary>
    /// <returns>The newest snapshot once it is at least that version; null when the feed ends before.</returns>
    /// <exception cref="OperationCanceledException">The caller stopped waiting.</exception>
    public Task<SnapshotDocument?> WaitForAsync(long version, CancellationToken cancellationToken) =>
        // On the pool: what the reader does next must not hold up the thread that shows versions.
        _subject.FirstOrDefaultAsync(document => document.Version >= version).ToTask<SnapshotDocument?>(cancellationToken, TaskPoolScheduler.Default);

    /// <summary>The newest snapshot, then whatever is newest each time the reader comes back: a slow reader skips versions.</summary>
    /// <param name="lastSeen">The version the reader has already: not given to it again.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<SnapshotDocument> NewestAsync(long? lastSeen, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Sample and Throttle go by the clock; what is wanted here is one place that a newer version takes over, read at the reader's own pace.
        var newest = Channel.CreateBounded<SnapshotDocument>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using IDisposable subscription = _subject.SkipWhile(document => document.Version == lastSeen)
            .Subscribe(document => newest.Writer.TryWrite(document), () => newest.Writer.TryComplete());
        await foreach (SnapshotDocument document in newest.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return document;
    }

    /// <summary>Ends the feed.</summary>
    public void Dispose()
    {
        _subject.OnCompleted();
        _subject.Dispose();
    }
}
