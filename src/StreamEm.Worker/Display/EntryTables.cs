using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>Blocks whose last axis is of names - terms of topics, levels of nodes, groups: the entries that weigh most in every
/// row.</summary>
internal static class EntryTables
{
    private const int MaxShares = 10, MaxValues = 24, MaxRows = 64, MaxName = 24;

    /// <summary>Writes a table for every such block.</summary>
    public static void Write(ModelSnapshot snapshot, IAnsiConsole console)
    {
        foreach (VectorBlock block in snapshot.Layout.Blocks)
        {
            if (block.Entries is not { Count: > 0 } entries) continue;
            bool areShares = block.Domain is Domain.Simplex or Domain.Positive;
            double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
            int width = entries.Count, rows = values.Length / width;
            var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(PrintableText.Of(block.ToString())))
                .AddColumn(areShares ? "most probable" : "largest");
            for (int row = 0; row < Math.Min(rows, MaxRows); row++)
            {
                double[] own = values[(row * width)..((row + 1) * width)];
                table.AddRow(Markup.Escape(Place(block, row)), Markup.Escape(areShares ? Shares(own, entries) : Largest(own, entries)));
            }
            console.Write(table);
            if (rows > MaxRows) console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {rows - MaxRows} more rows"));
        }
    }

    private static string Place(VectorBlock block, int row) => block.RowName is { } name ? PrintableText.Of(name(row))
        : block.Shape.Count > 1 ? row.ToString(CultureInfo.InvariantCulture) : "";

    private static string Shares(double[] values, IReadOnlyList<string> entries)
    {
        double total = values.Sum();
        IEnumerable<string> most = Enumerable.Range(0, values.Length).OrderByDescending(at => values[at]).Take(MaxShares).Select(at =>
            string.Create(CultureInfo.InvariantCulture, $"{Short(entries[at])} {values[at] / total:P1}"));
        return string.Join(", ", most);
    }

    private static string Largest(double[] values, IReadOnlyList<string> entries)
    {
        IEnumerable<string> largest = Enumerable.Range(0, values.Length).OrderByDescending(at => values[at]).Take(MaxValues).Select(at =>
            string.Create(CultureInfo.InvariantCulture, $"{Short(entries[at])} {values[at]:G4}"));
        return string.Join(", ", largest) + (values.Length > MaxValues ? ", ..." : "");
    }

    private static string Short(string text) =>
        PrintableText.Of(text.Length <= MaxName ? text : string.Concat(text.AsSpan(0, MaxName - 1), "\u2026"));
}
