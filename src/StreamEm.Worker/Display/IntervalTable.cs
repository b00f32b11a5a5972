using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Intervals;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Display;

/// <summary>How sure the parameters of a snapshot are: a row for each value of which something is known.</summary>
internal static class IntervalTable
{
    private const int MaxRows = 48;

    /// <summary>Writes it; nothing where the snapshot says nothing.</summary>
    public static void Write(ModelSnapshot snapshot, IAnsiConsole console)
    {
        if (snapshot.Intervals is not { } intervals) return;
        (string Name, int At)[] all = [.. snapshot.Layout.Blocks.SelectMany(block => Enumerable.Range(block.Offset, block.Length)
            .Where(at => double.IsFinite(intervals.StandardErrors[at]) && !ParameterNames.IsMirrored(block, at - block.Offset))
            .Select(at => (ParameterNames.Of(snapshot, block, at - block.Offset), at)))];
        (string Name, int At)[] shown = [.. all.Take(MaxRows)];
        var table = new ColumnBands("parameter", [.. shown.Select(row => row.Name)]);
        foreach ((string head, double[] values) in ((string, double[])[])[
            ("estimate", intervals.Estimates), ("standard error", intervals.StandardErrors), ("from", intervals.Lower),
            ("to", intervals.Upper)])
            table.Add(head, [.. shown.Select(row => values[row.At].ToString("G5", CultureInfo.InvariantCulture))]);
        table.Write(console);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  of {intervals.Records:F0} records; each is between from and to at every look with probability {ParameterIntervals.Level}"));
        if (shown.Length < all.Length) console.WriteLine($"  {all.Length - shown.Length} more values");
    }
}
