using System.Buffers;

namespace StreamEm.Sources.Decoding;

/// <summary>What <see cref="CsvTokens.Scan"/> found.</summary>
internal enum CsvScan
{
    /// <summary>A whole record.</summary>
    Record,

    /// <summary>A line with nothing or blanks alone.</summary>
    Blank,

    /// <summary>The beginning of a record.</summary>
    NeedMore,

    /// <summary>A quoted field that is not closed within the limit or before the end.</summary>
    OpenQuote,

    /// <summary>A quoted field followed by text.</summary>
    TextAfterQuote,

    /// <summary>A quote within an unquoted field.</summary>
    BareQuote,

    /// <summary>A record longer than the limit.</summary>
    RecordTooLarge,
}

/// <summary>The fields of one CSV record by RFC 4180: a quoted field may hold commas, line ends and doubled quotes.</summary>
internal sealed class CsvTokens
{
    private static readonly SearchValues<byte> UnquotedEnds = SearchValues.Create(",\n\""u8);

    private readonly byte[] _unescaped = new byte[RecordDecoder.MaxFieldBytes];
    private (int Start, int End, bool Escaped)[] _fields = new (int, int, bool)[16];

    /// <summary>Number of fields; only the first <see cref="RecordDecoder.MaxColumns"/> can be read.</summary>
    public int Count { get; private set; }

    /// <summary>Length of the record without its line end.</summary>
    public int Length { get; private set; }

    /// <summary>Length with its line end.</summary>
    public int FullLength { get; private set; }

    /// <summary>The first field longer than the limit, or -1.</summary>
    public int OversizedField { get; private set; }

    /// <summary>Field <paramref name="i"/> without its quotes; doubled quotes are undone into a buffer that the next call reuses.</summary>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> record, int i)
    {
        (int start, int end, bool escaped) = _fields[i];
        ReadOnlySpan<byte> field = record[start..end];
        if (!escaped) return field;
        int length = 0;
        for (int at = 0; at < field.Length; at++)
        {
            _unescaped[length++] = field[at];
            if (field[at] == '"') at++;
        }
        return _unescaped.AsSpan(0, length);
    }

    /// <summary>
    /// Finds the fields of the record that starts <paramref name="data"/>. The answer does not depend on what follows the record.
    /// </summary>
    public CsvScan Scan(ReadOnlySpan<byte> data, bool isFinal)
    {
        Count = 0;
        OversizedField = -1;
        // A record of the largest size with its line end; when the scan runs out of a cut text, the record is too large.
        const int Most = RecordDecoder.MaxRecordBytes + 2;
        bool cut = data.Length > Most;
        if (cut) data = data[..Most];
        CsvScan atEnd = cut ? CsvScan.RecordTooLarge : CsvScan.NeedMore;
        bool last = isFinal && !cut;
        int at = 0;
        while (true)
        {
            CsvScan scan = at < data.Length && data[at] == '"' ? Quoted(data, last, ref at) : Unquoted(data, last, ref at);
            if (scan == CsvScan.NeedMore) return atEnd;
            if (scan != CsvScan.Record) return scan;
            if (at < data.Length && data[at] == ',')
            {
                at++;
                continue;
            }
            return End(data, at);
        }
    }

    /// <summary>The line end at <paramref name="at"/>, or the end of the data.</summary>
    private CsvScan End(ReadOnlySpan<byte> data, int at)
    {
        FullLength = Math.Min(data.Length, at + 1);
        Length = at > 0 && data[at - 1] == '\r' ? at - 1 : at;
        if (Length > RecordDecoder.MaxRecordBytes) return CsvScan.RecordTooLarge;
        if (Count <= _fields.Length) _fields[Count - 1].End = Math.Min(_fields[Count - 1].End, Length);
        return Count == 1 && Numbers.Trim(data[..Length]).IsEmpty ? CsvScan.Blank : CsvScan.Record;
    }

    private CsvScan Unquoted(ReadOnlySpan<byte> data, bool last, ref int at)
    {
        int start = at, length = data[at..].IndexOfAny(UnquotedEnds);
        if (length < 0)
        {
            if (!last) return CsvScan.NeedMore;
            length = data.Length - at;
        }
        at += length;
        if (at < data.Length && data[at] == '"') return CsvScan.BareQuote;
        Add(start, at, escaped: false);
        return CsvScan.Record;
    }

    private CsvScan Quoted(ReadOnlySpan<byte> data, bool last, ref int at)
    {
        int start = at + 1;
        bool escaped = false;
        for (int from = start; ;)
        {
            int limit = Math.Min(data.Length, start + RecordDecoder.MaxFieldBytes + 1);
            int length = data[from..limit].IndexOf((byte)'"');
            if (length < 0) return limit < data.Length || last ? CsvScan.OpenQuote : CsvScan.NeedMore;
            int close = from + length;
            if (close + 1 == data.Length && !last) return CsvScan.NeedMore;
            byte next = close + 1 < data.Length ? data[close + 1] : (byte)'\n';
            if (next == '"')
            {
                escaped = true;
                from = close + 2;
                if (from > limit) return CsvScan.OpenQuote;
                continue;
            }
            at = close + 1;
            if (next == '\r')
            {
                if (at + 1 == data.Length && !last) return CsvScan.NeedMore;
                if (at + 1 < data.Length && data[at + 1] != '\n') return CsvScan.TextAfterQuote;
                at++;
            }
            else if (next is not ((byte)',' or (byte)'\n'))
            {
                return CsvScan.TextAfterQuote;
            }
            Add(start, close, escaped);
            return CsvScan.Record;
        }
    }

    private void Add(int start, int end, bool escaped)
    {
        if (end - start > RecordDecoder.MaxFieldBytes && OversizedField < 0) OversizedField = Count;
        if (Count == _fields.Length && Count < RecordDecoder.MaxColumns) Array.Resize(ref _fields, 2 * Count);
        if (Count < _fields.Length) _fields[Count] = (start, end, escaped);
        Count++;
    }
}
