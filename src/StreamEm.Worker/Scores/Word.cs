using StreamEm.Core.Data;

namespace StreamEm.Worker.Scores;

/// <summary>Which record is meant: its number, or its key and time.</summary>
/// <param name="Record">The number that its line has; null where it is not said.</param>
/// <param name="Key">Its key; null without.</param>
/// <param name="Timestamp">Its time, ms since 1970; <see cref="Minibatch.NoTimestamp"/> without.</param>
internal readonly record struct RecordName(long? Record, string? Key, long Timestamp);

/// <summary>What a person says of a record.</summary>
/// <param name="Name">Which.</param>
/// <param name="IsNormal">Whether it was normal.</param>
/// <param name="MovesThreshold">Whether the threshold of the alarms moves too.</param>
internal sealed record Word(RecordName Name, bool IsNormal, bool MovesThreshold);

/// <summary>What became of a word.</summary>
internal enum WordOutcome
{
    /// <summary>It was taken, and a checkpoint holds it.</summary>
    Kept,

    /// <summary>It was taken, and the disk is full: the next checkpoint that can be written holds it.</summary>
    NotKept,

    /// <summary>The record is not among those remembered.</summary>
    Unknown,

    /// <summary>Too many wait to be taken.</summary>
    TooMany,

    /// <summary>The model does not learn any more.</summary>
    Ended,
}

/// <summary>What became of a word, and what it did.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Taken">What it did; null where it was not taken.</param>
internal readonly record struct WordResult(WordOutcome Outcome, WordTaken? Taken = null);

/// <summary>What a word did.</summary>
/// <param name="Record">The record's number.</param>
/// <param name="PValue">The p-value that it could have raised an alarm by; null where it had none.</param>
/// <param name="Components">Components that are other than they were; null where the model cannot take a word.</param>
/// <param name="Threshold">The threshold of the alarms from now on; null without alarms.</param>
/// <param name="ThresholdMoved">Whether it moved.</param>
internal sealed record WordTaken(long Record, double? PValue, int? Components, double? Threshold, bool ThresholdMoved);
