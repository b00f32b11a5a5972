using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// CSV by RFC 4180: a header line, commas, line ends <c>\n</c> or <c>\r\n</c>, fields in double quotes may hold commas, line ends and
/// doubled quotes. Blank lines are skipped. A cell that is empty or reads <c>null</c>, <c>NaN</c> or <c>NA</c> (any case) is a missing
/// number; blanks round a number are ignored. A record with a broken quote is rejected as its first line alone, and reading goes on with
/// the next line; a quoted field over several lines counts as broken where a number is expected or the columns do not add up.
/// </summary>
/// <remarks>
/// Rows without quotes take the short way: an index of all separators of a block (<see cref="SeparatorIndex"/>), then one number after
/// another. Whatever that cannot handle, or finds wrong, goes through <see cref="CsvTokens"/> record by record.
/// </remarks>
internal sealed class CsvDecoder : RecordDecoder
{
    private const int BlockBytes = 16 * 1024;

    private readonly RecordFields _fields;
    private readonly CsvTokens _tokens = new();
    /// <summary>The separators of a block, after the place of the byte before the first row.</summary>
    private readonly int[] _places = new int[1 + BlockBytes + SeparatorIndex.Slack];
    private CsvHeader? _header;
    private IReadOnlyList<string>? _columns;
    private OversizedLine? _oversized;

    /// <summary>For streams that begin with a header line.</summary>
    public CsvDecoder(RecordSchema schema) => _fields = new RecordFields(schema);

    /// <summary>For messages without a header, whose columns are known.</summary>
    /// <exception cref="SourceException">A field of the schema is not among the columns.</exception>
    public CsvDecoder(RecordSchema schema, IReadOnlyList<string> columns, string name)
        : this(schema) => _header = new CsvHeader(columns, _fields, name);

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Columns => _columns;

    /// <inheritdoc/>
    public override void BeginWithout(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, string name) =>
        (_oversized, _columns, _header) = (null, columns, new CsvHeader(columns, _fields, name));

