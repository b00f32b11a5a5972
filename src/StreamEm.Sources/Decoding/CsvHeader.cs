using System.Globalization;
using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>Which column of a CSV file feeds which slot of <see cref="RecordFields"/>.</summary>
internal sealed class CsvHeader
{
    /// <summary>The slot of a column beyond the named ones, in which nothing may be: what a separator at the end of rows makes.</summary>
    public const int Nothing = -2;

    /// <summary>So many empty columns at the end of rows are foreseen; rows with more go the long way.</summary>
    private const int MostTrailing = 64;

    private readonly int[] _slots, _plainSlots;
    private readonly bool[] _groups;
    private readonly CsvHeader?[] _byTrailing;

    /// <summary>Maps the columns of <paramref name="source"/>, which has to have every field of the schema, its features first.</summary>
    /// <param name="columns">The columns' names.</param>
    /// <param name="fields">What is looked for.</param>
    /// <param name="source">The stream's name, for messages.</param>
    /// <exception cref="SourceException">A field has no column, or more than one.</exception>
    public CsvHeader(IReadOnlyList<string> columns, RecordFields fields, string source)
    {
        Count = columns.Count;
        _slots = new int[Count];
        Array.Fill(_slots, -1);
        Absent = -1;
        var further = new List<(int Column, int Slot)>();
        for (int slot = 0; slot < fields.Names.Count; slot++)
        {
            if (fields.MayLack(slot) && !columns.Contains(fields.Names[slot]))
            {
                if (slot < fields.Dimension) Absent = slot;
                continue;
            }
            int column = Find(columns, fields.Names[slot], source);
            if (_slots[column] < 0) _slots[column] = slot;
            else further.Add((column, slot));
        }
        Further = [.. further];
        _plainSlots = Array.ConvertAll(_slots, slot => slot < 0 || fields.IsNumber(slot) ? slot : int.MaxValue);
        _groups = new bool[Count];
        for (int column = 0; column + FourNumbers.Count <= Count; column++)
        {
            int first = _plainSlots[column];
            _groups[column] = first >= 0 && first + FourNumbers.Count <= fields.Dimension &&
                _plainSlots[column + 1] == first + 1 && _plainSlots[column + 2] == first + 2 && _plainSlots[column + 3] == first + 3;
        }
        _byTrailing = new CsvHeader?[MostTrailing + 1];
        _byTrailing[0] = this;
    }

    private CsvHeader(CsvHeader header, int trailing)
    {
        Count = header.Count;
        Further = header.Further;
        Absent = header.Absent;
        _slots = [.. header._slots, .. Enumerable.Repeat(Nothing, trailing)];
        _plainSlots = [.. header._plainSlots, .. Enumerable.Repeat(int.MaxValue, trailing)];
        _groups = [.. header._groups, .. new bool[trailing]];
        _byTrailing = header._byTrailing;
    }

    /// <summary>Number of columns that have a name.</summary>
    public int Count { get; }

    /// <summary>Number of columns that rows are foreseen to have, empty ones at the end included.</summary>
    public int Width => _slots.Length;

    /// <summary>The slot each column feeds, -1 where none.</summary>
    public ReadOnlySpan<int> Slots => _slots;

    /// <summary>The same, where the slot is a number; what is none is beyond every number.</summary>
    public ReadOnlySpan<int> PlainSlots => _plainSlots;

    /// <summary>Whether the four columns from each on are four neighbouring features.</summary>
    public ReadOnlySpan<bool> Groups => _groups;

    /// <summary>Slots that share a column with one of <see cref="Slots"/>.</summary>
    public (int Column, int Slot)[] Further { get; }

    /// <summary>The column of a row that the file does not have, a target to be predicted; -1 where it has all.</summary>
    public int Absent { get; }

    /// <summary>The same columns, rows being foreseen to end with so many empty ones: where they do they go the short way.</summary>
    public CsvHeader WithTrailing(int columns) =>
        columns > MostTrailing ? this : _byTrailing[columns] ??= new CsvHeader(_byTrailing[0]!, columns);

    /// <summary>The column names of a header line without empty ones at its end; blanks around a name are dropped.</summary>
    public static string[] Names(CsvTokens tokens, ReadOnlySpan<byte> record)
    {
        int count = Math.Min(tokens.Count, RecordDecoder.MaxColumns);
        var names = new string[count];
        for (int c = 0; c < count; c++) names[c] = Encoding.UTF8.GetString(tokens.Field(record, c)).Trim();
        int named = Array.FindLastIndex(names, name => name.Length > 0) + 1;
        return named is 0 || named == count ? names : names[..named];
    }

    private static int Find(IReadOnlyList<string> columns, string field, string source)
    {
        int found = -1;
        for (int c = 0; c < columns.Count; c++)
        {
            if (!string.Equals(columns[c], field, StringComparison.Ordinal)) continue;
            if (found >= 0)
            {
                throw new SourceException(SourceFailure.Missing, string.Create(CultureInfo.InvariantCulture,
                    $"'{source}' has two columns '{field}' ({found + 1} and {c + 1}). Rename one of them."));
            }
            found = c;
        }
        return found >= 0 ? found : throw new SourceException(SourceFailure.Missing, CsvHeaderProblem.NoColumn(source, field, columns));
    }
}
