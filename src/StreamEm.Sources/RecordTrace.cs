namespace StreamEm.Sources;

/// <summary>
/// The trace that a record is part of, as whoever sent it wrote it after W3C Trace Context; nobody has looked yet whether it is valid. What
/// is learned does not depend on it.
/// </summary>
/// <param name="Parent">The bytes of <see cref="ParentHeader"/>: trace, span and flags; null without.</param>
/// <param name="State">The bytes of <see cref="StateHeader"/>: what vendors add; null without.</param>
/// <remarks>Source: Trace Context, W3C Recommendation (2021), section 3.</remarks>
public readonly record struct RecordTrace(byte[]? Parent, byte[]? State)
{
    /// <summary>The names of the headers.</summary>
    public const string ParentHeader = "traceparent", StateHeader = "tracestate";

    /// <summary>Whether the record came without one.</summary>
    public bool IsNone => Parent is null;
}
