using System.Reactive.Linq;
using System.Reactive.Subjects;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// The snapshots of one model for whoever reads them: the newest by reference, the last hundred by version, and a feed that starts with the
/// newest. Readers never make the learner wait.
/// </summary>
public sealed class SnapshotFeed : IDisposable
{
    /// <summary>How many versions are kept.</summary>
    public const int Kept = 100;

    private readonly ReplaySubject<SnapshotDocument> _subject = new(bufferSize: 1);
    private readonly Lock _lock = new();
    private readonly Queue<SnapshotDocument> _ring = new();
    private volatile SnapshotDocument? _latest;

    /// <summary>The newest snapshot; null before the first.</summary>
    public SnapshotDocument? Latest => _latest;

    /// <summary>Every snapshot from the newest one on. Observers run on the learner's thread: they must return at once.</summary>
    public IObservable<SnapshotDocument> Snapshots => _subject.AsObservable();

    /// <summary>The versions kept, oldest first.</summary>
    public IReadOnlyList<SnapshotDocument> Versions
    {
        get
        {
            lock (_lock) return [.. _ring];
        }
    }

    /// <summary>Makes a snapshot the newest one.</summary>
    public void Publish(SnapshotDocument document)
    {
        lock (_lock)
        {
            _ring.Enqueue(document);
            if (_ring.Count > Kept) _ring.Dequeue();
        }

        _latest = document;
        _subject.OnNext(document);
    }

    /// <summary>The newest snapshot, then whatever is newest each time the reader comes back: a slow reader skips versions.</summary>
    public async IAsyncEnumerable<SnapshotDocument> NewestAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var newest = Channel.CreateBounded<SnapshotDocument>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using IDisposable subscription = _subject.Subscribe(document => newest.Writer.TryWrite(document), () => newest.Writer.TryComplete());
        await foreach (SnapshotDocument document in newest.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return document;
    }

    /// <summary>Ends the feed.</summary>
    public void Dispose()
    {
        _subject.OnCompleted();
        _subject.Dispose();
    }
}
