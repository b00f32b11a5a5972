using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

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
            .Where(at => double.IsFinite(intervals.StandardErrors[at]) && !IsMirrored(block, at))
            .Select(at => (NameOf(snapshot, block, at - block.Offset), at)))];
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

    /// <summary>The part of a symmetric matrix that is there twice.</summary>
    private static bool IsMirrored(VectorBlock block, int at)
    {
        int last = block.Shape.Count == 0 ? 1 : block.Shape[^1], entry = at - block.Offset;
        return block.Domain == Domain.PositiveDefinite && entry % last > entry / last % last;
    }

    /// <summary><c>means[c0, pressure]</c>: ids of components and names of features and entries where an axis is of them, else numbers.
    /// </summary>
    private static string NameOf(ModelSnapshot snapshot, VectorBlock block, int entry)
    {
        string[] places = new string[block.Shape.Count];
        for (int axis = places.Length - 1; axis >= 0; axis--)
        {
            int extent = block.Shape[axis], at = entry % extent;
            entry /= extent;
            bool isOfComponents = axis == 0 && snapshot.Model is ComponentModel && extent == snapshot.ComponentIds.Count
                && block.Domain != Domain.PositiveDefinite | block.Shape.Count > 2;
            IReadOnlyList<int> features = block.Features ?? [.. Enumerable.Range(0, snapshot.Features.Count)];
            places[axis] = isOfComponents ? snapshot.ComponentIds[at]
                : block.Entries is { } entries && axis == places.Length - 1 ? entries[at]
                : block.Units is Units.Value or Units.Deviation or Units.Square or Units.Product && features.Count == extent
                    ? snapshot.Features[features[at]]
                    : at.ToString(CultureInfo.InvariantCulture);
        }

        return places.Length == 0 ? block.Name : $"{block.Name}[{string.Join(", ", places)}]";
    }
}
