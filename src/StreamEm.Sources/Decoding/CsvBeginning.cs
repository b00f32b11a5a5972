using System.Globalization;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// What comes before the first record of a CSV stream: lines to be passed over, the header, and from it and the first rows what was not
/// said about how the file is written. The decimal mark is decided by the first row that has one: those before it mean the same under
/// either. So what a record means depends neither on how much of a growing file is there nor on where reading goes on.
/// </summary>
internal sealed class CsvBeginning(RecordFields fields, CsvTokens tokens, CsvDialect dialect)
{
    /// <summary>So far into a stream rows are looked at for what was not said.</summary>
    public const int MostLookedAt = 1 << 16;

    private const string Usual = ",;\t|", WithDecimalComma = ";\t|,";

    private long _lookedAt;

    /// <summary>The columns; null where the data ended before them.</summary>
    public CsvHeader? Header { get; private set; }

    /// <summary>The names of the columns; null before they were read.</summary>
    public IReadOnlyList<string>? Columns { get; private set; }

    /// <summary>Whether a line is passed over because it begins with what a comment begins with.</summary>
    public CsvComment Comment { get; } = new(dialect.Comment);

    /// <summary>Whether rows may still say which mark numbers have.</summary>
    public bool IsUndecided { get; private set; }

    /// <summary>What was found that nobody had said and is not usual, for a person; null for nothing.</summary>
    public string? Found { get; private set; }

    /// <summary>Reads to the first record, and sets the separator of the tokens and the decimal mark of the fields.</summary>
    /// <param name="data">The stream's bytes from its start.</param>
    /// <param name="at">Where its text starts.</param>
    /// <param name="isFinal">Whether no more bytes will come.</param>
    /// <param name="name">The stream's name, for messages.</param>
    /// <param name="used">Number of bytes up to the first record.</param>
    /// <returns>False when more bytes are needed.</returns>
    /// <exception cref="SourceException">There is no header, or it lacks a field of the schema.</exception>
    public bool TryRead(ReadOnlySpan<byte> data, int at, bool isFinal, string name, out int used)
    {
        used = 0;
        Forget();
        for (int line = 0; line < dialect.SkipLines; line++)
            if (!TryPassLine(data, ref at, isFinal)) return NeedMore(data, name);
        if (!TryPassBlank(data, ref at, isFinal)) return NeedMore(data, name);
        if (at == data.Length)
        {
            if (!isFinal) return false;
            used = at;
            if (dialect.Columns is { } columns) Use(columns, Candidates[0], name);
            return true;
        }
        if (!(dialect.Columns is { } given ? TryUseColumns(given, data[at..], isFinal, name, out int length)
            : TryUseHeader(data[at..], isFinal, name, out length)))
            return NeedMore(data, name);
        at += length;
        used = at;
        BeginLooking();
        Look(data[at..], at, isFinal);
        return true;
    }

    /// <summary>Takes columns known from before; how they are apart is found in the first rows.</summary>
    /// <exception cref="SourceException">A field of the schema is not among the columns.</exception>
    public void GoOn(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, string name)
    {
        Forget();
        int at = 0;
        TryPassBlank(data, ref at, isFinal: true);
        TryUseColumns(columns, data[at..], isFinal: true, name, out _);
        BeginLooking();
        Look(data[at..], at, isFinal: false);
    }

    /// <summary>
    /// Looks for the first row with a number that has a mark, where nothing was said and nothing was found yet, and takes its mark.
    /// </summary>
    /// <param name="data">Bytes that begin where a record does.</param>
    /// <param name="offset">Where they are in the stream.</param>
    /// <param name="isFinal">Whether no more bytes will come.</param>
    /// <returns>Whether something was decided.</returns>
    public bool Look(ReadOnlySpan<byte> data, long offset, bool isFinal)
    {
        if (!IsUndecided) return false;
        int at = (int)Math.Clamp(_lookedAt - offset, 0, data.Length);
        while (IsUndecided && offset + at < MostLookedAt)
        {
            if (!TryPassBlank(data, ref at, isFinal) || at == data.Length) break;
            CsvScan scan = tokens.Scan(data[at..], isFinal);
            if (scan == CsvScan.NeedMore) break;
            if (scan == CsvScan.Record) Decide(data.Slice(at, tokens.Length));
            if (scan == CsvScan.Record) at += tokens.FullLength;
            else if (!TryPassLine(data, ref at, isFinal)) break;
        }
        _lookedAt = offset + at;
        bool isDecided = !IsUndecided;
        if (isDecided) SayFound();
        IsUndecided &= _lookedAt < MostLookedAt;
        return isDecided;
    }

