using Spectre.Console;

namespace StreamEm.Worker.Display;

/// <summary>
/// A table as wide as its columns need, cut into several one under the other where a console is narrower: a cell that is broken over lines
/// cannot be compared with the one above it.
/// </summary>
internal sealed class ColumnBands
{
    /// <summary>What the border puts between two columns, and at both ends together.</summary>
    private const int Between = 3, Ends = 4;

    private readonly List<Column> _columns = [];
    private readonly int _rows;
    private readonly Column _names;

    /// <summary>A table of rows with names, which every band repeats.</summary>
    /// <param name="head">Above the names.</param>
    /// <param name="names">One for every row.</param>
    public ColumnBands(string head, IReadOnlyList<string> names) =>
        (_names, _rows) = (new Column(head, names, IsNumber: false), names.Count);

    /// <summary>Adds a column.</summary>
    /// <param name="head">Above it.</param>
    /// <param name="cells">One for every row.</param>
    /// <param name="isNumber">Whether it is aligned to the right.</param>
    public void Add(string head, IReadOnlyList<string> cells, bool isNumber = true) => _columns.Add(new Column(head, cells, isNumber));

    /// <summary>Writes the columns in as few bands as fit; with rows and columns changed where that takes far fewer.</summary>
    public void Write(IAnsiConsole console)
    {
        List<Range> bands = Cut(console.Profile.Width);
        if (bands.Count > 3 && Turned() is var turned && turned.Cut(console.Profile.Width).Count < bands.Count / 2.0)
        {
            turned.Write(console);
            return;
        }

        foreach (Range band in bands) console.Write(Band([_names, .. _columns.Take(band)]));
    }

    private List<Range> Cut(int most)
    {
        var bands = new List<Range>();
        for (int at = 0; at < _columns.Count;)
        {
            int first = at, width = Ends + _names.Width + Between + _columns[at++].Width;
            while (at < _columns.Count && width + Between + _columns[at].Width <= most) width += Between + _columns[at++].Width;
            bands.Add(first..at);
        }

        return bands;
    }

    /// <summary>The table whose rows are this one's columns.</summary>
    private ColumnBands Turned()
    {
        var turned = new ColumnBands("", [.. _columns.Select(column => column.Head)]);
        for (int row = 0; row < _rows; row++) turned.Add(_names.Cells[row], [.. _columns.Select(column => column.Cells[row])]);
        return turned;
    }

    private Table Band(Column[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (Column column in columns)
        {
            Justify alignment = column.IsNumber ? Justify.Right : Justify.Left;
            table.AddColumn(new TableColumn(Markup.Escape(column.Head)) { Alignment = alignment });
        }

        for (int row = 0; row < _rows; row++) table.AddRow([.. columns.Select(column => Markup.Escape(column.Cells[row]))]);
        return table;
    }

    private sealed record Column(string Head, IReadOnlyList<string> Cells, bool IsNumber)
    {
        public int Width { get; } = Cells.Select(cell => cell.Length).Append(Head.Length).Max();
    }
}