    /// <inheritdoc/>
    public override bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, out int used)
    {
        used = 0;
        _oversized = null;
        _header = null;
        int at = MarkLength(data, isFinal);
        while (at >= 0 && at < data.Length)
        {
            CsvScan scan = _tokens.Scan(data[at..], isFinal);
            if (scan == CsvScan.NeedMore) return false;
            ReadOnlySpan<byte> record = data.Slice(at, scan is CsvScan.Record or CsvScan.Blank ? _tokens.Length : 0);
            if (scan is not (CsvScan.Record or CsvScan.Blank) || _tokens.OversizedField >= 0)
                throw new SourceException(SourceFailure.Missing, $"'{name}' has no usable CSV header: "
                    + $"{CsvScanFailure.Describe(scan, _tokens.Count + 1)}. Expected the names of the columns.");
            at += _tokens.FullLength;
            if (scan == CsvScan.Blank) continue;
            _columns = CsvHeader.Names(_tokens, record, name);
            _header = new CsvHeader(_columns, _fields, name);
            used = at;
            return true;
        }
        if (isFinal) used = data.Length;
        return isFinal;
    }

    /// <inheritdoc/>
    public override int Decode(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
        int at = 0;
        _fields.Use(batch.Texts);
        if (_oversized is not null && !SkipOversized(data, offset, isFinal, batch, ref at)) return at;
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
        int blockStart = at, blockEnd = Math.Min(data.Length, at + BlockBytes);
        int found = SeparatorIndex.Find(data[at..blockEnd], _places.AsSpan(1)), next = 0;
        while (at < blockEnd && !batch.IsFull)
        {
            at = DecodePlainRows(data, blockStart, at, offset, found, ref next, batch);
            if (at == blockEnd || batch.IsFull) break;
            if (found - next < Header.Count && at > blockStart && blockEnd < data.Length) break;
            int used = DecodeRecord(data[at..], offset + at, isFinal, batch);
            at += used;
            if (used == 0 || _oversized is not null) break;
            while (next < found && blockStart + _places[1 + next] < at) next++;
        }
        return at;
    }

    /// <summary>Decodes rows without quotes as long as all is well with them.</summary>
    /// <param name="data">All the bytes.</param>
    /// <param name="blockStart">Where the block that was indexed starts in them.</param>
    /// <param name="at">Where the first row starts in them.</param>
    /// <param name="offset">Position of the first byte.</param>
    /// <param name="found">How many separators the block has.</param>
    /// <param name="next">The first separator of the row.</param>
    /// <param name="batch">Takes the rows.</param>
    /// <returns>Where the first row starts that was not taken.</returns>
    private unsafe int DecodePlainRows(
        ReadOnlySpan<byte> data, int blockStart, int at, long offset, int found, ref int next, RecordBatch batch)
    {
        CsvHeader header = Header;
        ReadOnlySpan<byte> block = data[blockStart..];
        int columns = header.Count, dimension = _fields.Dimension;
        bool featuresOnly = _fields.FeaturesOnly;
        _places[next] = at - blockStart - 1;
        fixed (byte* bytes = block)
        fixed (int* places = _places, slots = header.PlainSlots)
        fixed (bool* groups = header.Groups)
        {
            while (found - next >= columns && !batch.IsFull)
            {
                int* ends = places + 1 + next;
                Span<double> row = batch.NextRow;
                if (!featuresOnly) _fields.Begin(RecordDefaults.None);
                fixed (double* values = row)
                {
                    int column = PlainNumbers.Take(bytes, ends, columns, slots, groups, 0, values, dimension);
                    for (; column < columns; column = PlainNumbers.Take(bytes, ends, columns, slots, groups, column + 1, values, dimension))
                        if (!TakeField(block, ends, column, header.Slots[column], row)) return at;
                }
                if (header.Further.Length > 0 && !TakeFurther(block, ends, row)) return at;
                if (!_fields.AreInSupport(row)) return at;
                at = blockStart + ends[columns - 1] + 1;
                next += columns;
                if (featuresOnly) batch.Commit(offset + at);
                else _fields.Commit(batch, offset + at);
            }
        }
        return at;
    }

    /// <summary>Takes one field of a row without quotes, if it is one and can be used.</summary>
    private unsafe bool TakeField(ReadOnlySpan<byte> block, int* ends, int column, int slot, Span<double> row)
    {
        bool last = column + 1 == Header.Count;
        int start = ends[column - 1] + 1, end = ends[column];
        if (block[end] != (last ? '\n' : ',')) return false;
        if (last && end > start && block[end - 1] == '\r') end--;
        ReadOnlySpan<byte> text = block[start..end];
        if (Header.Count == 1 && Numbers.Trim(text).IsEmpty) return false;
        return slot < 0 || _fields.Set(slot, text, row) is null;
    }

    private unsafe bool TakeFurther(ReadOnlySpan<byte> block, int* ends, Span<double> row)
    {
        foreach ((int column, int slot) in Header.Further)
        {
            if (!TakeField(block, ends, column, slot, row)) return false;
        }
        return true;
    }

    /// <summary>Decodes or rejects one record, whatever it holds.</summary>
    /// <returns>Number of bytes taken; 0 when more are needed.</returns>
    private int DecodeRecord(ReadOnlySpan<byte> data, long offset, bool isFinal, RecordBatch batch)
    {
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
    /// columns. Then a quote was left open and happened to meet another one further on; between them lie good records.
    /// </summary>
    private string? StrayQuote(ReadOnlySpan<byte> record)
    {
        int line = record.IndexOf((byte)'\n');
        if (line < 0) return null;
        if (_tokens.Count != Header.Count)
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
        if (_tokens.Count != header.Count)
        {
            string detail = string.Create(CultureInfo.InvariantCulture,
                $"the row has {_tokens.Count} columns, the header has {header.Count}");
            Reject(batch, RejectionReason.CsvColumns, detail, offset, nextOffset, record);
            return false;
        }
        if (_tokens.OversizedField >= 0)
        {
            string detail =
                string.Create(CultureInfo.InvariantCulture, $"column {_tokens.OversizedField + 1} is longer than {MaxFieldBytes} bytes");
            Reject(batch, RejectionReason.TooLarge, detail, offset, nextOffset, record);
            return false;
        }
        _fields.Begin(defaults);
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

    private bool Set(int slot, int column, ReadOnlySpan<byte> record, long offset, long nextOffset, RecordBatch batch)
    {
        ReadOnlySpan<byte> text = _tokens.Field(record, column);
        if (_fields.Set(slot, text, batch.NextRow) is not { } reason) return true;
        Reject(batch, reason, _fields.Describe("column", slot, reason, text), offset, nextOffset, record);
        return false;
    }
}
