namespace StreamEm.Sources;

/// <summary>Why a record could not be used: the closed list. Names in files and metrics are snake_case (<c>json_syntax</c>).</summary>
public enum RejectionReason
{
    /// <summary>The bytes are not UTF-8.</summary>
    DecodeUtf8,

    /// <summary>The text is not a JSON object.</summary>
    JsonSyntax,

    /// <summary>The row has more or fewer columns than the header.</summary>
    CsvColumns,

    /// <summary>A quoted field is not closed, or is followed by text.</summary>
    CsvQuote,

    /// <summary>The record or a field is longer than the limit.</summary>
    TooLarge,

    /// <summary>A feature is missing and the schema does not allow it, or a required field is absent.</summary>
    MissingFeature,

    /// <summary>A value is not a number.</summary>
    NotANumber,

    /// <summary>A value is infinite or beyond double precision.</summary>
    NotFinite,

    /// <summary>
    /// A value lies outside what its meaning allows, a negative weight, or one beyond 1e100; or a feature or target is beyond 1e150, or
    /// nearer to 0 than 1e-150.
    /// </summary>
    OutOfRange,

    /// <summary>A category that the model does not know.</summary>
    UnknownCategory,

    /// <summary>The event time cannot be read.</summary>
    TimestampOutOfRange,

    /// <summary>The raw bytes are not a whole number of records of this schema.</summary>
    SchemaMismatch,
}

/// <summary>A record that could not be used, with everything needed to find and mend it.</summary>
/// <param name="Reason">From the closed list.</param>
/// <param name="Detail">What was found and expected, for a person: <c>column 'depth_km' holds 'deep', expected a number</c>.</param>
/// <param name="PartitionName">The partition it came from.</param>
/// <param name="Offset">Where it starts in the partition: bytes for files, offset for Kafka.</param>
/// <param name="Text">The record's raw text, cut at 64 KiB.</param>
/// <param name="BeforeRow">Index of the accepted row of the same <see cref="RecordBatch"/> that follows it.</param>
public sealed record RejectedRecord(RejectionReason Reason, string Detail, string PartitionName, long Offset, string Text, int BeforeRow)
{
    /// <summary>The message it came in, as it was; null where the source has none or was not asked to keep it.</summary>
    public OriginalMessage? Original { get; init; }
}

/// <summary>A message of a topic as it was, so that it can be passed on.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="PartitionNumber">Number of its partition.</param>
/// <param name="Key">Its key; null without.</param>
/// <param name="Value">Its bytes.</param>
/// <param name="Headers">Its headers, in their order; a name may come again.</param>
/// <param name="Timestamp">Milliseconds since 1970, or <see cref="RecordBatch.NoTimestamp"/>.</param>
public sealed record OriginalMessage(
    string Topic, int PartitionNumber, byte[]? Key, byte[] Value, IReadOnlyList<KeyValuePair<string, byte[]?>> Headers, long Timestamp);
