using StreamEm.Core.Features;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Plotting;

/// <summary>One feature of a profile picture: a row for every component, and a foot that explains the marks.</summary>
/// <param name="profile">The components.</param>
/// <param name="feature">The feature.</param>
internal abstract class FeaturePanel(ComponentProfile profile, int feature)
{
    /// <summary>Pixels from one component to the next.</summary>
    public const double RowHeight = 30;

    /// <summary>Size of texts in a panel.</summary>
    protected const double TextSize = 10.5;

    /// <summary>Of whiskers that say where a value is.</summary>
    protected const string RangeColour = "#111";

    /// <summary>How wide it would be, in narrow panels.</summary>
    public abstract int Units { get; }

    /// <summary>The feature's name.</summary>
    public string Name => Profile.Space.Features[Feature].Name;

    /// <summary>The components.</summary>
    protected ComponentProfile Profile => profile;

    /// <summary>The feature.</summary>
    protected int Feature => feature;

    /// <summary>The panel that fits what a feature holds.</summary>
    public static FeaturePanel Of(ComponentProfile profile, int feature, IReadOnlyList<int> components) =>
        profile.Space.Features[feature].Kind switch
        {
            FeatureKind.Level => new LevelPanel(profile, feature, components),
            FeatureKind.Binary => new BarPanel(profile, feature, 1),
            FeatureKind.Count => new BarPanel(profile, feature, components.Max(k => LargestMean(profile, k, feature))),
            _ => new NumberPanel(profile, feature, components),
        };

    private static double LargestMean(ComponentProfile profile, int component, int feature) =>
        profile.MeanRange(component, feature) is { IsKnown: true } sure
            ? Math.Max(sure.High, profile.Mean(component, feature)) : profile.Mean(component, feature);

    /// <summary>Height of the foot in a panel so wide.</summary>
    public abstract double FootHeight(double width);

    /// <summary>Draws what all rows share, and the foot.</summary>
    /// <param name="svg">The picture.</param>
    /// <param name="x">Left edge.</param>
    /// <param name="top">Upper edge of the first row.</param>
    /// <param name="bottom">Lower edge of the last row.</param>
    /// <param name="width">Pixels.</param>
    public abstract void Frame(SvgCanvas svg, double x, double top, double bottom, double width);

    /// <summary>Draws one component's row.</summary>
    /// <param name="svg">The picture.</param>
    /// <param name="component">Which.</param>
    /// <param name="x">Left edge.</param>
    /// <param name="middle">The row's middle.</param>
    /// <param name="width">Pixels.</param>
    public abstract void Row(SvgCanvas svg, int component, double x, double middle, double width);
}
