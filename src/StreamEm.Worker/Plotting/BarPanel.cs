using System.Globalization;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>A bar per component from 0: the probability of 1 of a binary feature, the mean of a count.</summary>
/// <param name="profile">The components.</param>
/// <param name="feature">The feature.</param>
/// <param name="full">The value of a full bar.</param>
internal sealed class BarPanel(ComponentProfile profile, int feature, double full) : FeaturePanel(profile, feature)
{
    private const double BarHeight = 18;

    /// <inheritdoc/>
    public override int Units => 1;

    /// <inheritdoc/>
    public override double FootHeight(double width) => 0;

    /// <inheritdoc/>
    public override void Frame(SvgCanvas svg, double x, double top, double bottom, double width) => svg.Line(x, top, x, bottom, "#bbbbbb");

    /// <inheritdoc/>
    public override void Row(SvgCanvas svg, int component, double x, double middle, double width)
    {
        double value = Profile.Mean(component, Feature), length = full > 0 && value > 0 ? value / full * width : 0;
        string text = full == 1 ? value.ToString("F2", CultureInfo.InvariantCulture) : value.ToString("G3", CultureInfo.InvariantCulture);
        svg.Box(x, middle - BarHeight / 2, width, BarHeight, "#f4f4f4");
        svg.Box(x, middle - BarHeight / 2, length, BarHeight, Palette.Component(component));
        double low = length, high = length;
        if (full > 0 && Profile.MeanRange(component, Feature) is { IsKnown: true } sure)
        {
            (low, high) = (Math.Min(low, sure.Low / full * width), Math.Max(high, sure.High / full * width));
            svg.Whiskers(x + sure.Low / full * width, x + sure.High / full * width, middle, 5, RangeColour);
        }
        bool fitsInside = low > SvgCanvas.WidthOf(text, TextSize) + 8;
        if (fitsInside) svg.Text(x + low - 4, middle + 4, TextSize, text, "#fff", "end");
        else svg.Text(x + high + 4, middle + 4, TextSize, text);
    }
}
