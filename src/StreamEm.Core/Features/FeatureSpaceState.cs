using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>What was learned of the features, in a saved state; what they are is in the configuration.</summary>
internal static class FeatureSpaceState
{
    /// <summary>Writes location, scale, variance, mean and levels of every feature.</summary>
    public static void Save(FeatureSpace space, BinaryWriter writer)
    {
        writer.WriteDoubles(space.Location);
        writer.WriteDoubles(space.Scale);
        writer.WriteDoubles(space.Variances);
        writer.WriteDoubles([.. space.Features.Select(feature => feature.Mean)]);
        foreach (Feature feature in space.Features) writer.WriteTexts([.. feature.Levels]);
    }

    /// <summary>The plan with what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is of other features.</exception>
    public static FeatureSpace Load(FeatureSpace plan, BinaryReader reader)
    {
        double[] location = reader.ReadDoubles(), scale = reader.ReadDoubles(), variances = reader.ReadDoubles(),
            means = reader.ReadDoubles();
        if (location.Length != plan.Dimension || scale.Length != plan.Dimension || variances.Length != plan.Dimension
            || means.Length != plan.Dimension)
            throw new InvalidDataException($"The state's features are {scale.Length}; expected {plan.Dimension}.");
        if (means.Any(mean => !double.IsFinite(mean)) || variances.Any(variance => !(variance > 0) || double.IsInfinity(variance)))
            throw new InvalidDataException("The state has a feature whose mean is not finite, or whose variance is not above 0.");
        var features = new List<Feature>();
        for (int d = 0; d < plan.Dimension; d++)
            features.Add(
                plan.Features[d] with
                {
                    Location = location[d],
                    Scale = scale[d],
                    Variance = variances[d],
                    Mean = means[d],
                    Levels = [.. reader.ReadTexts()]
                });
        return new FeatureSpace(features);
    }
}