    private void Forget()
    {
        Header = null;
        Found = null;
        (_lookedAt, IsUndecided) = (0, false);
        fields.Spelling.HasDecimalComma = dialect.Decimal == ',';
    }

    private void BeginLooking()
    {
        IsUndecided = dialect.Decimal is null && tokens.Separator != ',';
        SayFound();
    }

    private void SayFound()
    {
        string? apart = tokens.Separator == ',' || dialect.Separator is not null
            ? null : $"columns apart by {CsvHeaderProblem.Named((char)tokens.Separator)}";
        string? comma = fields.Spelling.HasDecimalComma && dialect.Decimal is null ? "numbers with a decimal comma" : null;
        Found = apart is null ? comma : comma is null ? apart : $"{apart}, {comma}";
    }

    /// <summary>Takes what a row says of the decimal mark.</summary>
    private void Decide(ReadOnlySpan<byte> row)
    {
        if (tokens.Count < Header!.Count) return;
        bool points = false, commas = false;
        for (int c = 0; c < Header.Count; c++)
        {
            if (Header.Slots[c] < 0 || fields.IsOptional(Header.Slots[c])) continue;
            ReadOnlySpan<byte> text = tokens.Field(row, c);
            points |= text.Contains((byte)'.') && Numbers.TryParse(text, out _);
            commas |= text.Contains((byte)',') && fields.Spelling.IsNumberWithOtherMark(text);
        }
        if (!points && !commas) return;
        (IsUndecided, fields.Spelling.HasDecimalComma) = (false, commas && !points);
    }

    /// <summary>Waits for more bytes, but not for ever.</summary>
    private static bool NeedMore(ReadOnlySpan<byte> data, string name) => data.Length <= RecordDecoder.MaxRecordBytes
        ? false
        : throw new SourceException(SourceFailure.Missing, string.Create(CultureInfo.InvariantCulture,
            $"'{name}' has no usable CSV header within its first {RecordDecoder.MaxRecordBytes} bytes. "
                + $"Expected the names of the columns."));

    /// <summary>Goes past a line end; past the end of what will not grow.</summary>
    private static bool TryPassLine(ReadOnlySpan<byte> data, ref int at, bool isFinal)
    {
        int end = data[at..].IndexOf((byte)'\n');
        if (end < 0 && !isFinal) return false;
        at = end < 0 ? data.Length : at + end + 1;
        return true;
    }

    /// <summary>Goes past blank lines and comments.</summary>
    private bool TryPassBlank(ReadOnlySpan<byte> data, ref int at, bool isFinal)
    {
        while (at < data.Length)
        {
            ReadOnlySpan<byte> rest = data[at..];
            int end = rest.IndexOf((byte)'\n');
            bool isBlank = rest[..(end < 0 ? rest.Length : end)].Trim(" \t\r"u8).IsEmpty;
            if (end < 0 && !isFinal && (isBlank || Comment.MayBegin(rest))) return false;
            if (!isBlank && !Comment.Begins(rest)) return true;
            TryPassLine(data, ref at, isFinal);
        }
        return true;
    }

    private string Candidates => dialect.Separator is { } said ? said.ToString() : dialect.Decimal == ',' ? WithDecimalComma : Usual;

    private void Use(IReadOnlyList<string> columns, char separator, string name)
    {
        tokens.Separator = (byte)separator;
        Columns = columns;
        Header = new CsvHeader(columns, fields, name);
    }

