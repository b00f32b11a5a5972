using System.Globalization;
using System.Text;
using StreamEm.Core.Settings;

namespace StreamEm.Sources.Decoding;

/// <summary>Which column of a CSV file feeds which slot of <see cref="RecordFields"/>.</summary>
internal sealed class CsvHeader
{
    private const int ShownColumns = 40;

    private readonly int[] _slots, _plainSlots;
    private readonly bool[] _groups;

    /// <summary>Maps the columns of <paramref name="source"/>, which has to have every field of the schema, its features first.</summary>
    /// <param name="columns">The columns' names.</param>
    /// <param name="fields">What is looked for.</param>
    /// <param name="source">The stream's name, for messages.</param>
    /// <exception cref="SourceException">A field has no column, or more than one.</exception>
    public CsvHeader(IReadOnlyList<string> columns, RecordFields fields, string source)
    {
        _slots = new int[columns.Count];
        Array.Fill(_slots, -1);
        var further = new List<(int Column, int Slot)>();
        for (int slot = 0; slot < fields.Names.Count; slot++)
        {
            if (slot >= fields.Dimension && fields.MayLackRoles && !columns.Contains(fields.Names[slot])) continue;
            int column = Find(columns, fields.Names[slot], source);
            if (_slots[column] < 0) _slots[column] = slot;
            else further.Add((column, slot));
        }
        Further = [.. further];
        _plainSlots = Array.ConvertAll(_slots, slot => slot < 0 || fields.IsNumber(slot) ? slot : int.MaxValue);
        _groups = new bool[columns.Count];
        for (int column = 0; column + FourNumbers.Count <= columns.Count; column++)
        {
            int first = _plainSlots[column];
            _groups[column] = first >= 0 && first + FourNumbers.Count <= fields.Dimension &&
                _plainSlots[column + 1] == first + 1 && _plainSlots[column + 2] == first + 2 && _plainSlots[column + 3] == first + 3;
        }
    }

    /// <summary>Number of columns.</summary>
    public int Count => _slots.Length;

    /// <summary>The slot each column feeds, -1 where none.</summary>
    public ReadOnlySpan<int> Slots => _slots;

    /// <summary>The same, where the slot is a number; what is none is beyond every number.</summary>
    public ReadOnlySpan<int> PlainSlots => _plainSlots;

    /// <summary>Whether the four columns from each on are four neighbouring features.</summary>
    public ReadOnlySpan<bool> Groups => _groups;

    /// <summary>Slots that share a column with one of <see cref="Slots"/>.</summary>
    public (int Column, int Slot)[] Further { get; }

    /// <summary>The column names of a header line; blanks around a name are dropped.</summary>
    /// <exception cref="SourceException">There are too many.</exception>
    public static string[] Names(CsvTokens tokens, ReadOnlySpan<byte> record, string source)
    {
        if (tokens.Count > RecordDecoder.MaxColumns)
        {
            throw new SourceException(SourceFailure.Missing, string.Create(CultureInfo.InvariantCulture,
                $"'{source}' has a header of {tokens.Count} columns; at most {RecordDecoder.MaxColumns} can be read."));
        }
        var names = new string[tokens.Count];
        for (int c = 0; c < names.Length; c++) names[c] = Encoding.UTF8.GetString(tokens.Field(record, c)).Trim();
        return names;
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
        if (found >= 0) return found;
        string nearest = Spelling.Nearest(field, columns.Where(name => name.Length > 0)) is { } name ? $" Did you mean '{name}'?" : "";
        string more = columns.Count > ShownColumns
            ? string.Create(CultureInfo.InvariantCulture, $" and {columns.Count - ShownColumns} more")
            : "";
        throw new SourceException(SourceFailure.Missing,
            $"'{source}' has no column '{field}'.{nearest} Its columns are: {string.Join(", ", columns.Take(ShownColumns))}{more}.");
    }
}
