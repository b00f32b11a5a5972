using StreamEm.Sources;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// Where the records go that could not be used. The learner's thread writes and, before it captures a checkpoint, flushes; the checkpoint
/// is written only after <see cref="MakeDurable"/>, so that a position after a rejected record is never on disk without the record.
/// </summary>
internal abstract class RejectionSink : IDisposable
{
    /// <summary>
    /// Where a file ends, which a restarted worker cuts back to; null where nothing can be taken back, and records after the checkpoint
    /// come again.
    /// </summary>
    public virtual RejectedFileMark? Mark => null;

    /// <summary>Why records cannot be kept at the moment; null when all is well. Any thread.</summary>
    public virtual Obstacle? Obstacle => null;

    /// <summary>
    /// Begins to prepare what takes its time, beside the caller; what is wrong with it is told by the first call that needs it.
    /// </summary>
    public virtual void Start()
    {
    }

    /// <summary>Takes one record.</summary>
    public abstract void Write(RejectedRecord record);

    /// <summary>Hands over what was written; cheap when nothing was.</summary>
    public abstract void Flush();

    /// <summary>Waits until everything flushed is durable. May be called from another thread than the writing one.</summary>
    public abstract void MakeDurable();

    /// <summary>
    /// Ends every wait for what may never become durable, with <see cref="OperationCanceledException"/>: the worker stops. Any thread.
    /// </summary>
    public virtual void Abandon()
    {
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Several places at once.</summary>
internal sealed class RejectionSinks(IReadOnlyList<RejectionSink> sinks) : RejectionSink
{
    /// <inheritdoc/>
    public override RejectedFileMark? Mark => sinks.Select(sink => sink.Mark).FirstOrDefault(mark => mark is not null);

    /// <inheritdoc/>
    public override Obstacle? Obstacle => sinks.Select(sink => sink.Obstacle).FirstOrDefault(obstacle => obstacle is not null);

    /// <inheritdoc/>
    public override void Start()
    {
        foreach (RejectionSink sink in sinks) sink.Start();
    }

    /// <inheritdoc/>
    public override void Write(RejectedRecord record)
    {
        foreach (RejectionSink sink in sinks) sink.Write(record);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        foreach (RejectionSink sink in sinks) sink.Flush();
    }

    /// <inheritdoc/>
    public override void MakeDurable()
    {
        foreach (RejectionSink sink in sinks) sink.MakeDurable();
    }

    /// <inheritdoc/>
    public override void Abandon()
    {
        foreach (RejectionSink sink in sinks) sink.Abandon();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (RejectionSink sink in sinks) sink.Dispose();
    }
}
