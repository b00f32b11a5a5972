namespace StreamEm.Sources;

/// <summary>Which fields of a record mean what: names are CSV columns or JSON fields, a dot reaches into a nested object.</summary>
public sealed record RecordSchema
{
    /// <summary>The D features, in the model's order.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Field of the label; empty or absent values mean unlabelled.</summary>
    public string? Label { get; init; }

    /// <summary>Field of the weight, finite and at least 0; absent values mean 1.</summary>
    public string? Weight { get; init; }

    /// <summary>Field of the key (device, session) a sequence is grouped by.</summary>
    public string? Key { get; init; }

    /// <summary>Field of the event time: ISO 8601 text, or a number of milliseconds since 1970.</summary>
    public string? Timestamp { get; init; }

    /// <summary>Field of the value to be predicted.</summary>
    public string? Target { get; init; }

    /// <summary>Whether a feature may be missing (empty cell, null, absent field, NaN); otherwise the record is rejected.</summary>
    public bool AllowMissing { get; init; } = true;
}
