using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A picture of a learned mixture over data as SVG: records coloured by their most responsible component, each component's ellipses that
/// hold 50 % and 95 % of it, the strangest records ringed and numbered.
/// </summary>
internal sealed class MixturePlot(ModelSnapshot snapshot, ComponentModel model, int x, int y)
{
    private const double Width = 960, Height = 600, Left = 70, Right = 190, Top = 46, Bottom = 56;

    /// <summary>Lines for components, beyond which the legend would run out of the picture.</summary>
    private const int MostInLegend = 22;

    private const double LabelSize = 13, RankSize = 11;

    private readonly SvgCanvas _svg = new();
    private readonly LabelPlaces _labels = new();
    private readonly ComponentEllipse[]? _ellipses = ComponentEllipse.Of(snapshot, x, y);

    /// <summary>Draws rows (user units) that were scored under the snapshot.</summary>
    /// <param name="rows">N rows.</param>
    /// <param name="components">The most responsible component of each row.</param>
    /// <param name="strangest">Rows to ring, the strangest first.</param>
    /// <param name="title">Above the picture.</param>
    public string Draw(Minibatch rows, IReadOnlyList<int> components, IReadOnlyList<int> strangest, string title)
    {
        Axis horizontal = Axis.Over(Enumerable.Range(0, rows.Count).Select(row => rows.Row(row)[x]), Left, Width - Right);
        Axis vertical = Axis.Over(Enumerable.Range(0, rows.Count).Select(row => rows.Row(row)[y]), Height - Bottom, Top);
        Open(title);
        Axes(horizontal, vertical);
        _svg.Add($"<g clip-path=\"url(#data)\">");
        Points(rows, components, horizontal, vertical);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++) Component(k, horizontal, vertical);
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

    private void Axes(Axis horizontal, Axis vertical)
    {
        double bottom = Height - Bottom, right = Width - Right;
        foreach ((double value, string text) in horizontal.Ticks())
        {
            _svg.Add(
                $"<line x1=\"{horizontal.At(value):F1}\" y1=\"{Top}\" x2=\"{horizontal.At(value):F1}\" y2=\"{bottom}\" ",
                $"stroke=\"#eeeeee\"/>");
            _svg.Add(
                $"<text x=\"{horizontal.At(value):F1}\" y=\"{bottom + 18}\" font-size=\"12\" fill=\"#555\" ",
                $"text-anchor=\"middle\">{text}</text>");
        }

        foreach ((double value, string text) in vertical.Ticks())
        {
            _svg.Add(
                $"<line x1=\"{Left}\" y1=\"{vertical.At(value):F1}\" x2=\"{right}\" y2=\"{vertical.At(value):F1}\" stroke=\"#eeeeee\"/>");
            _svg.Add(
                $"<text x=\"{Left - 8}\" y=\"{vertical.At(value) + 4:F1}\" font-size=\"12\" fill=\"#555\" ",
                $"text-anchor=\"end\">{text}</text>");
        }

        _svg.Add($"<rect x=\"{Left}\" y=\"{Top}\" width=\"{right - Left}\" height=\"{bottom - Top}\" fill=\"none\" stroke=\"#bbbbbb\"/>");
        _svg.Add(
            $"<text x=\"{(Left + right) / 2}\" y=\"{Height - 14}\" font-size=\"13\" fill=\"#222\" ",
            $"text-anchor=\"middle\">{SvgCanvas.Escape(snapshot.Features[x])}</text>");
        _svg.Add(
            $"<text transform=\"translate(18 {(Top + bottom) / 2}) rotate(-90)\" font-size=\"13\" fill=\"#222\" ",
            $"text-anchor=\"middle\">{SvgCanvas.Escape(snapshot.Features[y])}</text>");
    }

