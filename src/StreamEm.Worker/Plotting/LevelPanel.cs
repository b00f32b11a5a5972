using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// A stacked bar per component: the probabilities of the levels, the most probable ones in colours of their own, the rest together.
/// </summary>
internal sealed class LevelPanel : FeaturePanel
{
    private const double BarHeight = 20, LineHeight = 16, Square = 10;

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
        ReadOnlySpan<double> probabilities = Profile.Levels(component, Feature);
        double at = x, rest = 1;
        for (int rank = 0; rank < _shown.Length; rank++)
        {
            double probability = probabilities[_shown[rank]];
            Segment(svg, at, middle, probability * width, probability, Palette.Level(rank));
            at += probability * width;
            rest -= probability;
        }

        if (_hasOthers) Segment(svg, at, middle, Math.Max(0, rest) * width, rest, Palette.Other);
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
