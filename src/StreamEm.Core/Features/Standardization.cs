namespace StreamEm.Core.Features;

/// <summary>
/// Location and scale of every feature: a value x in the user's units is (x - location) / scale inside. Fixed when learning starts and kept
/// in the state, so that offsets of 1e6 and units of 1e-6 do not cost digits.
/// </summary>
public sealed class Standardization
{
    /// <summary>Takes ownership of both arrays.</summary>
    /// <exception cref="ArgumentException">The lengths differ, or a scale is not positive and finite.</exception>
    public Standardization(double[] location, double[] scale)
    {
        if (location.Length != scale.Length)
            throw new ArgumentException($"Location has {location.Length} features, scale {scale.Length}.", nameof(scale));
        for (int d = 0; d < scale.Length; d++)
            if (!(scale[d] > 0) || !double.IsFinite(scale[d]) || !double.IsFinite(location[d]))
                throw new ArgumentException($"Feature {d} has location {location[d]:R} and scale {scale[d]:R}; expected a finite location and a positive scale.", nameof(scale));
        Location = location;
        Scale = scale;
        LogScale = Array.ConvertAll(scale, Math.Log);
    }

    /// <summary>Location [D], in the user's units.</summary>
    public IReadOnlyList<double> Location { get; }

    /// <summary>Scale [D], in the user's units; positive.</summary>
    public IReadOnlyList<double> Scale { get; }

    /// <summary>log(scale) [D]: log p in the user's units = log p inside - sum of log(scale) over the observed features.</summary>
    public IReadOnlyList<double> LogScale { get; }

    /// <summary>Location 0 and scale 1: nothing changes.</summary>
    public static Standardization Identity(int dimension)
    {
        double[] ones = new double[dimension];
        Array.Fill(ones, 1);
        return new Standardization(new double[dimension], ones);
    }
}
