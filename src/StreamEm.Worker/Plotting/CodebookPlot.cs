using System.Globalization;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// The codebook of a mixture used as vector quantiser (Gray 1984): of every component its centre, the share of the code that it is, and the
/// bits it costs, -log2 of its weight; the heaviest first. A centre of d x d features is a picture of d by d pixels, grey from the least to
/// the largest value of all centres; any other is a bar per feature, in standard deviations of the feature from its mean.
/// </summary>
internal sealed class CodebookPlot
{
    private const double Width = 960, Edge = 20, Tile = 104, Step = 116, Head = 78, Foot = 34, TextSize = 10.5;
    private const int MostTiles = 256, LeastSide = 3;

    private readonly ComponentProfile _profile;
    private readonly SvgCanvas _svg = new();
    private readonly int _dimension, _side;
    private readonly double[] _means, _deviations;
    private readonly double _low = double.PositiveInfinity, _high = double.NegativeInfinity;

    /// <summary>The codebook of a model whose components have means.</summary>
    public CodebookPlot(ModelSnapshot snapshot, ComponentModel model)
    {
        (_profile, _dimension) = (new ComponentProfile(snapshot, model), model.Dimension);
        int side = (int)Math.Round(Math.Sqrt(_dimension));
        _side = side >= LeastSide && side * side == _dimension ? side : 0;
        _means = [.. Enumerable.Range(0, _dimension).Select(d => OfAll(k => _profile.Mean(k, d)))];
        _deviations = [.. Enumerable.Range(0, _dimension).Select(d => Math.Sqrt(OfAll(k =>
            Square(_profile.Deviation(k, d)) + Square(_profile.Mean(k, d) - _means[d]))))];
        for (int k = 0; k < _profile.Components; k++)
            for (int d = 0; d < _dimension; d++)
                if (Shown(k, d) is var value && double.IsFinite(value)) (_low, _high) = (Math.Min(_low, value), Math.Max(_high, value));
    }

    /// <summary>Whether components have means to be codes.</summary>
    public bool HasCentres => _profile.HasMoments;

    /// <summary>Draws it.</summary>
    /// <param name="scored">Records that are encoded; null without.</param>
    /// <param name="title">Above the picture.</param>
    public string Draw(ScoredRows? scored, string title)
    {
        int[] order = [.. Enumerable.Range(0, _profile.Components).OrderByDescending(k => _profile.Weights[k]).Take(MostTiles)];
        int columns = (int)((Width - 2 * Edge + Step - Tile) / Step), rows = (order.Length + columns - 1) / columns;
        double height = Head + rows * (Step + Foot) + 26;
        _svg.Open(Width, height);
        _svg.Text(Edge, 28, 17, SvgCanvas.Fit(title, Width - 2 * Edge, 17));
        _svg.Text(Edge, 52, 12, Summary(scored), "#444");
        for (int at = 0; at < order.Length; at++) Entry(order[at], Edge + at % columns * Step, Head + at / columns * (Step + Foot));
        string left = order.Length < _profile.Components
            ? string.Create(CultureInfo.InvariantCulture, $"; {_profile.Components - order.Length} lighter ones are left out") : "";
        _svg.Text(Edge, height - 12, 11, (_side > 0
            ? string.Create(
                CultureInfo.InvariantCulture, $"pixels: features from left to right and down, white {_high:G4}, black {_low:G4}")
            : "bars: features in their order, up from the mean of all records, in standard deviations") + left,
            "#555");
        return _svg.Close();
    }

    /// <summary>Bits of a code by its weights, and of records what is lost by encoding them.</summary>
    private string Summary(ScoredRows? scored)
    {
        double entropy = _profile.Weights.Where(weight => weight > 0).Sum(weight => -weight * Math.Log2(weight));
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{_profile.Components} centres of {_dimension} features: {entropy:F2} bits a record by their weights");
        if (scored is null) return text;
        double error = 0;
        for (int row = 0; row < scored.Rows.Count; row++)
        {
            ReadOnlySpan<double> values = scored.Rows.Row(row);
            for (int d = 0; d < _dimension; d++)
                if (values[d] - _profile.Mean(scored.Components[row], d) is var lost && double.IsFinite(lost)) error += lost * lost;
        }
        return text + string.Create(CultureInfo.InvariantCulture,
            $"; mean squared distance of {scored.Rows.Count} records from their centre {error / scored.Rows.Count:G4}");
    }

    /// <summary>What is drawn of a centre: its value where it is a picture, else how far it is from the mean of all.</summary>
    private double Shown(int component, int feature)
    {
        double mean = _profile.Mean(component, feature);
        return _side > 0 ? mean : (mean - _means[feature]) / (_deviations[feature] > 0 ? _deviations[feature] : 1);
    }

    private double OfAll(Func<int, double> value) =>
        Enumerable.Range(0, _profile.Components).Sum(k => _profile.Weights[k] > 0 ? _profile.Weights[k] * value(k) : 0);

    private static double Square(double value) => value * value;

    private void Entry(int component, double x, double y)
    {
        if (_side > 0) Pixels(component, x, y);
        else Bars(component, x, y);
        _svg.Add($"<rect x=\"{x:F1}\" y=\"{y:F1}\" width=\"{Tile:F1}\" height=\"{Tile:F1}\" fill=\"none\" stroke=\"#bbbbbb\"/>");
        double weight = _profile.Weights[component];
        _svg.Text(x, y + Tile + 14, 11, SvgCanvas.Fit(_profile.NameOf(component), Tile, 11));
        _svg.Text(x, y + Tile + 27, TextSize, string.Create(CultureInfo.InvariantCulture,
            $"{weight:P1}, {(weight > 0 ? -Math.Log2(weight) : double.PositiveInfinity):F1} bits"), "#555");
    }

    private void Pixels(int component, double x, double y)
    {
        double pixel = Tile / _side;
        for (int d = 0; d < _dimension; d++)
        {
            double part = _high > _low ? (Shown(component, d) - _low) / (_high - _low) : 0;
            int grey = double.IsFinite(part) ? (int)Math.Round(255 * part) : 255;
            // A little wider than a pixel: no seams between them.
            _svg.Box(x + d % _side * pixel, y + d / _side * pixel, pixel + 0.3, pixel + 0.3, $"#{grey:x2}{grey:x2}{grey:x2}");
        }
    }

    private void Bars(int component, double x, double y)
    {
        double most = Math.Max(Math.Max(Math.Abs(_low), Math.Abs(_high)), double.Epsilon), middle = y + Tile / 2,
            width = Tile / _dimension;
        for (int d = 0; d < _dimension; d++)
        {
            double length = Shown(component, d) / most * (Tile / 2 - 4);
            if (!double.IsFinite(length)) continue;
            _svg.Box(x + d * width + 0.1 * width, Math.Min(middle, middle - length), 0.8 * width, Math.Abs(length),
                Palette.Component(length < 0 ? 1 : 0));
        }
        _svg.Line(x, middle, x + Tile, middle, "#bbbbbb");
    }
}
