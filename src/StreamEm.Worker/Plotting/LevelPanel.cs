using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A stacked bar per component: the probabilities of the levels, the most probable ones in colours of their own, the rest together.
/// </summary>
internal sealed class LevelPanel : FeaturePanel
{
    private const double BarHeight = 20, WhiskerAside = 7, LineHeight = 16, Square = 10;

    private readonly int[] _shown;
    private readonly bool _hasOthers;

    /// <summary>A panel whose levels are ordered by their probability over all components.</summary>
    public LevelPanel(ComponentProfile profile, int feature, IReadOnlyList<int> components)
        : base(profile, feature)
    {
        int levels = profile.Levels(components[0], feature).Length;
        double[] overall = new double[levels];
        foreach (int k in components)
            for (int level = 0; level < levels; level++) overall[level] += profile.Weights[k] * profile.Levels(k, feature)[level];
        _shown = [.. Enumerable.Range(0, levels).OrderByDescending(level => overall[level]).Take(Palette.Levels)];
        _hasOthers = levels > _shown.Length;
    }

    /// <inheritdoc/>
    public override int Units => 4;

    /// <inheritdoc/>
    public override double FootHeight(double width) =>
        8 + LineHeight * (Legend(width).Select(item => item.Line).DefaultIfEmpty(0).Max() + 1);

    /// <inheritdoc/>
    public override void Frame(SvgCanvas svg, double x, double top, double bottom, double width)
    {
        foreach ((string text, string colour, double at, int line) in Legend(width))
        {
            double y = bottom + 8 + LineHeight * line;
            svg.Box(x + at, y, Square, Square, colour);
            svg.Text(x + at + Square + 4, y + 9, TextSize, text, "#444");
        }
    }

    /// <inheritdoc/>
    public override void Row(SvgCanvas svg, int component, double x, double middle, double width)
    {
        double[] probabilities = [.. Profile.Levels(component, Feature)];
        double at = x, rest = 1;
        for (int rank = 0; rank < _shown.Length; rank++)
        {
            (double probability, double start, int level) = (probabilities[_shown[rank]], at, rank);
            svg.Told(Told(component, _shown[rank], probability),
                () => Segment(svg, start, middle, probability * width, probability, Palette.Level(level)));
            at += probability * width;
            rest -= probability;
        }

        if (_hasOthers) Segment(svg, at, middle, Math.Max(0, rest) * width, rest, Palette.Other);
        Whiskers(svg, component, x, middle, width, probabilities);
    }

    /// <summary>
    /// Of each segment, measured from where it begins, or from its end where there would be no room; above and below in turn, as those of
    /// neighbours may overlap.
    /// </summary>
    private void Whiskers(SvgCanvas svg, int component, double x, double middle, double width, double[] probabilities)
    {
        double at = x;
        for (int rank = 0; rank < _shown.Length; rank++)
        {
            double end = at + probabilities[_shown[rank]] * width, y = middle + (rank % 2 == 0 ? -WhiskerAside : WhiskerAside);
            if (Profile.LevelRange(component, Feature, _shown[rank]) is { IsKnown: true } sure)
            {
                bool fits = at + sure.High * width <= x + width;
                double from = fits ? at + sure.Low * width : end - sure.High * width;
                svg.Whiskers(from, from + (sure.High - sure.Low) * width, y, 2.5, RangeColour);
            }
            at = end;
        }
    }

    private string Told(int component, int level, double probability)
    {
        if (Profile.LevelRange(component, Feature, level) is not { IsKnown: true } sure) return "";
        IReadOnlyList<string> levels = Profile.Space.Features[Feature].Levels;
        string name = level < levels.Count ? levels[level] : level.ToString(CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {probability:P1}, {ProfilePlot.Percent(sure)}");
    }

    private static void Segment(SvgCanvas svg, double x, double middle, double width, double probability, string colour)
    {
        svg.Box(x, middle - BarHeight / 2, width, BarHeight, colour);
        string text = probability.ToString("P0", CultureInfo.InvariantCulture);
        if (width > SvgCanvas.WidthOf(text, TextSize) + 4) svg.Text(x + width / 2, middle + 4, TextSize, text, "#222", "middle");
    }

    /// <summary>The levels with their colours, from left to right in as many lines as it takes.</summary>
    private List<(string Text, string Colour, double At, int Line)> Legend(double width)
    {
        var items = new List<(string, string, double, int)>();
        double at = 0;
        int line = 0;
        void Add(string level, string colour)
        {
            string text = SvgCanvas.Fit(level, width - Square - 4, TextSize);
            double needed = Square + 4 + SvgCanvas.WidthOf(text, TextSize) + 10;
            if (at > 0 && at + needed - 10 > width) (at, line) = (0, line + 1);
            items.Add((text, colour, at, line));
            at += needed;
        }

        IReadOnlyList<string> levels = Profile.Space.Features[Feature].Levels;
        for (int rank = 0; rank < _shown.Length; rank++)
            if (_shown[rank] < levels.Count) Add(levels[_shown[rank]], Palette.Level(rank));
        if (_hasOthers) Add(string.Create(CultureInfo.InvariantCulture, $"{levels.Count - _shown.Length} others"), Palette.Other);
        return items;
    }
}
