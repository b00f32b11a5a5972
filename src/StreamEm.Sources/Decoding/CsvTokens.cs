using System.Buffers;

namespace StreamEm.Sources.Decoding;

/// <summary>What <see cref="CsvTokens.Scan"/> found.</summary>
internal enum CsvScan
{
    /// <summary>A whole record; as the fault of a field: none.</summary>
    Record,

    /// <summary>A line with nothing or blanks alone.</summary>
    Blank,

    /// <summary>The beginning of a record.</summary>
    NeedMore,

    /// <summary>A quoted field that is not closed within the limit or before the end.</summary>
    OpenQuote,

    /// <summary>A quoted field followed by text: the fault of a field.</summary>
    TextAfterQuote,

    /// <summary>A quote within an unquoted field: the fault of a field.</summary>
    BareQuote,

    /// <summary>A record longer than the limit.</summary>
    RecordTooLarge,
}

/// <summary>
/// The fields of one CSV record by RFC 4180: a quoted field may hold separators, line ends and doubled quotes. Blanks round the quotes are
/// passed over. A quote where none may be is a fault of its field alone, which then ends at the next separator.
/// </summary>
internal sealed class CsvTokens
{
    private readonly byte[] _unescaped = new byte[RecordDecoder.MaxFieldBytes];
    private SearchValues<byte> _unquotedEnds = SearchValues.Create(",\n\""u8), _ends = SearchValues.Create(",\n"u8);
    private Token[] _fields = new Token[16];
    private byte _separator = (byte)',';

    /// <summary>Number of fields; only the first <see cref="RecordDecoder.MaxColumns"/> can be read.</summary>
    public int Count { get; private set; }

    /// <summary>Length of the record without its line end.</summary>
    public int Length { get; private set; }

    /// <summary>Length with its line end.</summary>
    public int FullLength { get; private set; }

    /// <summary>The first field longer than the limit, or -1.</summary>
    public int OversizedField { get; private set; }

    /// <summary>The first field with a quote where none may be, or -1.</summary>
    public int FaultyField { get; private set; }

    /// <summary>What is between two fields.</summary>
    public byte Separator
    {
        get => _separator;
        set
        {
            if (value == _separator) return;
            _separator = value;
            _unquotedEnds = SearchValues.Create([value, (byte)'\n', (byte)'"']);
            _ends = SearchValues.Create([value, (byte)'\n']);
        }
    }

    /// <summary>What is wrong with the quotes of field <paramref name="i"/>; <see cref="CsvScan.Record"/> for nothing.</summary>
    public CsvScan FaultOf(int i) => _fields[i].Fault;

    /// <summary>Field <paramref name="i"/> without its quotes; doubled quotes are undone into a buffer that the next call reuses.</summary>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> record, int i)
    {
        Token token = _fields[i];
        ReadOnlySpan<byte> field = record[token.Start..token.End];
        if (!token.Escaped) return field;
        int length = 0;
        for (int at = 0; at < field.Length; at++)
        {
            _unescaped[length++] = field[at];
            if (field[at] == '"') at++;
        }
        return _unescaped.AsSpan(0, length);
    }

    /// <summary>Whether there is nothing in the fields from <paramref name="first"/> on.</summary>
    public bool AreEmptyFrom(int first, ReadOnlySpan<byte> record)
    {
        if (Count > RecordDecoder.MaxColumns) return false;
        for (int i = first; i < Count; i++)
            if (!Numbers.Trim(Field(record, i)).IsEmpty) return false;
        return true;
    }

