using System.Globalization;
using System.Text;
using System.Text.Unicode;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Bytes to records. A decoder serves one stream of bytes (<see cref="TryBegin"/> once, then <see cref="Decode"/> as bytes arrive) or one
/// message after another (<c>DecodeMessage</c>); both map fields the same way. The records found depend on the bytes alone, not on how they
/// were cut into calls. Whatever cannot be used becomes a <see cref="RejectedRecord"/> and the rest goes on; nothing is allocated for a
/// good record.
/// </summary>
internal abstract class RecordDecoder
{
    /// <summary>The longest record, in bytes.</summary>
    public const int MaxRecordBytes = 1 << 20;

    /// <summary>The longest field of a CSV record, in bytes.</summary>
    public const int MaxFieldBytes = 1 << 16;

    /// <summary>The most columns of a CSV file.</summary>
    public const int MaxColumns = 4096;

    /// <summary>How much of a rejected record's text is kept, in bytes.</summary>
    public const int MaxRejectedBytes = 1 << 16;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The decoder of a format of texts and messages.</summary>
    /// <exception cref="SourceException">It is a format of files alone.</exception>
    public static RecordDecoder Create(RecordFormat format, RecordSchema schema) => format switch
    {
        RecordFormat.Csv => new CsvDecoder(schema),
        RecordFormat.Ndjson => new NdjsonDecoder(schema),
        RecordFormat.Float64 => new RawFloat64Decoder(schema),
        RecordFormat.Parquet => throw new SourceException(SourceFailure.Configuration,
            "Parquet is a format of files, which are read from their end: give the file's path, or use csv or ndjson."),
        RecordFormat.Avro or RecordFormat.JsonSchema => throw new SourceException(SourceFailure.Configuration,
            "avro and json_schema are formats of Kafka messages, whose schemas are in a registry: use csv or ndjson."),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Expected csv, ndjson or float64."),
    };

    /// <summary>
    /// Starts a stream: takes what comes before its first record (a byte order mark, a CSV header) from its first bytes.
    /// </summary>
    /// <param name="data">The stream's bytes from its start.</param>
    /// <param name="isFinal">Whether no more bytes will come.</param>
    /// <param name="name">The stream's name, for messages.</param>
    /// <param name="used">Number of bytes taken.</param>
    /// <returns>False when more bytes are needed; then nothing was taken.</returns>
    /// <exception cref="SourceException">The header cannot be used, or lacks a column of the schema.</exception>
    public abstract bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used);

    /// <summary>The columns of the header the stream began with; null where the format has none.</summary>
    public virtual IReadOnlyList<string>? Columns => null;

    /// <summary>What was found of how the stream is written that nobody had said, for a person; null where it is as usual.</summary>
    public virtual string? Found => null;

    /// <summary>
    /// So many bytes of its start are looked at for how a stream is written: who goes on beyond them begins with all of them.
    /// </summary>
    public virtual int LooksAt => 0;

    /// <summary>Starts a stream that has no header though its format has one: its columns are known from before.</summary>
    /// <param name="columns">Their names.</param>
    /// <param name="data">The first lines, of which nothing is taken: how columns are apart can be seen in them.</param>
    /// <param name="name">The stream's name, for messages.</param>
    /// <exception cref="SourceException">A field of the schema is not among the columns.</exception>
    public virtual void BeginWithout(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, string name)
    {
    }

    /// <summary>
    /// Decodes the records at the start of <paramref name="data"/> into <paramref name="batch"/> until it is full or the rest is less than
    /// a record. A window of <see cref="MaxWindowBytes"/> is always enough for progress.
    /// </summary>
    /// <param name="data">Bytes that follow those taken by the calls before.</param>
    /// <param name="offset">Position of the first of them in the stream.</param>
    /// <param name="isFinal">Whether no more bytes will come: then what is left is a record too.</param>
    /// <param name="batch">Takes the records; its <see cref="RecordBatch.EndOffset"/> is where reading could go on later.</param>
    /// <returns>Number of bytes taken.</returns>
    public abstract int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch);

    /// <summary>
    /// Another decoder for the same stream, which may begin at any record that this one has not reached and finds what this one would. Null
    /// while what is found still depends on what comes before it, and where records do not end with lines.
    /// </summary>
    public virtual RecordDecoder? Fork() => null;

    /// <summary>Decodes one message that is one record.</summary>
    /// <param name="data">The record's bytes, and others round them: they are not used, but where there are some, many bytes can be looked
    /// at at once.</param>
    /// <param name="record">Where the record is, with or without a line end.</param>
    /// <param name="offset">The message's position.</param>
    /// <param name="nextOffset">The position after it.</param>
    /// <param name="batch">Takes the record or its rejection.</param>
    /// <param name="defaults">What the record has when its bytes do not say otherwise.</param>
    /// <returns>Whether it was accepted, or is one that the model is not about.</returns>
    public abstract bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults);

    /// <summary>Decodes one message that is one record, with nothing round it.</summary>
    public bool DecodeMessage(ReadOnlySpan<byte> message, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults) =>
        DecodeMessage(message, .., offset, nextOffset, batch, defaults);

    /// <summary>Bytes that always hold a whole record of the largest size, or show that it is too large.</summary>
    internal const int MaxWindowBytes = 2 * MaxRecordBytes;

    /// <summary>Length of the byte order mark at the start; -1 when more bytes are needed to tell.</summary>
    private protected static int MarkLength(ReadOnlySpan<byte> data, bool isFinal)
    {
        if (data.StartsWith(ByteOrderMark)) return ByteOrderMark.Length;
        return !isFinal && ByteOrderMark.StartsWith(data) ? -1 : 0;
    }

    /// <summary>Keeps a record aside; when its bytes are not UTF-8, that is the reason.</summary>
    private protected static void Reject(
        RecordBatch batch, RejectionReason reason, string detail, long offset, long nextOffset, ReadOnlySpan<byte> record)
    {
        if (!Utf8.IsValid(record) && reason != RejectionReason.TooLarge)
        {
            reason = RejectionReason.DecodeUtf8;
            detail = string.Create(CultureInfo.InvariantCulture, $"byte {FirstInvalid(record)} of the record is not UTF-8; {detail}");
        }
        batch.Reject(reason, detail, offset, nextOffset, Text(record));
    }

    /// <summary>The text of a record, cut after <see cref="MaxRejectedBytes"/>.</summary>
    private protected static string Text(ReadOnlySpan<byte> record)
    {
        if (record.Length > MaxRejectedBytes)
        {
            int end = MaxRejectedBytes;
            while (end > MaxRejectedBytes - 4 && (record[end] & 0xC0) == 0x80) end--;
            record = record[..end];
        }
        return Encoding.UTF8.GetString(record);
    }

    private static int FirstInvalid(ReadOnlySpan<byte> record)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(record[at..], out _, out int length) == System.Buffers.OperationStatus.Done) at += length;
        return at;
    }
}
