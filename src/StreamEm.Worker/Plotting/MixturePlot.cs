using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A picture of a learned mixture over data as SVG: records coloured by their most responsible component, each component's ellipses that
/// hold 50 % and 95 % of it, whiskers round its mean where these are known, the strangest records ringed and numbered.
/// </summary>
internal sealed class MixturePlot(ModelSnapshot snapshot, ComponentModel model, int x, int y)
{
    private const double Width = 960, Height = 600, Left = 70, Right = 190, Top = 46, Bottom = 56;

    /// <summary>Lines for components, beyond which the legend would run out of the picture.</summary>
    private const int MostInLegend = 22;

    private const double LabelSize = 13, RankSize = 11;
    private const string RangeColour = "#111";

    private readonly SvgCanvas _svg = new();
    private readonly LabelPlaces _labels = new();
    private readonly ComponentEllipse[]? _ellipses = ComponentEllipse.Of(snapshot, x, y);
    private readonly ComponentProfile _profile = new(snapshot, model);

    /// <summary>Whether the axis to the right is in powers of ten; what is not above 0 has no place on it.</summary>
    public bool IsLogX { get; init; }

    /// <summary>Whether the axis upwards is in powers of ten.</summary>
    public bool IsLogY { get; init; }

    /// <summary>Draws rows (user units) that were scored under the snapshot.</summary>
    /// <param name="rows">N rows.</param>
    /// <param name="components">The most responsible component of each row.</param>
    /// <param name="strangest">Rows to ring, the strangest first.</param>
    /// <param name="title">Above the picture.</param>
    public string Draw(Minibatch rows, IReadOnlyList<int> components, IReadOnlyList<int> strangest, string title)
    {
        Scale horizontal = Scale.Over(Enumerable.Range(0, rows.Count).Select(row => rows.Row(row)[x]), IsLogX, Left, Width - Right);
        Scale vertical = Scale.Over(Enumerable.Range(0, rows.Count).Select(row => rows.Row(row)[y]), IsLogY, Height - Bottom, Top);
        Open(title);
        Axes(horizontal, vertical);
        _svg.Add($"<g clip-path=\"url(#data)\">");
        Points(rows, components, horizontal, vertical);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++) Component(k, horizontal, vertical);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++) Whiskers(k, horizontal, vertical);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++) Label(k, horizontal, vertical);
        for (int rank = 0; rank < strangest.Count; rank++) Ring(rows.Row(strangest[rank]), rank + 1, horizontal, vertical);
        _svg.Add($"</g>");
        Legend(strangest.Count);
        return _svg.Close();
    }

    private void Open(string title)
    {
        _svg.Open(Width, Height);
        _svg.Add(
            $"<clipPath id=\"data\"><rect x=\"{Left}\" y=\"{Top}\" width=\"{Width - Left - Right}\" ",
            $"height=\"{Height - Top - Bottom}\"/></clipPath>");
        _svg.Text(Left, 28, 17, SvgCanvas.Fit(title, Width - 2 * Left, 17));
    }

    private void Axes(Scale horizontal, Scale vertical)
    {
        double bottom = Height - Bottom, right = Width - Right;
        PlotFrame.Draw(_svg, horizontal, vertical, (Left, right, Top, bottom), 12);
        _svg.Text((Left + right) / 2, Height - 14, 13, snapshot.Features[x], anchor: "middle");
        _svg.Add(
            $"<text transform=\"translate(18 {(Top + bottom) / 2}) rotate(-90)\" font-size=\"13\" fill=\"#222\" ",
            $"text-anchor=\"middle\">{SvgCanvas.Escape(snapshot.Features[y])}</text>");
    }

    private void Points(Minibatch rows, IReadOnlyList<int> components, Scale horizontal, Scale vertical)
    {
        for (int k = 0; k < snapshot.ComponentIds.Count; k++)
        {
            _svg.Add($"<g fill=\"{Palette.Component(k)}\" fill-opacity=\"0.45\">");
            for (int row = 0; row < rows.Count; row++)
            {
                ReadOnlySpan<double> values = rows.Row(row);
                if (components[row] != k || !horizontal.Has(values[x]) || !vertical.Has(values[y])) continue;
                _svg.Add($"<circle cx=\"{horizontal.At(values[x]):F1}\" cy=\"{vertical.At(values[y]):F1}\" r=\"2.2\"/>");
            }

            _svg.Add($"</g>");
        }
    }

    private void Component(int k, Scale horizontal, Scale vertical)
    {
        if (_ellipses is null) return;
        ComponentEllipse ellipse = _ellipses[k];
        foreach ((double radius, double stroke) in ((double, double)[])[
            (ComponentEllipse.Half, 2.2), (ComponentEllipse.NineteenOfTwenty, 1.2)])
            PlotFrame.Curve(_svg, ellipse.Curve(radius), horizontal, vertical, Palette.Component(k), stroke);
    }

    /// <summary>Where the mean of a component is, in either feature.</summary>
    private void Whiskers(int k, Scale horizontal, Scale vertical)
    {
        (ValueRange across, ValueRange up) = (_profile.MeanRange(k, x), _profile.MeanRange(k, y));
        if (!horizontal.Has(_profile.Mean(k, x)) || !vertical.Has(_profile.Mean(k, y))) return;
        double atX = horizontal.At(_profile.Mean(k, x)), atY = vertical.At(_profile.Mean(k, y));
        if (across.IsKnown && horizontal.Has(across.Low))
            _svg.Whiskers(horizontal.At(across.Low), horizontal.At(across.High), atY, 4, RangeColour, 1.4);
        if (!up.IsKnown || !vertical.Has(up.Low)) return;
        (double top, double bottom) = (vertical.At(up.High), vertical.At(up.Low));
        _svg.Line(atX, top, atX, bottom, RangeColour, 1.4);
        _svg.Line(atX - 4, top, atX + 4, top, RangeColour, 1.4);
        _svg.Line(atX - 4, bottom, atX + 4, bottom, RangeColour, 1.4);
    }

    private void Label(int k, Scale horizontal, Scale vertical)
    {
        if (_ellipses is null || _ellipses[k] is var ellipse && (!horizontal.Shows(ellipse.X) || !vertical.Shows(ellipse.Y))) return;
        string id = snapshot.ComponentIds[k];
        double middle = horizontal.At(_ellipses[k].X);
        // Whiskers are seen where the label is above them.
        double high = _profile.MeanRange(k, y) is { IsKnown: true } sure ? vertical.At(sure.High) - 8 : vertical.At(_ellipses[k].Y) + 4;
        double line = _labels.Place(middle - SvgCanvas.WidthOf(id, LabelSize) / 2, high, id, LabelSize);
        _svg.Add(
            $"<text x=\"{middle:F1}\" y=\"{line:F1}\" font-size=\"{LabelSize}\" font-weight=\"bold\" ",
            $"fill=\"#111\" stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\" ");
        _svg.Add($"text-anchor=\"middle\">{SvgCanvas.Escape(id)}</text>");
    }

    private void Ring(ReadOnlySpan<double> values, int rank, Scale horizontal, Scale vertical)
    {
        if (!horizontal.Has(values[x]) || !vertical.Has(values[y])) return;
        double cx = horizontal.At(values[x]), cy = vertical.At(values[y]);
        _svg.Add($"<circle cx=\"{cx:F1}\" cy=\"{cy:F1}\" r=\"7\" fill=\"none\" stroke=\"#c00000\" stroke-width=\"1.6\"/>");
        double line = _labels.Place(cx + 9, cy - 6, $"{rank}", RankSize);
        _svg.Add($"<text x=\"{cx + 9:F1}\" y=\"{line:F1}\" font-size=\"{RankSize}\" fill=\"#c00000\">{rank}</text>");
    }

    private void Legend(int rings)
    {
        // Inside: a gate's shares are those where the features are at their means.
        double[] weights = new double[model.Components], inside = new double[model.ParameterLayout.Length];
        model.FromUserUnits(snapshot.Parameters, snapshot.Space, inside);
        model.Shares(inside, weights);
        double at = Width - Right + 18, line = Top + 10;
        _svg.Add($"<text x=\"{at}\" y=\"{line}\" font-size=\"12\" fill=\"#222\">component, weight</text>");
        bool hasRanges = snapshot.Intervals is not null;
        int most = hasRanges ? MostInLegend / 2 : MostInLegend, shown = weights.Length <= most ? weights.Length : most - 1;
        for (int k = 0; k < shown; k++)
        {
            line += 20;
            _svg.Add($"<rect x=\"{at}\" y=\"{line - 10}\" width=\"12\" height=\"12\" fill=\"{Palette.Component(k)}\"/>");
            _svg.Add(
                $"<text x=\"{at + 18}\" y=\"{line}\" font-size=\"12\" fill=\"#222\">{SvgCanvas.Escape(snapshot.ComponentIds[k])}  ",
                $"{weights[k]:P1}</text>");
            if (_profile.WeightRange(k) is not { IsKnown: true } sure) continue;
            line += 13;
            _svg.Text(at + 18, line, 10, ProfilePlot.Percent(sure), "#555");
        }

        if (shown < weights.Length)
        {
            line += 20;
            _svg.Add($"<text x=\"{at}\" y=\"{line}\" font-size=\"12\" fill=\"#555\">and {weights.Length - shown} more</text>");
        }

        line += 26;
        _svg.Add($"<text x=\"{at}\" y=\"{line}\" font-size=\"11\" fill=\"#555\">curves hold 50 % and 95 %</text>");
        if (hasRanges)
        {
            line += 16;
            _svg.Text(at, line, 11, $"whiskers: {ValueRange.Meaning}", "#555");
        }
        if (rings == 0) return;
        line += 18;
        _svg.Add($"<circle cx=\"{at + 6}\" cy=\"{line - 4}\" r=\"6\" fill=\"none\" stroke=\"#c00000\" stroke-width=\"1.6\"/>");
        _svg.Add($"<text x=\"{at + 18}\" y=\"{line}\" font-size=\"11\" fill=\"#555\">strangest records</text>");
    }
}