    private void Points(Minibatch rows, IReadOnlyList<int> components, Axis horizontal, Axis vertical)
    {
        for (int k = 0; k < snapshot.ComponentIds.Count; k++)
        {
            _svg.Add($"<g fill=\"{Palette.Component(k)}\" fill-opacity=\"0.45\">");
            for (int row = 0; row < rows.Count; row++)
            {
                ReadOnlySpan<double> values = rows.Row(row);
                if (components[row] != k || !double.IsFinite(values[x]) || !double.IsFinite(values[y])) continue;
                _svg.Add($"<circle cx=\"{horizontal.At(values[x]):F1}\" cy=\"{vertical.At(values[y]):F1}\" r=\"2.2\"/>");
            }

            _svg.Add($"</g>");
        }
    }

    private void Component(int k, Axis horizontal, Axis vertical)
    {
        if (_ellipses is null) return;
        ComponentEllipse ellipse = _ellipses[k];
        foreach ((double radius, double stroke) in ((double, double)[])[
            (ComponentEllipse.Half, 2.2), (ComponentEllipse.NineteenOfTwenty, 1.2)])
        {
            IEnumerable<string> points = ellipse.Curve(radius)
                .Select(point => FormattableString.Invariant($"{horizontal.At(point.X):F1},{vertical.At(point.Y):F1}"));
            _svg.Add(
                $"<polyline points=\"{string.Join(' ', points)}\" fill=\"none\" stroke=\"{Palette.Component(k)}\" ",
                $"stroke-width=\"{stroke}\"/>");
        }

    }

    private void Label(int k, Axis horizontal, Axis vertical)
    {
        if (_ellipses is null || _ellipses[k] is var ellipse && (!horizontal.Shows(ellipse.X) || !vertical.Shows(ellipse.Y))) return;
        string id = snapshot.ComponentIds[k];
        double middle = horizontal.At(_ellipses[k].X);
        double line = _labels.Place(middle - SvgCanvas.WidthOf(id, LabelSize) / 2, vertical.At(_ellipses[k].Y) + 4, id, LabelSize);
        _svg.Add(
            $"<text x=\"{middle:F1}\" y=\"{line:F1}\" font-size=\"{LabelSize}\" font-weight=\"bold\" ",
            $"fill=\"#111\" stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\" ");
        _svg.Add($"text-anchor=\"middle\">{SvgCanvas.Escape(id)}</text>");
    }

    private void Ring(ReadOnlySpan<double> values, int rank, Axis horizontal, Axis vertical)
    {
        if (!double.IsFinite(values[x]) || !double.IsFinite(values[y])) return;
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
        int shown = weights.Length <= MostInLegend ? weights.Length : MostInLegend - 1;
        for (int k = 0; k < shown; k++)
        {
            line += 20;
            _svg.Add($"<rect x=\"{at}\" y=\"{line - 10}\" width=\"12\" height=\"12\" fill=\"{Palette.Component(k)}\"/>");
            _svg.Add(
                $"<text x=\"{at + 18}\" y=\"{line}\" font-size=\"12\" fill=\"#222\">{SvgCanvas.Escape(snapshot.ComponentIds[k])}  ",
                $"{weights[k]:P1}</text>");
        }

        if (shown < weights.Length)
        {
            line += 20;
            _svg.Add($"<text x=\"{at}\" y=\"{line}\" font-size=\"12\" fill=\"#555\">and {weights.Length - shown} more</text>");
        }

        line += 26;
        _svg.Add($"<text x=\"{at}\" y=\"{line}\" font-size=\"11\" fill=\"#555\">curves hold 50 % and 95 %</text>");
        if (rings == 0) return;
        line += 18;
        _svg.Add($"<circle cx=\"{at + 6}\" cy=\"{line - 4}\" r=\"6\" fill=\"none\" stroke=\"#c00000\" stroke-width=\"1.6\"/>");
        _svg.Add($"<text x=\"{at + 18}\" y=\"{line}\" font-size=\"11\" fill=\"#555\">strangest records</text>");
    }
}
