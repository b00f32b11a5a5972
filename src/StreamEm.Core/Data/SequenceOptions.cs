namespace StreamEm.Core.Data;

/// <summary>When the sequence of a key is over, unless a limit says so before.</summary>
public enum SequenceEnd
{
    /// <summary>Never: what is known of the key is carried from minibatch to minibatch.</summary>
    Endless,

    /// <summary>With the data: a sequence is learned from as a whole, once it is over.</summary>
    Whole,
}

/// <summary>How the records of a key make sequences: when one is over and the key's next record begins another.</summary>
public sealed record SequenceOptions
{
    /// <summary>Endless sequences.</summary>
    public static SequenceOptions Default { get; } = new();

    /// <summary>When a sequence is over, unless a limit says so before.</summary>
    public SequenceEnd End { get; init; }

    /// <summary>A sequence is over when more time than this lies between two of its records; null for no such limit.</summary>
    public TimeSpan? Gap { get; init; }

    /// <summary>A sequence is over with so many records; null for no such limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>
    /// A sequence is over with a record of which this expression over its fields (<c>Features.RecordFilter</c>) holds; null for no such
    /// mark.
    /// </summary>
    public string? EndMarker { get; init; }

    /// <summary>
    /// Rows of an endless sequence that are waited for before one is learned from, in their light; 0 learns from each with its minibatch.
    /// </summary>
    public int Lag { get; init; }

    /// <summary>Whether anything but the end of the data ends a sequence.</summary>
    internal bool HasLimits => Gap is not null || MaxLength is not null || EndMarker is not null;
}
