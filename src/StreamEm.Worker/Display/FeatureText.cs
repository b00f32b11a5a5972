using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>What a component says of one feature, in a few characters.</summary>
internal static class FeatureText
{
    private const int MaxLevels = 3, MaxName = 20, MaxLevelName = 12;

    /// <summary>What the cells hold, for the line below a table.</summary>
    public static string Caption(FeatureSpace space)
    {
        var parts = new List<string>();
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Number or FeatureKind.NonNegative))
            parts.Add("mean ± standard deviation");
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Count)) parts.Add("mean count");
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Binary)) parts.Add("probability of 1");
        if (space.HasLevels) parts.Add("most probable levels");
        return string.Join("; ", parts);
    }

    /// <summary>A feature's name as the head of a column.</summary>
    public static string Name(Feature feature) => Short(feature.Name, MaxName);

    /// <summary>One cell.</summary>
    /// <param name="profile">The components.</param>
    /// <param name="component">Which.</param>
    /// <param name="feature">The feature.</param>
    public static string Of(ComponentProfile profile, int component, int feature)
    {
        Feature described = profile.Space.Features[feature];
        if (described.Kind == FeatureKind.Level) return Levels(described, profile.Levels(component, feature).ToArray());
        double mean = profile.Mean(component, feature);
        if (double.IsNaN(mean)) return "";
        double deviation = profile.Deviation(component, feature);
        // What is left of a zero by rounding is one.
        if (Math.Abs(mean) < 1e-9 * deviation) mean = 0;
        return described.Kind is FeatureKind.Number or FeatureKind.NonNegative
            ? string.Create(CultureInfo.InvariantCulture, $"{mean:G5} ± {deviation:G3}")
            : string.Create(CultureInfo.InvariantCulture, $"{mean:G4}");
    }

    private static string Levels(Feature feature, double[] probabilities)
    {
        IEnumerable<int> levels = Enumerable.Range(0, Math.Min(probabilities.Length, feature.Levels.Count));
        IEnumerable<string> most = levels.OrderByDescending(level => probabilities[level]).Take(MaxLevels).Select(level =>
            string.Create(CultureInfo.InvariantCulture, $"{Short(feature.Levels[level], MaxLevelName)} {probabilities[level]:P0}"));
        return string.Join(", ", most);
    }

    private static string Short(string text, int length) =>
        PrintableText.Of(text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…"));
}