    /// <summary>
    /// Finds the fields of the record that starts <paramref name="data"/>. The answer does not depend on what follows the record.
    /// </summary>
    public CsvScan Scan(ReadOnlySpan<byte> data, bool isFinal)
    {
        Count = 0;
        OversizedField = FaultyField = -1;
        // A record of the largest size with its line end; when the scan runs out of a cut text, the record is too large.
        const int Most = RecordDecoder.MaxRecordBytes + 2;
        bool cut = data.Length > Most;
        if (cut) data = data[..Most];
        CsvScan atEnd = cut ? CsvScan.RecordTooLarge : CsvScan.NeedMore;
        bool last = isFinal && !cut;
        int at = 0;
        while (true)
        {
            int quote = SkipBlanks(data, at);
            CsvScan scan = quote < data.Length && data[quote] == '"' ? Quoted(data, last, quote, ref at) : Unquoted(data, last, ref at);
            if (scan == CsvScan.NeedMore) return atEnd;
            if (scan != CsvScan.Record) return scan;
            if (at < data.Length && data[at] == _separator)
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
        int start = at, length = data[at..].IndexOfAny(_unquotedEnds);
        CsvScan fault = CsvScan.Record;
        if (length >= 0 && data[at + length] == '"')
        {
            fault = CsvScan.BareQuote;
            length = data[at..].IndexOfAny(_ends);
        }
        if (length < 0)
        {
            if (!last) return CsvScan.NeedMore;
            length = data.Length - at;
        }
        at += length;
        Add(new Token { Start = start, End = at, Fault = fault });
        return CsvScan.Record;
    }

    private CsvScan Quoted(ReadOnlySpan<byte> data, bool last, int quote, ref int at)
    {
        int start = quote + 1;
        bool escaped = false;
        for (int from = start; ;)
        {
            int limit = Math.Min(data.Length, start + RecordDecoder.MaxFieldBytes + 1);
            int length = data[from..limit].IndexOf((byte)'"');
            if (length < 0) return limit < data.Length || last ? CsvScan.OpenQuote : CsvScan.NeedMore;
            int close = from + length;
            if (close + 1 < data.Length && data[close + 1] == '"')
            {
                escaped = true;
                from = close + 2;
                if (from > limit) return CsvScan.OpenQuote;
                continue;
            }
            if (!TryEndQuoted(data, last, close, ref at, out CsvScan fault)) return CsvScan.NeedMore;
            Add(fault == CsvScan.Record
                ? new Token { Start = start, End = close, Escaped = escaped }
                : new Token { Start = quote, End = at, Fault = fault });
            return CsvScan.Record;
        }
    }

    /// <summary>Finds the separator or line end after a closing quote.</summary>
    /// <returns>False when more bytes are needed to tell.</returns>
    private bool TryEndQuoted(ReadOnlySpan<byte> data, bool last, int close, ref int at, out CsvScan fault)
    {
        fault = CsvScan.Record;
        int after = SkipBlanks(data, close + 1);
        if (after < data.Length && data[after] == '\r')
        {
            if (after + 1 == data.Length && !last) return false;
            if (after + 1 == data.Length || data[after + 1] == '\n') after++;
        }
        if (after == data.Length && !last) return false;
        if (after < data.Length && data[after] != _separator && data[after] != '\n')
        {
            fault = CsvScan.TextAfterQuote;
            int length = data[after..].IndexOfAny(_ends);
            if (length < 0 && !last) return false;
            after = length < 0 ? data.Length : after + length;
        }
        at = after;
        return true;
    }

    private int SkipBlanks(ReadOnlySpan<byte> data, int at)
    {
        while (at < data.Length && data[at] is (byte)' ' or (byte)'\t' && data[at] != _separator) at++;
        return at;
    }

    private void Add(Token token)
    {
        if (token.End - token.Start > RecordDecoder.MaxFieldBytes && OversizedField < 0) OversizedField = Count;
        if (token.Fault != CsvScan.Record && FaultyField < 0) FaultyField = Count;
        if (Count == _fields.Length && Count < RecordDecoder.MaxColumns) Array.Resize(ref _fields, 2 * Count);
        if (Count < _fields.Length) _fields[Count] = token;
        Count++;
    }

    private record struct Token
    {
        public int Start { get; set; }

        public int End { get; set; }

        public bool Escaped { get; set; }

        public CsvScan Fault { get; set; }
    }
}
