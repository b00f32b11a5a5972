using StreamEm.Core.Snapshots;
using StreamEm.Sources;

namespace StreamEm.Worker.Scoring;

/// <summary>How scores are written: one result per record, in the order of the input. What is not finite is written as nothing.</summary>
internal abstract class ScoreFormat
{
    /// <summary>What comes before the first result.</summary>
    public virtual void Begin(LearnedModel learned)
    {
    }

    /// <summary>The result of a record.</summary>
    public abstract void Write(in ScoredRecord score);

    /// <summary>The line of a record that could not be used.</summary>
    /// <param name="record">The record's number in the input.</param>
    /// <param name="rejected">Why.</param>
    public abstract void WriteError(long record, RejectedRecord rejected);

    /// <summary>What comes after the last result.</summary>
    public virtual void End()
    {
    }
}
