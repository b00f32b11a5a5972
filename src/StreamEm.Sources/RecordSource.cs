namespace StreamEm.Sources;

/// <summary>
/// Records with positions. Life cycle: created at a <see cref="SourcePosition"/>, which starts nothing; <see cref="ReadAsync"/> until it
/// returns false or the caller stops; disposed once. One caller at a time. The order of records is a pure function of the data and the
/// start position, so that reading again from a position yields the same records, but for what only the moment can tell; that is told as a
/// position of its own, marked <see cref="RecordBatch.IsDecision"/>, before anything depends on it.
/// </summary>
public abstract class RecordSource : IAsyncDisposable
{
    private long _bytes;

    /// <summary>Whether reading from an earlier position yields the same records again (files, topics), or records once read are gone
    /// from the source (stdin, HTTP): the worker then keeps what it has not learned from in its checkpoint.</summary>
    public abstract bool IsReplayable { get; }

    /// <summary>Whether records are handed to it by clients (HTTP), who are told what they sent and must not be able to end it.</summary>
    public virtual bool IsPushed => false;

    /// <summary>
    /// Waits for records and fills <paramref name="batch"/> (cleared first) with at least one record, rejected record or new
    /// <see cref="RecordBatch.EndPosition"/>. Returns as soon as what is at hand has been decoded; does not wait to fill the batch.
    /// </summary>
    /// <returns>False when the source has ended for good; the batch is then empty.</returns>
    /// <exception cref="OperationCanceledException">The caller stopped; nothing was lost: the position is that of the last
    /// batch.</exception>
    /// <exception cref="SourceException">The source cannot go on.</exception>
    public abstract ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Why no records come although some may be there (a broker that does not answer); null when all is well. Any thread.
    /// </summary>
    public virtual string? Problem => null;

    /// <summary>
    /// What of it cannot be read, while the rest is: files of another kind, damaged ones, folders that may not be looked into. Any thread.
    /// </summary>
    public virtual IReadOnlyList<SetAsidePart> SetAside => [];

    /// <summary>
    /// Bytes read since it was opened: of text uncompressed, of messages with their keys and headers, of Parquet files the stored columns
    /// that were read. Any thread.
    /// </summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>How far it is, for those outside who watch it; null where a source cannot tell. Any thread.</summary>
    public virtual SourceProgress? Progress => null;

    /// <summary>
    /// Tells the source which position is in a durable checkpoint, for those outside who watch its progress. Any thread; never waits.
    /// </summary>
    public virtual void Acknowledge(SourcePosition durable)
    {
    }

    /// <summary>
    /// Whether it gets no more before what it gave is in a durable checkpoint, which <see cref="Acknowledge"/> says. Any thread.
    /// </summary>
    public virtual bool AwaitsAcknowledgement => false;

    /// <summary>
    /// Asks the source to end: from now on it accepts no record from outside; those accepted before are still read, then
    /// <see cref="ReadAsync"/> returns false. Any thread, any number of times.
    /// </summary>
    /// <returns>Whether it ends so by itself: true where records are handed to the source (HTTP); false where it fetches them (files,
    /// topics, stdin) and nothing was accepted that the caller has to wait for: it stops by reading no more.</returns>
    public virtual bool Complete() => false;

    /// <summary>Counts bytes that were read.</summary>
    private protected void CountBytes(long count) => Interlocked.Add(ref _bytes, count);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A part of a source that is not read for now.</summary>
/// <param name="Name">Its name: a file's path.</param>
/// <param name="Reason">Why, for a person.</param>
public sealed record SetAsidePart(string Name, string Reason);

/// <summary>How far a source is.</summary>
/// <param name="Partitions">The partitions whose end is known.</param>
/// <param name="Tombstones">Messages without a value, passed over since the source was opened.</param>
/// <param name="Paused">Partitions not fetched for now, because what was read of them waits to be learned from.</param>
public sealed record SourceProgress(IReadOnlyList<PartitionProgress> Partitions, long Tombstones, int Paused);

/// <summary>How far reading is in one partition.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="PartitionNumber">Its number.</param>
/// <param name="Lag">Records between the position and the end of the log.</param>
/// <param name="Skipped">Records that were gone before they were read, over the whole run.</param>
public sealed record PartitionProgress(string Topic, int PartitionNumber, long Lag, long Skipped)
{
    /// <summary>
    /// For how long the next record has been known to be there, seconds; 0 when it is not. What was there at the start is as old as that.
    /// </summary>
    public double LagSeconds { get; init; }
}

/// <summary>Why a source cannot go on, which decides the exit code.</summary>
public enum SourceFailure
{
    /// <summary>A file or topic that should be there is not (66).</summary>
    Missing,

    /// <summary>The data is damaged, or no longer the same under a stored position (65).</summary>
    Changed,

    /// <summary>Reading failed (74).</summary>
    Io,

    /// <summary>The broker could not be reached in time (69).</summary>
    Unavailable,

    /// <summary>Access was denied (77).</summary>
    Denied,

    /// <summary>What the configuration says about the source cannot be (78).</summary>
    Configuration,
}

/// <summary>A source cannot go on; the message says what was found, what was expected and what to do.</summary>
public sealed class SourceException(SourceFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public SourceFailure Failure { get; } = failure;
}
