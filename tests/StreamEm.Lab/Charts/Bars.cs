using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Charts;

/// <summary>Bars by category: several beside each other, or on top of each other.</summary>
/// <param name="title">Above it.</param>
/// <param name="up">What the axis upwards holds.</param>
/// <param name="categories">Below the bars.</param>
internal sealed class Bars(string title, string up, IReadOnlyList<string> categories) : Panel(title)
{
    private readonly List<(string Name, IReadOnlyList<double> Values)> _groups = [];

    /// <summary>Whether bars of one category stand on top of each other.</summary>
    public bool IsStacked { get; init; }

    /// <summary>Values that the axis has to show.</summary>
    public double[] MustShow { get; init; } = [0];

    /// <summary>Adds a bar to every category.</summary>
    public Bars Group(string name, IReadOnlyList<double> values)
    {
        _groups.Add((name, values));
        return this;
    }

    /// <inheritdoc/>
    protected override void DrawInside(SvgCanvas svg, double x, double y)
    {
        double left = x + Left, right = x + Width - Right, bottom = y + Height - Bottom;
        IEnumerable<double> tops = IsStacked
            ? categories.Select((_, at) => _groups.Sum(group => group.Values[at]))
            : _groups.SelectMany(group => group.Values);
        var vertical = Axis.Over(tops.Concat(MustShow), bottom, y + Top);
        double ground = vertical.Shows(0) ? vertical.At(0) : bottom;
        foreach ((double value, string text) in vertical.Ticks())
        {
            svg.Line(left, vertical.At(value), right, vertical.At(value), "#eeeeee");
            svg.Text(left - 6, vertical.At(value) + 4, TextSize, text, "#666", "end");
        }
        double step = (right - left) / categories.Count, width = 0.8 * step / (IsStacked ? 1 : _groups.Count);
        for (int at = 0; at < categories.Count; at++)
        {
            double from = ground;
            for (int group = 0; group < _groups.Count; group++)
            {
                double value = _groups[group].Values[at];
                if (!double.IsFinite(value)) continue;
                double end = IsStacked ? from + vertical.At(value) - vertical.At(0) : vertical.At(value);
                svg.Box(left + at * step + 0.1 * step + (IsStacked ? 0 : group * width), Math.Min(from, end), width, Math.Abs(end - from),
                    Palette.Component(group));
                if (IsStacked) from = end;
            }
            svg.Text(left + (at + 0.5) * step, bottom + 16, TextSize, categories[at], "#444", "middle");
        }
        svg.Line(left, ground, right, ground, "#bbbbbb");
        svg.Text(right, bottom + 34, TextSize, up, "#444", "end");
        DrawLegend(svg, x, y, _groups.Select((group, at) => (group.Name, Palette.Component(at))));
    }
}