    /// <summary>Takes the names of the header, apart by what most of the fields are found with.</summary>
    private bool TryUseHeader(ReadOnlySpan<byte> data, bool isFinal, string name, out int length)
    {
        length = 0;
        string[] best = [];
        char separator = Candidates[0];
        int fewest = int.MaxValue, trailing = 0;
        CsvScan failure = CsvScan.Record;
        foreach (char candidate in Candidates)
        {
            tokens.Separator = (byte)candidate;
            CsvScan scan = tokens.Scan(data, isFinal);
            if (scan == CsvScan.NeedMore) return false;
            if (scan != CsvScan.Record || tokens.OversizedField >= 0)
            {
                if (fewest == int.MaxValue) (failure, length) = (scan, tokens.Count + 1);
                continue;
            }
            if (tokens.Count > RecordDecoder.MaxColumns) throw TooMany(name);
            string[] names = CsvHeader.Names(tokens, data[..tokens.Length]);
            int missing = Missing(names);
            if (missing > fewest || (missing == fewest && names.Length <= best.Length)) continue;
            (best, separator, fewest, length, trailing) = (names, candidate, missing, tokens.FullLength, tokens.Count - names.Length);
            if (missing == 0) break;
        }
        if (fewest == int.MaxValue)
            throw new SourceException(SourceFailure.Missing,
                $"'{name}' has no usable CSV header: {CsvScanFailure.Describe(failure, length)}. Expected the names of the columns.");
        if (fewest > 0)
            throw new SourceException(SourceFailure.Missing, CsvHeaderProblem.NoColumn(name, FirstMissing(best), best, separator));
        Use(best, separator, name);
        Header = Header!.WithTrailing(trailing);
        return true;
    }

    /// <summary>
    /// Takes the columns that were said, apart by what makes as many of them of the first row of which anything does: those before it are
    /// no records however columns are apart. A first row that is the names of all that is needed is a header after all.
    /// </summary>
    private bool TryUseColumns(IReadOnlyList<string> columns, ReadOnlySpan<byte> data, bool isFinal, string name, out int length)
    {
        length = 0;
        char separator = Candidates[0];
        int at = 0, most = -1;
        while (most < 0 && at < data.Length)
        {
            foreach (char candidate in Candidates)
            {
                tokens.Separator = (byte)candidate;
                CsvScan scan = tokens.Scan(data[at..], isFinal);
                if (scan == CsvScan.NeedMore) return false;
                if (scan != CsvScan.Record) continue;
                ReadOnlySpan<byte> row = data.Slice(at, tokens.Length);
                if (at == 0 && CsvHeader.Names(tokens, row) is var names && Missing(names) == 0)
                {
                    length = tokens.FullLength;
                    Use(names, candidate, name);
                    return true;
                }
                if (tokens.Count < columns.Count || !tokens.AreEmptyFrom(columns.Count, row)) continue;
                int good = Readable(columns, row);
                if (good > most) (most, separator) = (good, candidate);
            }
            if (most >= 0) break;
            if (!TryPassLine(data, ref at, isFinal) || !TryPassBlank(data, ref at, isFinal)) return false;
            if (at >= MostLookedAt) break;
            if (at == data.Length && !isFinal) return false;
        }
        Use(columns, separator, name);
        return true;
    }

    /// <summary>How many of the fields looked for are numbers, with a point or a comma, in a row of these columns.</summary>
    private int Readable(IReadOnlyList<string> columns, ReadOnlySpan<byte> row)
    {
        int readable = 0;
        for (int c = 0; c < columns.Count; c++)
        {
            int slot = IndexOf(columns[c]);
            if (slot < 0) continue;
            ReadOnlySpan<byte> text = tokens.Field(row, c);
            if (!fields.IsNumber(slot) || fields.Spelling.Number(text, out _) is NumberOutcome.Finite or NumberOutcome.Missing ||
                fields.Spelling.IsNumberWithOtherMark(text))
                readable++;
        }
        return readable;
    }

    private int IndexOf(string name)
    {
        for (int slot = 0; slot < fields.Names.Count; slot++)
            if (fields.Names[slot] == name) return slot;
        return -1;
    }

    private int Missing(string[] names) => Needed.Count(field => !names.Contains(field, StringComparer.Ordinal));

    private string FirstMissing(string[] names) => Needed.First(field => !names.Contains(field, StringComparer.Ordinal));

    private IEnumerable<string> Needed => fields.Names.Where((_, slot) => !fields.MayLack(slot));

    private SourceException TooMany(string name) => new(SourceFailure.Missing, string.Create(CultureInfo.InvariantCulture,
        $"'{name}' has a header of {tokens.Count} columns; at most {RecordDecoder.MaxColumns} can be read."));
}
