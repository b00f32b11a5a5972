using StreamEm.Core.Features;

namespace StreamEm.Core.Models.Emissions;

/// <summary>What the Gaussian families share about K x D means.</summary>
internal static class GaussianMeans
{
    /// <summary>
    /// A component with less evidence than one observation keeps its parameters: the maximiser would be a point
    /// (stepwise EM in parameter space skips it until it has some).
    /// </summary>
    public const double MinEvidence = 1;

    /// <summary>Whether component k has evidence; reports when not.</summary>
    public static bool HasEvidence(double mass, double effectiveRows, int component, ModelEvents events)
    {
        double evidence = mass * effectiveRows;
        if (evidence >= MinEvidence) return true;
        events.Add(ModelEventKind.NoEvidence, component, evidence);
        return false;
    }

    /// <summary>means * scale + location, per feature.</summary>
    public static void ToUserUnits(Span<double> means, Standardization standardization)
    {
        int dimension = standardization.Scale.Count;
        for (int i = 0; i < means.Length; i++)
            means[i] = Math.FusedMultiplyAdd(means[i], standardization.Scale[i % dimension], standardization.Location[i % dimension]);
    }

    /// <summary>(means - location) / scale, per feature.</summary>
    public static void FromUserUnits(Span<double> means, Standardization standardization)
    {
        int dimension = standardization.Scale.Count;
        for (int i = 0; i < means.Length; i++)
            means[i] = (means[i] - standardization.Location[i % dimension]) / standardization.Scale[i % dimension];
    }

    /// <summary>Moves one component's mean to the known values of a location.</summary>
    public static void Reseed(Span<double> mean, ReadOnlySpan<double> location)
    {
        for (int d = 0; d < mean.Length; d++)
            if (!double.IsNaN(location[d])) mean[d] = location[d];
    }
}
