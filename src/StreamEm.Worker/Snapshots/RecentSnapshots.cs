namespace StreamEm.Worker.Snapshots;

/// <summary>
/// The newest snapshots of one model, oldest first: at most as many as are to be kept and at most <see cref="MaxBytes"/> in all, but
/// always the newest. A model of a thousand features takes hundreds of megabytes a version; one of three, a hundred versions in nothing.
/// One thread at a time.
/// </summary>
/// <param name="keep">The most that are kept.</param>
internal sealed class RecentSnapshots(int keep = RecentSnapshots.MaxCount)
{
    /// <summary>The most that are kept where nothing else is said.</summary>
    public const int MaxCount = 100;

    /// <summary>The most bytes they may take: <see cref="SnapshotDocument.Bytes"/>.</summary>
    public const long MaxBytes = 64L << 20;

    private readonly Queue<SnapshotDocument> _documents = new();
    private long _bytes;

    /// <summary>How many there are.</summary>
    public int Count => _documents.Count;

    /// <summary>The oldest; null when there is none.</summary>
    public SnapshotDocument? Oldest => _documents.TryPeek(out SnapshotDocument? oldest) ? oldest : null;

    /// <summary>Adds one, newer than all before, and leaves out the oldest that there is no room for any more.</summary>
    public void Add(SnapshotDocument document)
    {
        _documents.Enqueue(document);
        _bytes += document.Bytes;
        while (_documents.Count > 1 && (_documents.Count > keep || _bytes > MaxBytes)) TakeOldest();
    }

    /// <summary>Takes out the oldest.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public SnapshotDocument TakeOldest()
    {
        SnapshotDocument oldest = _documents.Dequeue();
        _bytes -= oldest.Bytes;
        return oldest;
    }

    /// <summary>All of them, oldest first.</summary>
    public SnapshotDocument[] ToArray() => [.. _documents];
}
