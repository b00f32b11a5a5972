using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>Blocks whose last axis is of names - terms of topics, levels of nodes - as the names that weigh most in every row.</summary>
internal static class EntryTables
{
    private const int MaxEntries = 10, MaxRows = 64, MaxName = 24;

    /// <summary>Writes a table for every such block.</summary>
    public static void Write(ModelSnapshot snapshot, IAnsiConsole console)
    {
        foreach (VectorBlock block in snapshot.Layout.Blocks)
        {
            if (block.Entries is not { Count: > 0 } entries) continue;
            double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
            int width = entries.Count, rows = values.Length / width;
            var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(block.ToString())).AddColumn("most probable");
            for (int row = 0; row < Math.Min(rows, MaxRows); row++)
                table.AddRow(Markup.Escape(Place(block, row)), Markup.Escape(Most(values.AsSpan(row * width, width).ToArray(), entries)));
            console.Write(table);
            if (rows > MaxRows) console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {rows - MaxRows} more rows"));
        }
    }

    /// <summary>The indices of a row along the axes before the last: <c>2</c>, <c>1, 0</c>.</summary>
    private static string Place(VectorBlock block, int row)
    {
        var indices = new Stack<int>();
        for (int axis = block.Shape.Count - 2; axis >= 0; row /= block.Shape[axis--]) indices.Push(row % block.Shape[axis]);
        return string.Join(", ", indices.Select(index => index.ToString(CultureInfo.InvariantCulture)));
    }

    private static string Most(double[] values, IReadOnlyList<string> entries)
    {
        double total = values.Sum();
        IEnumerable<string> most = Enumerable.Range(0, values.Length).OrderByDescending(at => values[at]).Take(MaxEntries).Select(at =>
            string.Create(CultureInfo.InvariantCulture, $"{Short(entries[at])} {values[at] / total:P1}"));
        return string.Join(", ", most);
    }

    private static string Short(string text) =>
        PrintableText.Of(text.Length <= MaxName ? text : string.Concat(text.AsSpan(0, MaxName - 1), "\u2026"));
}
