using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>Probabilities of going from one component (row) to another (column) as a map of shades.</summary>
/// <param name="block">The block: <c>transmat</c>.</param>
/// <param name="profile">The components.</param>
/// <param name="shown">Those drawn.</param>
/// <param name="probabilities">K x K, row-major.</param>
internal sealed class TransitionMap(string block, ComponentProfile profile, IReadOnlyList<int> shown, double[] probabilities)
{
    private const double Head = 48, Largest = 56;

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
                Cell(svg, probabilities[shown[at] * profile.Components + shown[to]], x + to * CellWidth, middle);
        }

        double width = shown.Count * CellWidth, height = shown.Count * CellHeight;
        svg.Add($"<rect x=\"{x:F1}\" y=\"{top + Head:F1}\" width=\"{width:F1}\" height=\"{height:F1}\" fill=\"none\" stroke=\"#bbbbbb\"/>");
    }

    private void Cell(SvgCanvas svg, double probability, double x, double middle)
    {
        svg.Box(x, middle - CellHeight / 2, CellWidth, CellHeight, Palette.Shade(probability));
        string text = probability.ToString(CellWidth > 44 ? "F3" : "F2", CultureInfo.InvariantCulture);
        if (CellWidth > 30) svg.Text(x + CellWidth / 2, middle + 4, 10.5, text, probability > 0.6 ? "#fff" : "#222", "middle");
    }
}
