using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// How a model came to be: small multiples of some of its versions over the same records, the last ones further apart than the first; of a
/// model without two numbers to draw the values of its blocks over the records learned from.
/// </summary>
internal static class TracePlot
{
    /// <summary>Records drawn in each picture, at most.</summary>
    public const int MostPoints = 1500;

    private const int Most = 6, MostLines = 6, MostBlocks = 9, Columns = 3;

    /// <summary>Some of the versions: the first, the last, and between them as many times more updates from each to the next.</summary>
    public static ModelSnapshot[] Chosen(IReadOnlyList<ModelSnapshot> versions)
    {
        if (versions.Count <= Most) return [.. versions];
        double ratio = Math.Pow((double)versions[^1].Version / Math.Max(1, versions[0].Version), 1.0 / (Most - 1));
        var chosen = new List<ModelSnapshot> { versions[0] };
        for (int at = 1; at < Most - 1; at++)
        {
            double goal = Math.Max(1, versions[0].Version) * Math.Pow(ratio, at);
            chosen.Add(versions.Skip(1).SkipLast(1).MinBy(version => Math.Abs(Math.Log(version.Version / goal)))!);
        }
        return [.. chosen.Append(versions[^1]).DistinctBy(version => version.Version)];
    }

    /// <summary>The versions over records.</summary>
    public static string OverRecords(IReadOnlyList<ModelSnapshot> versions, Minibatch rows,
        (PlotAxes Axes, bool IsLogX, bool IsLogY) features, string title) => Figure.Of(title, Columns,
        [.. Chosen(versions).Select(version => new MixturePanel(
            NameOf(version), version, ScoredRows.Of(version, (ComponentModel)version.Model, rows), features))]);

    /// <summary>The values of every block, the largest of many, along the records.</summary>
    public static string OfBlocks(IReadOnlyList<ModelSnapshot> versions, string title)
    {
        // A mixture that grows has other blocks later.
        ModelSnapshot last = versions[^1];
        ModelSnapshot[] same = [.. versions.Where(version => version.Layout.Length == last.Layout.Length)];
        double[] records = [.. same.Select(version => (double)version.Training.Records)];
        return Figure.Of(title, Columns, [.. last.Layout.Blocks.Where(block => block.Length > 0).Take(MostBlocks).Select(block =>
        {
            int[] entries = [.. Enumerable.Range(block.Offset, block.Length)
                .Where(at => !ParameterNames.IsMirrored(block, at - block.Offset))
                .OrderByDescending(at => Math.Abs(last.Parameters[at])).Take(MostLines).Order()];
            string left = entries.Length < block.Length
                ? string.Create(CultureInfo.InvariantCulture, $"; {entries.Length} of {block.Length}, the largest") : "";
            var chart = new Chart($"{block}{left}", "records learned from", "value");
            foreach (int at in entries)
                chart.Line(entries.Length == 1 ? "" : ParameterNames.InBlock(last, block, at - block.Offset), records,
                    [.. same.Select(version => version.Parameters[at])]);
            return chart;
        })]);
    }

    private static string NameOf(ModelSnapshot version) => string.Create(CultureInfo.InvariantCulture,
        $"version {version.Version}: {version.Training.Records} records, {version.Training.MeanLogLikelihood:F3} nats each");
}
