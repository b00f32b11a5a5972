using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>Mean and standard deviation of a number under every component, on one axis.</summary>
internal sealed class NumberPanel : FeaturePanel
{
    private readonly Axis _axis;

    /// <summary>A panel whose axis shows every component's mean plus and minus a standard deviation.</summary>
    public NumberPanel(ComponentProfile profile, int feature, IReadOnlyList<int> components)
        : base(profile, feature) =>
        _axis = Axis.Over(components.SelectMany(k => new[]
        {
            Mean(k) - Deviation(k), Mean(k) + Deviation(k), Profile.MeanRange(k, feature).Low, Profile.MeanRange(k, feature).High,
        }), 0, 1);

    /// <inheritdoc/>
    public override int Units => 3;

    /// <inheritdoc/>
    public override double FootHeight(double width) => 16;

    /// <inheritdoc/>
    public override void Frame(SvgCanvas svg, double x, double top, double bottom, double width)
    {
        svg.Box(x, top, width, bottom - top, "#f7f7f7");
        double free = double.NegativeInfinity;
        foreach ((double value, string tick) in _axis.Ticks())
        {
            string text = tick == "-0" ? "0" : tick;
            double at = x + _axis.At(value) * width, half = SvgCanvas.WidthOf(text, TextSize) / 2;
            svg.Line(at, top, at, bottom, "#e2e2e2");
            if (at - half < free) continue;
            svg.Text(at, bottom + 13, TextSize, text, "#555", "middle");
            free = at + half + 6;
        }
    }

    /// <inheritdoc/>
    public override void Row(SvgCanvas svg, int component, double x, double middle, double width)
    {
        double mean = Mean(component), deviation = Deviation(component), line = middle + 6;
        if (!double.IsFinite(mean)) return;
        double centre = x + _axis.At(mean) * width;
        double low = x + _axis.At(mean - deviation) * width, high = x + _axis.At(mean + deviation) * width;
        string colour = Palette.Component(component), text = Text(mean, deviation);
        svg.Line(low, line, high, line, colour, 2.5);
        svg.Line(low, line - 4, low, line + 4, colour, 1.5);
        svg.Line(high, line - 4, high, line + 4, colour, 1.5);
        svg.Add($"<circle cx=\"{centre:F1}\" cy=\"{line:F1}\" r=\"4.5\" fill=\"{colour}\"/>");
        if (Profile.MeanRange(component, Feature) is { IsKnown: true } sure)
            svg.Whiskers(x + _axis.At(sure.Low) * width, x + _axis.At(sure.High) * width, line, 7, RangeColour);
        double half = SvgCanvas.WidthOf(text, TextSize) / 2;
        svg.Text(Math.Clamp(centre, x + half, Math.Max(x + half, x + width - half)), middle - 4, TextSize, text, "#222", "middle");
    }

    /// <summary>Both with as many decimals as give the deviation three digits.</summary>
    private static string Text(double mean, double deviation)
    {
        double decimals = 2 - Math.Floor(Math.Log10(deviation));
        if (!(decimals <= 6) || Math.Abs(mean) >= 1e7) return string.Create(CultureInfo.InvariantCulture, $"{mean:G4} ± {deviation:G3}");
        string format = string.Create(CultureInfo.InvariantCulture, $"F{Math.Max(0, (int)decimals)}");
        return $"{mean.ToString(format, CultureInfo.InvariantCulture)} ± {deviation.ToString(format, CultureInfo.InvariantCulture)}";
    }

    private double Mean(int component) => Profile.Mean(component, Feature);

    private double Deviation(int component) => Profile.Deviation(component, Feature);
}
