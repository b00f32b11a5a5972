using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Display;

/// <summary>What a component says of one feature, in a few characters.</summary>
internal static class FeatureText
{
    private const int MaxLevels = 3;

    /// <summary>What the cells hold, for the line below a table.</summary>
    public static string Caption(FeatureSpace space)
    {
        var parts = new List<string>();
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Number)) parts.Add("mean ± standard deviation");
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Count)) parts.Add("mean count");
        if (space.Features.Any(feature => feature.Kind is FeatureKind.Binary)) parts.Add("probability of 1");
        if (space.HasLevels) parts.Add("most probable levels");
        return string.Join("; ", parts);
    }

    /// <summary>One cell.</summary>
    /// <param name="snapshot">The model.</param>
    /// <param name="k">The component.</param>
    /// <param name="feature">The feature.</param>
    /// <param name="mean">Its mean; NaN where the model has none.</param>
    /// <param name="variance">Its variance.</param>
    public static string Of(LearnedModel snapshot, int k, int feature, double mean, double variance)
    {
        Feature described = snapshot.Space.Features[feature];
        if (described.Kind == FeatureKind.Level) return Levels(snapshot, k, described);
        if (double.IsNaN(mean)) return "";
        return described.Kind == FeatureKind.Number
            ? string.Create(CultureInfo.InvariantCulture, $"{mean:G5} ± {Math.Sqrt(variance):G3}")
            : string.Create(CultureInfo.InvariantCulture, $"{mean:G4}");
    }

    private static string Levels(LearnedModel snapshot, int k, Feature feature)
    {
        VectorBlock? block = snapshot.Layout.Blocks.FirstOrDefault(block => block.Domain == Domain.Simplex && block.Name.EndsWith($".{feature.Name}", StringComparison.Ordinal));
        if (block is null) return "";
        int count = block.Shape[^1];
        double[] probabilities = block.Of((ReadOnlySpan<double>)snapshot.Parameters).Slice(k * count, count).ToArray();
        IEnumerable<string> most = Enumerable.Range(0, count).OrderByDescending(level => probabilities[level]).Take(MaxLevels)
            .Select(level => string.Create(CultureInfo.InvariantCulture, $"{feature.Levels[level]} {probabilities[level]:P0}"));
        return string.Join(", ", most);
    }
}
