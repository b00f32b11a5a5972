using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Surveys;

/// <summary>
/// Looks at the beginning of data of which nothing is known: the fields there are and what kinds of values they hold. Nothing is learned,
/// and no value is kept.
/// </summary>
public sealed class DataSurvey
{
    /// <summary>So much of the text is looked at.</summary>
    public const int MostBytes = 8 << 20;

    /// <summary>So many records are looked at.</summary>
    public const int MostRecords = 20_000;

    private readonly Dictionary<string, FieldSurvey> _fields = new(StringComparer.Ordinal);
    private readonly List<FieldSurvey> _inOrder = [];

    internal DataSurvey(string name, RecordFormat format) => (Name, Format) = (name, format);

    /// <summary>The data's name, for messages.</summary>
    public string Name { get; }

    /// <summary>How records are written.</summary>
    public RecordFormat Format { get; }

    /// <summary>How CSV is written: what was said, and the separator and decimal mark that were found.</summary>
    public CsvDialect Dialect { get; internal set; } = CsvDialect.Found;

    /// <summary>Records looked at.</summary>
    public int Records { get; internal set; }

    /// <summary>The fields, in the order they were met.</summary>
    public IReadOnlyList<FieldSurvey> Fields => _inOrder;

    /// <summary>Columns that cannot be learned from whatever they hold, and a sentence about each.</summary>
    public IReadOnlyDictionary<string, string> Unusable { get; internal set; } = new Dictionary<string, string>();

    /// <summary>Looks at the first of the files that paths and globs name.</summary>
    /// <param name="patterns">Paths and globs.</param>
    /// <param name="format">Tells how a file's records are written by its path; null where it does not.</param>
    /// <param name="dialect">What is known of how CSV is written.</param>
    /// <exception cref="SourceException">There is none, or as <see cref="OfFile"/>.</exception>
    public static DataSurvey OfFirst(IReadOnlyList<string> patterns, Func<string, RecordFormat?> format, CsvDialect dialect)
    {
        string path = FilePaths.Expand(patterns) is [var first, ..] ? first : patterns[0];
        return OfFile(path, format(path), dialect);
    }

    /// <summary>Looks at a file, compressed or not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">
    /// How its records are written; null: objects of JSON where its first record begins with a brace, else CSV. A Parquet file is one
    /// whatever is said.
    /// </param>
    /// <param name="dialect">What is known of how CSV is written.</param>
    /// <exception cref="SourceException">It cannot be read, is no text, or has no header.</exception>
    public static DataSurvey OfFile(string path, RecordFormat? format, CsvDialect dialect)
    {
        using var file = new OpenFile(path);
        if (file.IsParquet)
        {
            var survey = new DataSurvey(path, RecordFormat.Parquet);
            file.Attempt(() => ParquetSurvey.Read(file.Table, survey));
            return survey;
        }
        byte[] text = new byte[MostBytes];
        int length = 0;
        while (length < text.Length && file.Read(text.AsSpan(length)) is > 0 and var read) length += read;
        return OfText(text.AsSpan(0, length), length < text.Length, path, format, dialect);
    }

    /// <summary>Looks at a text.</summary>
    /// <param name="text">UTF-8 from the start.</param>
    /// <param name="isWhole">Whether it ends where its last record does.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="format">As in <see cref="OfFile"/>.</param>
    /// <param name="dialect">What is known of how CSV is written.</param>
    /// <exception cref="SourceException">It is no text, or has no header.</exception>
    public static DataSurvey OfText(ReadOnlySpan<byte> text, bool isWhole, string name, RecordFormat? format, CsvDialect dialect)
    {
        OtherContent.TryRefuse(text, isFinal: true, name);
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        RecordFormat written = format ?? (text.TrimStart(" \t\r\n"u8).StartsWith("{"u8) ? RecordFormat.Ndjson : RecordFormat.Csv);
        var survey = new DataSurvey(name, written);
        if (written == RecordFormat.Csv) new CsvSurvey(survey, dialect).Read(text, isWhole);
        else JsonSurvey.Read(text, isWhole, survey);
        return survey;
    }

    /// <summary>The field of a name; a new one where there is none yet, null where there are too many.</summary>
    internal FieldSurvey? Field(string name)
    {
        if (_fields.TryGetValue(name, out FieldSurvey? field)) return field;
        if (_inOrder.Count == RecordDecoder.MaxColumns) return null;
        _fields.Add(name, field = new FieldSurvey(name));
        _inOrder.Add(field);
        return field;
    }

    /// <summary>What is thrown where columns have no names.</summary>
    internal SourceException NoHeader(int columns) => new(SourceFailure.Missing, string.Create(CultureInfo.InvariantCulture,
        $"'{Name}' seems to have no header: its first line holds numbers. Name its {columns} columns with --columns a,b,c (source key "
            + $"'columns'); if lines before the header are to be passed over, say so with --skip-lines or --comment."));
}
