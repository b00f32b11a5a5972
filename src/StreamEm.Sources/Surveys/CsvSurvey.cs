using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Surveys;

/// <summary>
/// Reads CSV of which nothing is known. The separator is the one that makes the same number of columns, more than one, of most of the first
/// lines; where none does there is one column.
/// </summary>
internal sealed class CsvSurvey(DataSurvey survey, CsvDialect dialect)
{
    private const string Candidates = ",;\t|";

    /// <summary>Lines that choose the separator and the decimal mark.</summary>
    private const int TrialLines = 50;

    private readonly CsvTokens _tokens = new();
    private readonly CsvComment _comment = new(dialect.Comment);
    private readonly FieldSpelling _spelling = new(new RecordSchema { Features = [] });

    /// <summary>Reads the header and the records behind it.</summary>
    public void Read(ReadOnlySpan<byte> text, bool isWhole)
    {
        for (int line = 0; line < dialect.SkipLines; line++)
        {
            int end = text.IndexOf((byte)'\n');
            text = end < 0 ? [] : text[(end + 1)..];
        }
        char separator = dialect.Separator ?? FindSeparator(text, isWhole);
        _tokens.Separator = (byte)separator;
        int at = 0;
        string[]? columns = dialect.Columns?.ToArray();
        if (columns is null)
        {
            if (!TryNext(text, ref at, isWhole, out ReadOnlySpan<byte> header)) return;
            columns = CsvHeader.Names(_tokens, header);
            if (columns.Any(CsvHeaderProblem.IsValue)) throw survey.NoHeader(columns.Length);
        }
        _spelling.HasDecimalComma = dialect.Decimal is { } mark ? mark == ',' : separator != ',' && FindDecimalComma(text[at..], isWhole);
        survey.Dialect = dialect with { Separator = separator, Decimal = _spelling.HasDecimalComma ? ',' : dialect.Decimal };
        FieldSurvey?[] fields = [.. columns.Select(name => name.Length == 0 ? null : survey.Field(name))];
        while (survey.Records < DataSurvey.MostRecords && TryNext(text, ref at, isWhole, out ReadOnlySpan<byte> record))
        {
            if (_tokens.Count < columns.Length || _tokens.OversizedField >= 0) continue;
            survey.Records++;
            for (int c = 0; c < fields.Length; c++) fields[c]?.Add(_tokens.Field(record, c), _spelling);
        }
    }

    /// <summary>The next record, blank lines and comments passed over.</summary>
    private bool TryNext(ReadOnlySpan<byte> text, ref int at, bool isWhole, out ReadOnlySpan<byte> record)
    {
        while (at < text.Length)
        {
            ReadOnlySpan<byte> rest = text[at..];
            int lineEnd = rest.IndexOf((byte)'\n');
            int line = lineEnd < 0 ? rest.Length : lineEnd + 1;
            CsvScan scan = _comment.Begins(rest) ? CsvScan.Blank : _tokens.Scan(rest, isWhole);
            if (scan == CsvScan.NeedMore) break;
            at += scan == CsvScan.Record ? _tokens.FullLength : line;
            if (scan != CsvScan.Record) continue;
            record = rest[.._tokens.Length];
            return true;
        }
        record = default;
        return false;
    }

    private char FindSeparator(ReadOnlySpan<byte> text, bool isWhole)
    {
        (char Separator, double Agreement, int Columns) best = (Candidates[0], 0, 1);
        foreach (char candidate in Candidates)
        {
            _tokens.Separator = (byte)candidate;
            int at = 0, lines = 0, alike = 0, columns = 0;
            while (lines < TrialLines && TryNext(text, ref at, isWhole, out ReadOnlySpan<byte> record))
            {
                if (lines++ == 0) columns = CsvHeader.Names(_tokens, record).Length;
                if (_tokens.Count >= columns && _tokens.AreEmptyFrom(columns, record)) alike++;
            }
            double agreement = lines == 0 ? 0 : (double)alike / lines;
            if (columns > 1 && (agreement > best.Agreement || (agreement == best.Agreement && columns > best.Columns)))
                best = (candidate, agreement, columns);
        }
        return best.Separator;
    }

    private bool FindDecimalComma(ReadOnlySpan<byte> text, bool isWhole)
    {
        int at = 0, points = 0, commas = 0;
        for (int line = 0; line < TrialLines && TryNext(text, ref at, isWhole, out ReadOnlySpan<byte> record); line++)
        {
            for (int c = 0; c < Math.Min(_tokens.Count, RecordDecoder.MaxColumns); c++)
            {
                ReadOnlySpan<byte> field = _tokens.Field(record, c);
                if (field.Contains((byte)'.') && Numbers.TryParse(field, out _)) points++;
                if (field.Contains((byte)',') && _spelling.IsNumberWithOtherMark(field)) commas++;
            }
        }
        return commas > points;
    }
}
