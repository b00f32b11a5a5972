namespace StreamEm.Worker.Plotting;

/// <summary>Curves and points over two axes.</summary>
/// <param name="title">Above it.</param>
/// <param name="across">What the axis to the right holds.</param>
/// <param name="up">What the axis upwards holds.</param>
internal sealed class Chart(string title, string across, string up) : Panel(title)
{
    private readonly List<Series> _series = [];
    private readonly List<(double Value, string Name)> _levels = [];

    /// <summary>Whether the axis to the right is in powers of ten.</summary>
    public bool IsLogAcross { get; init; }

    /// <summary>Whether the axis upwards is in powers of ten.</summary>
    public bool IsLogUp { get; init; }

    /// <summary>Values that both axes have to show, whatever is drawn.</summary>
    public double[] MustShowUp { get; init; } = [];

    /// <summary>What is above is cut off.</summary>
    public double Most { get; init; } = double.PositiveInfinity;

    /// <summary>What is below is cut off.</summary>
    public double Least { get; init; } = double.NegativeInfinity;

    /// <summary>Adds a curve.</summary>
    /// <param name="name">In the legend.</param>
    /// <param name="x">Where.</param>
    /// <param name="y">Its values; a gap where one is not finite.</param>
    /// <param name="dots">Whether its points are marked.</param>
    /// <param name="dashed">Whether it is dashed.</param>
    /// <param name="like">The number of the series whose colour it has; null: one of its own.</param>
    public Chart Line(
        string name, IReadOnlyList<double> x, IReadOnlyList<double> y, bool dots = false, bool dashed = false, int? like = null) =>
        Add(new Series(name, x, y, Palette.Component(like ?? _series.Count), HasLine: true, dots ? 2.6 : 0, dashed));

    /// <summary>Adds points.</summary>
    public Chart Points(string name, IReadOnlyList<double> x, IReadOnlyList<double> y, double radius = 2) =>
        Add(new Series(name, x, y, Palette.Component(_series.Count), HasLine: false, radius, IsDashed: false));

    /// <summary>Adds a level across the whole, grey and dashed, with its name on it.</summary>
    public Chart Level(double value, string name)
    {
        _levels.Add((value, name));
        return this;
    }

    /// <inheritdoc/>
    protected override void DrawInside(SvgCanvas svg, double x, double y)
    {
        double left = x + Left, right = x + Width - Right, bottom = y + Height - Bottom;
        Scale horizontal = Scale.Over(_series.SelectMany(series => series.X), IsLogAcross, left, right);
        Scale vertical = Scale.Over(
            _series.SelectMany(series => series.Y).Concat(_levels.Select(level => level.Value)).Concat(MustShowUp)
                .Where(value => double.IsFinite(value) && value <= Most && value >= Least),
            IsLogUp, bottom, y + Top);
        DrawAxes(svg, horizontal, vertical, (left, right, bottom, y + Top));
        foreach ((double value, string name) in _levels)
        {
            svg.Add($"<line x1=\"{left:F1}\" y1=\"{vertical.At(value):F1}\" x2=\"{right:F1}\" y2=\"{vertical.At(value):F1}\" ",
                $"stroke=\"#777\" stroke-width=\"1\" stroke-dasharray=\"5 4\"/>");
            svg.Text(right, vertical.At(value) - 4, 10, name, "#777", "end");
        }
        foreach (Series series in _series) Draw(svg, series, horizontal, vertical);
        DrawLegend(svg, x, y, _series.Select(series => (series.Name, series.Colour)));
    }

    private Chart Add(Series series)
    {
        _series.Add(series);
        return this;
    }

    private void DrawAxes(
        SvgCanvas svg, Scale horizontal, Scale vertical, (double Left, double Right, double Bottom, double Top) inside)
    {
        foreach ((double value, string text) in vertical.Ticks())
        {
            svg.Line(inside.Left, vertical.At(value), inside.Right, vertical.At(value), "#eeeeee");
            svg.Text(inside.Left - 6, vertical.At(value) + 4, TextSize, text, "#666", "end");
        }
        foreach ((double value, string text) in horizontal.Ticks())
        {
            svg.Line(horizontal.At(value), inside.Bottom, horizontal.At(value), inside.Bottom + 4, "#bbbbbb");
            svg.Text(horizontal.At(value), inside.Bottom + 16, TextSize, text, "#666", "middle");
        }
        svg.Line(inside.Left, inside.Bottom, inside.Right, inside.Bottom, "#bbbbbb");
        svg.Text(inside.Right, inside.Bottom + 34, TextSize, across, "#444", "end");
        svg.Add($"<text transform=\"translate({inside.Left - 50:F1} {inside.Top:F1}) rotate(-90)\" font-size=\"{TextSize}\" ",
            $"fill=\"#444\" text-anchor=\"end\">{SvgCanvas.Escape(up)}</text>");
    }

    private void Draw(SvgCanvas svg, Series series, Scale horizontal, Scale vertical)
    {
        int open = 0;
        for (int at = 0; at < series.X.Count; at++)
        {
            (double x, double y) = (series.X[at], series.Y[at]);
            bool isShown = horizontal.Has(x) && vertical.Has(y) && y <= Most && y >= Least;
            if (series.HasLine && isShown)
            {
                if (open++ == 0)
                    svg.Add($"<polyline fill=\"none\" stroke=\"{series.Colour}\" stroke-width=\"1.7\" stroke-linejoin=\"round\" ",
                        $"stroke-dasharray=\"{(series.IsDashed ? "6 4" : "none")}\" points=\"");
                svg.Add($"{horizontal.At(x):F1},{vertical.At(y):F1} ");
            }
            if (open > 0 && (!isShown || at == series.X.Count - 1))
            {
                svg.Add($"\"/>");
                open = 0;
            }
        }
        if (!(series.Radius > 0)) return;
        for (int at = 0; at < series.X.Count; at++)
            if (horizontal.Has(series.X[at]) && vertical.Has(series.Y[at]) && series.Y[at] <= Most && series.Y[at] >= Least)
                svg.Add($"<circle cx=\"{horizontal.At(series.X[at]):F1}\" cy=\"{vertical.At(series.Y[at]):F1}\" ",
                    $"r=\"{series.Radius}\" fill=\"{series.Colour}\" fill-opacity=\"{(series.HasLine ? 1 : 0.6)}\"/>");
    }

    private sealed record Series(
        string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, string Colour, bool HasLine, double Radius, bool IsDashed);
}
