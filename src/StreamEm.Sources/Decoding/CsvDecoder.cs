using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// CSV by RFC 4180: a header line, separators, line ends <c>\n</c> or <c>\r\n</c>, fields in double quotes may hold separators, line ends
/// and doubled quotes. What <see cref="CsvDialect"/> does not say is found in the first lines. Blank lines are passed over, and empty
/// columns beyond the named ones; blanks round a value are ignored. A record with a broken quote is rejected as its first line alone, and
/// reading goes on with the next line; a quoted field over several lines counts as broken where a number is expected or the columns do not
/// add up. Quotes in the middle of a text are part of it.
/// </summary>
/// <remarks>Rows without quotes take the short way of <see cref="PlainRows"/>, all others go through <see cref="CsvTokens"/>.</remarks>
internal sealed partial class CsvDecoder : RecordDecoder
{
    private readonly RecordSchema _schema;
    private readonly RecordFields _fields;
    private readonly CsvTokens _tokens = new();
    private readonly CsvBeginning _beginning;
    private PlainRows? _plain;
    private (byte Separator, bool HasDecimalComma)? _plainMarks;
    private CsvHeader? _header;
    private OversizedLine? _oversized;

    /// <summary>For streams that begin with a header line, or whose columns the schema's dialect names.</summary>
    public CsvDecoder(RecordSchema schema)
    {
        _schema = schema;
        _fields = new RecordFields(schema);
        _beginning = new CsvBeginning(_fields, _tokens, schema.Csv);
    }

    /// <summary>For messages without a header, whose columns are known; apart by commas unless the dialect says otherwise.</summary>
    /// <exception cref="SourceException">A field of the schema is not among the columns.</exception>
    public CsvDecoder(RecordSchema schema, IReadOnlyList<string> columns, string name)
        : this(schema)
    {
        _header = new CsvHeader(columns, _fields, name);
        _tokens.Separator = (byte)(schema.Csv.Separator ?? ',');
        _fields.Spelling.HasDecimalComma = schema.Csv.Decimal == ',';
    }

    private CsvDecoder(CsvDecoder other)
        : this(other._schema)
    {
        _tokens.Separator = other._tokens.Separator;
        _fields.Spelling.HasDecimalComma = other._fields.Spelling.HasDecimalComma;
        Use(other._header);
    }

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        used = 0;
        _oversized = null;
        _header = null;
        int mark = MarkLength(data, isFinal);
        if (mark < 0 || !OtherContent.TryRefuse(data, isFinal, name)) return false;
        if (!_beginning.TryRead(data, mark, isFinal, name, out used)) return false;
        Use(_beginning.Header);
        return true;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Columns => _beginning.Columns;

    /// <inheritdoc/>
    public override string? Found => _beginning.Found;

    /// <inheritdoc/>
    public override int LooksAt => CsvBeginning.MostLookedAt;

    /// <inheritdoc/>
    public override void BeginWithout(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, string name)
    {
        _oversized = null;
        _beginning.GoOn(columns, data, name);
        Use(_beginning.Header);
    }

