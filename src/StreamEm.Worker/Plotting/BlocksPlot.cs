using System.Globalization;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A picture of the parameters of a model without components, a panel per block, chosen by what the layout says of it: coefficients as
/// bars, rows over named entries as the largest of each, other matrices as maps of shades, single numbers as text. Bars have whiskers
/// where the snapshot says how sure it is of the values, or their covariance is there.
/// </summary>
/// <param name="snapshot">The model.</param>
internal sealed class BlocksPlot(ModelSnapshot snapshot)
{
    private const double Width = 960, Top = 52, Foot = 30;
    private const string Covariance = "covariance";

    private readonly SvgCanvas _svg = new();

    /// <summary>Draws the model.</summary>
    /// <param name="title">Above the picture.</param>
    public string Draw(string title)
    {
        BlockPanel[] panels = [.. snapshot.Layout.Blocks.Select(PanelOf).OfType<BlockPanel>()];
        double height = Top + panels.Sum(panel => panel.Height) + Foot;
        _svg.Open(Width, height);
        _svg.Text(20, 28, 17, title);
        double at = Top;
        foreach (BlockPanel panel in panels)
        {
            panel.Draw(_svg, at, Width);
            at += panel.Height;
        }

        _svg.Text(20, height - 12, 11,
            string.Join("; ", panels.SelectMany(panel => panel.Note.Split("; ", StringSplitOptions.RemoveEmptyEntries))
                .Distinct(StringComparer.Ordinal)), "#555");
        return _svg.Close();
    }

    private BlockPanel? PanelOf(VectorBlock block)
    {
        double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
        if (snapshot.Layout.Blocks.Any(other => IsCovarianceOf(block, other))) return null;
        if (block.Units is Units.Coefficients or Units.Logits && block.Shape.Count == 1)
            return new ValuesPanel(block.Name, Coefficients(block), values, Whiskers(block));
        if (block.Entries is { Count: > 0 } entries) return Rows(block, entries, values);
        if (block.Length == 1)
            return new NumberLine(block.Name, values[0], ValueRange.Of(snapshot.Intervals, block.Offset));
        string[] names = Names(block);
        return block.Shape.Count == 1 ? new ValuesPanel(block.Name, names, values, Whiskers(block)) : Map(block, names, values);
    }

    private BlockPanel Rows(VectorBlock block, IReadOnlyList<string> entries, double[] values)
    {
        int width = entries.Count, rows = values.Length / Math.Max(1, width);
        if (rows == 1 && block.RowName is null) return new ValuesPanel(block.Name, [.. entries], values, Whiskers(block));
        bool areShares = block.Domain is Domain.Simplex or Domain.Positive;
        string[] names = [.. Enumerable.Range(0, rows).Select(row => RowName(block, row))];
        return new EntriesPanel(block.Name, names, [.. entries], values, areShares,
            block.Domain == Domain.Positive ? Plotting.Whiskers.None : Whiskers(block));
    }

    private MatrixPanel Map(VectorBlock block, string[] names, double[] values)
    {
        int each = block.Shape[^1];
        string[] rows = [.. Enumerable.Range(0, values.Length / each).Select(row =>
            block.HasValuesPerFeature || block.Units == Units.Product ? names[row % names.Length] : RowName(block, row))];
        string[] columns = block.HasValuesPerFeature || names.Length != each ? Numbers(each) : names;
        return new MatrixPanel(block.ToString(), rows, columns, values, block.Domain is Domain.Probability or Domain.Simplex);
    }

    private static string RowName(VectorBlock block, int row) => block.RowName?.Invoke(row) ?? Number(row);

    /// <summary>What the entries of the axis of features are called; numbers where the block has none.</summary>
    private string[] Names(VectorBlock block)
    {
        int[] features = [.. block.Features ?? [.. Enumerable.Range(0, snapshot.Space.Dimension)]];
        int extent = block.HasValuesPerFeature ? block.Shape[^2] : block.Shape[^1];
        return block.Units != Units.None && features.Length == extent
            ? [.. features.Select(feature => FeatureText.Name(snapshot.Space.Features[feature]))]
            : Numbers(extent);
    }

    /// <summary>The intercept, where there is one, and the features but the target.</summary>
    private string[] Coefficients(VectorBlock block)
    {
        string[] inputs = [.. snapshot.Space.Features.Take(snapshot.Space.Dimension - 1).Select(FeatureText.Name)];
        return block.Length == inputs.Length ? inputs : ["intercept", .. inputs];
    }

    /// <summary>How sure the values of a block are: by the intervals of the snapshot, else by the covariance of the block.</summary>
    private Whiskers Whiskers(VectorBlock block)
    {
        int[] entries = [.. Enumerable.Range(0, block.Length)];
        if (snapshot.Intervals is { } intervals)
            return new Whiskers($"whiskers: {ValueRange.Meaning}",
                [.. entries.Select(at => ValueRange.Of(intervals, block.Offset + at))]);
        if (snapshot.Layout.Blocks.FirstOrDefault(other => IsCovarianceOf(other, block)) is not { } known) return Plotting.Whiskers.None;
        ReadOnlySpan<double> values = block.Of((ReadOnlySpan<double>)snapshot.Parameters);
        ReadOnlySpan<double> covariance = known.Of((ReadOnlySpan<double>)snapshot.Parameters);
        var ranges = new ValueRange[block.Length];
        for (int at = 0; at < ranges.Length; at++)
        {
            double reach = 2 * Math.Sqrt(Math.Max(0, covariance[at * ranges.Length + at]));
            ranges[at] = new ValueRange(values[at] - reach, values[at] + reach);
        }
        return new Whiskers("whiskers: two standard deviations to either side", ranges);
    }

    /// <summary>Whether a square block is the covariance of a vector: <c>coefficient_covariance</c> of <c>coefficients</c>, or of the one
    /// vector of its length where it is <c>covariance</c> alone.</summary>
    private static bool IsCovarianceOf(VectorBlock block, VectorBlock vector) =>
        block.Shape.Count == 2 && block.Name.EndsWith(Covariance, StringComparison.Ordinal)
        && vector.Shape.Count == 1 && vector.Length == block.Shape[0] && vector.Length == block.Shape[1]
        && vector.Name.StartsWith(block.Name[..^Covariance.Length].TrimEnd('_'), StringComparison.Ordinal);

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(Number)];

    private static string Number(int at) => at.ToString(CultureInfo.InvariantCulture);
}
