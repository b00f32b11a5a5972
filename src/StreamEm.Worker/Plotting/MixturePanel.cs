using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Plotting;

/// <summary>A version of a mixture over records in two features: one of several small pictures with the same axes.</summary>
/// <param name="title">Above it.</param>
/// <param name="snapshot">The version.</param>
/// <param name="scored">The records under it.</param>
/// <param name="features">The features to the right and upwards, and whether either axis is in powers of ten.</param>
internal sealed class MixturePanel(
    string title, ModelSnapshot snapshot, ScoredRows scored, (PlotAxes Axes, bool IsLogX, bool IsLogY) features) : Panel(title)
{
    private const double Head = 34;

    /// <inheritdoc/>
    protected override void DrawInside(SvgCanvas svg, double x, double y)
    {
        (double left, double right, double top, double bottom) = (x + Left - 14, x + Width - Right, y + Head, y + Height - Bottom);
        int across = features.Axes.X, up = features.Axes.Y;
        Scale horizontal = Scale.Over(Values(across), features.IsLogX, left, right);
        Scale vertical = Scale.Over(Values(up), features.IsLogY, bottom, top);
        PlotFrame.Draw(svg, horizontal, vertical, (left, right, top, bottom), TextSize);
        string clip = FormattableString.Invariant($"panel-{x:F0}-{y:F0}");
        svg.Add($"<clipPath id=\"{clip}\"><rect x=\"{left:F1}\" y=\"{top:F1}\" width=\"{right - left:F1}\" ",
            $"height=\"{bottom - top:F1}\"/></clipPath>");
        svg.Add($"<g clip-path=\"url(#{clip})\">");
        for (int row = 0; row < scored.Rows.Count; row++)
        {
            ReadOnlySpan<double> values = scored.Rows.Row(row);
            if (!horizontal.Has(values[across]) || !vertical.Has(values[up])) continue;
            svg.Add($"<circle cx=\"{horizontal.At(values[across]):F1}\" cy=\"{vertical.At(values[up]):F1}\" r=\"1.4\" ",
                $"fill=\"{Palette.Component(scored.Components[row])}\" fill-opacity=\"0.45\"/>");
        }
        ComponentEllipse[] ellipses = ComponentEllipse.Of(snapshot, across, up) ?? [];
        for (int k = 0; k < ellipses.Length; k++)
            foreach (double radius in (double[])[ComponentEllipse.Half, ComponentEllipse.NineteenOfTwenty])
                PlotFrame.Curve(svg, ellipses[k].Curve(radius), horizontal, vertical, Palette.Component(k), 1.6);
        svg.Add($"</g>");
        svg.Text(right, bottom + 32, TextSize, SvgCanvas.Fit(snapshot.Features[across], right - left, TextSize), "#444", "end");
        svg.Add($"<text transform=\"translate({x + 10:F1} {top:F1}) rotate(-90)\" font-size=\"{TextSize}\" fill=\"#444\" ",
            $"text-anchor=\"end\">{SvgCanvas.Escape(SvgCanvas.Fit(snapshot.Features[up], bottom - top, TextSize))}</text>");
    }

    private IEnumerable<double> Values(int feature) => Enumerable.Range(0, scored.Rows.Count).Select(row => scored.Rows.Row(row)[feature]);
}