    private void Use(CsvHeader? header)
    {
        _header = header;
        (byte, bool) marks = (_tokens.Separator, _fields.Spelling.HasDecimalComma);
        if (_plainMarks != marks) (_plain, _plainMarks) = (PlainRows.Of(marks.Item1, marks.Item2), marks);
    }

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int at = 0;
        _fields.Use(batch.Texts);
        if (_oversized is not null && !SkipOversized(data, offset, isFinal, batch, ref at)) return at;
        if (_beginning.IsUndecided && _beginning.Look(data[at..], offset + at, isFinal)) Use(_header);
        while (at < data.Length && !batch.IsFull)
        {
            int before = at;
            at = DecodeBlock(data, at, offset, isFinal, batch);
            if (_oversized is not null) return at;
            if (at == before) break;
        }
        batch.EndOffset = offset + at;
        return at;
    }

    /// <inheritdoc/>
    public override RecordDecoder? Fork() =>
        _oversized is null && !_beginning.IsUndecided && _header is not null ? new CsvDecoder(this) : null;

    /// <inheritdoc/>
    public override bool DecodeMessage(
        ReadOnlySpan<byte> data, Range record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        ReadOnlySpan<byte> message = data[record];
        _fields.Use(batch.Texts);
        CsvScan scan = message.IsEmpty ? CsvScan.Blank : _tokens.Scan(message, isFinal: true);
        if (scan == CsvScan.Record && !Numbers.Trim(message[_tokens.FullLength..]).Trim("\r\n"u8).IsEmpty)
        {
            Reject(batch, RejectionReason.CsvColumns, "the message holds more than one line, expected one row", offset, nextOffset,
                message);
            return false;
        }
        if (scan == CsvScan.Record) return Accept(message[.._tokens.Length], offset, nextOffset, batch, defaults);
        if (scan == CsvScan.Blank)
            Reject(batch, RejectionReason.CsvColumns, "the message is blank, expected one row", offset, nextOffset, message);
        else Reject(batch, CsvScanFailure.Reason(scan), CsvScanFailure.Describe(scan, _tokens.Count + 1), offset, nextOffset, message);
        return false;
    }

    private CsvHeader Header => _header ?? throw new InvalidOperationException("A CSV stream has to be begun before it is decoded.");

    private bool SkipOversized(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch, ref int at)
    {
        at = _oversized!.Skip(data, offset, isFinal, batch, out bool ended);
        if (ended) _oversized = null;
        else batch.EndOffset = _oversized.Offset;
        return ended;
    }

    /// <summary>Decodes the records that start in the block at <paramref name="at"/>.</summary>
    /// <returns>Where the next record starts; <paramref name="at"/> when more bytes are needed.</returns>
    private int DecodeBlock(ReadOnlySpan<byte> data, int at, long offset, bool isFinal, RecordBatch batch)
    {
        if (_plain is null)
        {
            at += DecodeRecord(data[at..], offset + at, isFinal, batch);
            if (_oversized is null) batch.EndOffset = offset + at;
            return at;
        }
        int blockStart = at, blockEnd = Math.Min(data.Length, at + PlainRows.BlockBytes), comment = _beginning.Comment.FirstByte;
        _plain.Index(data[at..blockEnd]);
        while (at < blockEnd && !batch.IsFull)
        {
            at = _plain.Take(data, blockStart, at, offset, Header, _fields, comment, batch);
            if (at == blockEnd || batch.IsFull) break;
            if (_plain.Left < Header.Width && at > blockStart && blockEnd < data.Length) break;
            int used = DecodeRecord(data[at..], offset + at, isFinal, batch);
            at += used;
            if (used == 0 || _oversized is not null) break;
            // Blank lines and comments are passed: the next record begins behind them, wherever the bytes were cut.
            batch.EndOffset = offset + at;
            _plain.SkipTo(at - blockStart);
        }
        return at;
    }

    /// <summary>Decodes or rejects one record, whatever it holds.</summary>
    /// <returns>Number of bytes taken; 0 when more are needed.</returns>
    private int DecodeRecord(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        if (_beginning.Comment.Begins(data)) return PassComment(data, offset, isFinal, batch);
        if (!isFinal && _beginning.Comment.MayBegin(data)) return 0;
        CsvScan scan = _tokens.Scan(data, isFinal);
        switch (scan)
        {
            case CsvScan.NeedMore:
                return 0;
            case CsvScan.Blank:
                return _tokens.FullLength;
            case CsvScan.Record when StrayQuote(data[.._tokens.Length]) is { } stray:
                return RejectLine(data, offset, isFinal, RejectionReason.CsvQuote, stray, batch);
            case CsvScan.Record:
                Accept(data[.._tokens.Length], offset, offset + _tokens.FullLength, batch, RecordDefaults.None);
                return _tokens.FullLength;
            default:
                string detail = CsvScanFailure.Describe(scan, _tokens.Count + 1);
                return RejectLine(data, offset, isFinal, CsvScanFailure.Reason(scan), detail, batch);
        }
    }

    /// <summary>
    /// Whether a field runs over several lines that cannot be meant: where a number is expected, or in a record with the wrong number of
    /// columns, or beside a quote where none may be. Then a quote was left open and happened to meet another one further on; between them
    /// lie good records.
    /// </summary>
    private string? StrayQuote(ReadOnlySpan<byte> record)
    {
        if (!record.Contains((byte)'\n')) return null;
        if (_tokens.FaultyField is >= 0 and int faulty) return CsvScanFailure.Describe(_tokens.FaultOf(faulty), faulty + 1);
        if (!AddsUp(record))
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"a quoted field runs over the end of the line and the record has {_tokens.Count} columns, the header has {Header.Count}: "
                    + $"a quote is not closed");
        }
        for (int c = 0; c < Header.Count; c++)
        {
            int slot = Header.Slots[c];
            if (slot < 0 || _fields.IsText(slot) || !_tokens.Field(record, c).Contains((byte)'\n')) continue;
            return $"the quoted field of column '{_fields.Names[slot]}' runs over the end of the line, expected a number or a time: a "
                + "quote is not closed";
        }
        return null;
    }

    /// <summary>Passes over a comment; one that is longer than a record may be counts as a record that is too large.</summary>
    private int PassComment(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int end = data.IndexOf((byte)'\n'), length = end < 0 ? data.Length : end;
        if (length > MaxRecordBytes)
            return RejectLine(data, offset, isFinal, RejectionReason.TooLarge, "the comment is longer than a record may be", batch);
        return end >= 0 ? end + 1 : isFinal ? data.Length : 0;
    }

    /// <summary>Rejects the first line of what cannot be cut into fields.</summary>
    private int RejectLine(ReadOnlySpan<byte> data, long offset, bool isFinal, RejectionReason reason, string detail, RecordBatch batch)
    {
        int end = data.IndexOf((byte)'\n');
        if (end > MaxRecordBytes || (end < 0 && data.Length > MaxRecordBytes))
        {
            _oversized = new OversizedLine(reason, detail, offset, Text(data[..MaxRecordBytes]));
            int used = _oversized.Skip(data, offset, isFinal, batch, out bool ended);
            if (ended) _oversized = null;
            else batch.EndOffset = offset;
            return used;
        }
        if (end < 0 && !isFinal) return 0;
        if (end < 0) end = data.Length;
        Reject(batch, reason, detail, offset, offset + Math.Min(end + 1, data.Length),
            data[..(end > 0 && data[end - 1] == '\r' ? end - 1 : end)]);
        return Math.Min(end + 1, data.Length);
    }

    private bool Accept(ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch, in RecordDefaults defaults)
    {
        CsvHeader header = Header;
        if (!AddsUp(record))
        {
            RejectColumns(record, offset, nextOffset, batch);
            return false;
        }
        // Rows that end alike follow each other.
        if (_tokens.Count != header.Width) _header = header.WithTrailing(_tokens.Count - header.Count);
        _fields.Begin(defaults);
        if (_fields.HasFilter && !IsMeant(record, batch.NextRow))
        {
            batch.FilterOut(nextOffset);
            return true;
        }
        if (_tokens.OversizedField >= 0)
        {
            string detail =
                string.Create(CultureInfo.InvariantCulture, $"column {_tokens.OversizedField + 1} is longer than {MaxFieldBytes} bytes");
            Reject(batch, RejectionReason.TooLarge, detail, offset, nextOffset, record);
            return false;
        }
        if (header.Absent >= 0) batch.NextRow[header.Absent] = double.NaN;
        for (int c = 0; c < header.Count; c++)
        {
            if (header.Slots[c] >= 0 && !Set(header.Slots[c], c, record, offset, nextOffset, batch)) return false;
        }
        foreach ((int column, int slot) in header.Further)
        {
            if (!Set(slot, column, record, offset, nextOffset, batch)) return false;
        }
        _fields.Commit(batch, nextOffset);
        return true;
    }
}
