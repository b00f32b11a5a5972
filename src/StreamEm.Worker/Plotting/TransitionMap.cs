using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>Probabilities of going from one component (row) to another (column) as a map of shades.</summary>
/// <param name="block">The block: <c>transmat</c>.</param>
/// <param name="profile">The components.</param>
/// <param name="shown">Those drawn.</param>
/// <param name="probabilities">K x K, row-major.</param>
/// <param name="ranges">Where each is; empty where nothing is known of any.</param>
internal sealed class TransitionMap(
    string block, ComponentProfile profile, IReadOnlyList<int> shown, double[] probabilities, IReadOnlyList<ValueRange> ranges)
{
    private const double Head = 48, Largest = 56, EndsSize = 8;

    private double CellWidth => Math.Min(Largest, 640.0 / shown.Count);

    private double CellHeight => Math.Min(28, CellWidth);

    /// <summary>Pixels it takes.</summary>
    public double Height => Head + shown.Count * CellHeight + 16;

    /// <summary>Draws it.</summary>
    /// <param name="svg">The picture.</param>
    /// <param name="names">Where the rows' names begin.</param>
    /// <param name="x">Left edge of the map.</param>
    /// <param name="top">Upper edge.</param>
    public void Draw(SvgCanvas svg, double names, double x, double top)
    {
        svg.Text(x, top + 12, 12, $"{block}: from the row to the column");
        for (int at = 0; at < shown.Count; at++)
        {
            double middle = top + Head + (at + 0.5) * CellHeight;
            string name = profile.NameOf(shown[at]);
            svg.Text(x + (at + 0.5) * CellWidth, top + Head - 6, 11, SvgCanvas.Fit(name, CellWidth - 2, 11), "#555", "middle");
            svg.Box(names, middle - 6, 12, 12, Palette.Component(shown[at]));
            svg.Text(names + 18, middle + 4, 12, SvgCanvas.Fit(name, x - names - 30, 12));
            for (int to = 0; to < shown.Count; to++)
                Cell(svg, shown[at] * profile.Components + shown[to], x + to * CellWidth, middle);
        }

        double width = shown.Count * CellWidth, height = shown.Count * CellHeight;
        svg.Add($"<rect x=\"{x:F1}\" y=\"{top + Head:F1}\" width=\"{width:F1}\" height=\"{height:F1}\" fill=\"none\" stroke=\"#bbbbbb\"/>");
    }

    private void Cell(SvgCanvas svg, int entry, double x, double middle)
    {
        double probability = probabilities[entry];
        ValueRange sure = entry < ranges.Count ? ranges[entry] : ValueRange.Unknown;
        string text = probability.ToString(CellWidth > 44 ? "F3" : "F2", CultureInfo.InvariantCulture);
        string colour = probability > 0.6 ? "#fff" : "#222";
        // Under the value where there is room, and told where the pointer is.
        svg.Told(sure.IsKnown ? $"{text}, {Ends(sure)}" : "", () =>
        {
            svg.Box(x, middle - CellHeight / 2, CellWidth, CellHeight, Palette.Shade(probability));
            bool hasRoom = sure.IsKnown && CellHeight >= 26 && SvgCanvas.WidthOf(Ends(sure), EndsSize) <= CellWidth - 2;
            if (CellWidth > 30) svg.Text(x + CellWidth / 2, middle + (hasRoom ? 0 : 4), 10.5, text, colour, "middle");
            if (hasRoom) svg.Text(x + CellWidth / 2, middle + 10, EndsSize, Ends(sure), colour, "middle");
        });
    }

    private static string Ends(ValueRange range) => string.Create(CultureInfo.InvariantCulture, $"{range.Low:F3}–{range.High:F3}");
}
