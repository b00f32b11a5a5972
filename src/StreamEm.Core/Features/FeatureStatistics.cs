using StreamEm.Core.Data;

namespace StreamEm.Core.Features;

/// <summary>What the first records say of the features: location, scale, variance, and which have no value at all.</summary>
internal static class FeatureStatistics
{
    /// <summary>
    /// A value further from the median than so many interquartile ranges does not take part in learning location and scale.
    /// </summary>
    private const double MaxSpreads = 1e3;

    /// <summary>Deviations below this have no square: no covariance could be told in the user's units.</summary>
    internal const double LeastSpread = 1e-140;

    /// <summary>A row with a value inside beyond this is not used to find first parameters: a glitch, not a cluster.</summary>
    private const double Glitch = 1e6;

    /// <summary>
    /// Weighted mean and standard deviation of every scaled feature's present values, those far outside left out; for a constant feature
    /// scale 1. Two passes keep all digits of small spreads on large offsets. Then the variances inside, rows without glitches.
    /// </summary>
    public static FeatureSpace Learn(FeatureSpace plan, Minibatch rows)
    {
        Feature[] features = [.. plan.Features];
        for (int d = 0; d < features.Length; d++)
            if (features[d].Scaling != FeatureScaling.None) features[d] = Scaled(features[d], rows, d, Bounds(rows, d));
        ShareScales(features);
        return WithVariances(new FeatureSpace(features), rows);
    }

    /// <summary>The space with means and variances inside, those of rows (user units) that are no glitches.</summary>
    /// <param name="space">Locations and scales.</param>
    /// <param name="rows">In the user's units.</param>
    /// <param name="first">What tells glitches; null takes what is far beyond the scale.</param>
    internal static FeatureSpace WithVariances(FeatureSpace space, Minibatch rows, FirstRecords? first = null)
    {
        Feature[] features = [.. space.Features];
        var inside = new Minibatch(rows.Dimension, Math.Max(1, rows.Count));
        space.Encode(rows, 0, rows.Count, inside);
        Minibatch regular = first is null ? WithoutGlitches(inside) : first.Regular(rows, inside);
        for (int d = 0; d < features.Length; d++)
        {
            double mean = Mean(regular, d, 0, squared: false), variance = Mean(regular, d, mean, squared: true);
            features[d] = features[d] with { Mean = mean, Variance = variance > 0 && double.IsFinite(variance) ? variance : 1 };
        }
        return new FeatureSpace(features);
    }

    /// <summary>The rows (inside) without a glitch, as <see cref="Regular"/> leaves them.</summary>
    public static Minibatch WithoutGlitches(Minibatch inside) => Regular(inside, row => !IsGlitch(inside.Row(row)));

    /// <summary>
    /// The rows that may be searched for first parameters; all of them where that leaves none. In a sequence another row is left without
    /// values, so that the order of the others stays.
    /// </summary>
    /// <param name="inside">The rows.</param>
    /// <param name="isRegular">Whether the row of this index may be searched.</param>
    internal static Minibatch Regular(Minibatch inside, Func<int, bool> isRegular)
    {
        bool inSequences = !inside.SequenceStarts.IsEmpty;
        double[] missing = new double[inside.Dimension];
        Array.Fill(missing, double.NaN);
        var kept = new Minibatch(inside.Dimension, Math.Max(1, inside.Count));
        int regular = 0;
        for (int row = 0; row < inside.Count; row++)
        {
            bool keeps = isRegular(row);
            if (keeps) regular++;
            if (!keeps && !inSequences) continue;
            kept.Append(inside, row, 1);
            if (!keeps) kept.Overwrite(row, missing);
        }
        return regular > 0 ? kept : inside;
    }

    /// <summary>Whether a row (inside) has a value that is a glitch.</summary>
    private static bool IsGlitch(ReadOnlySpan<double> inside)
    {
        bool glitch = false;
        foreach (double value in inside) glitch |= Math.Abs(value) > Glitch;
        return glitch;
    }

    /// <summary>The features without a value in any row.</summary>
    public static int[] AbsentFeatures(Minibatch batch)
    {
        var absent = new List<int>();
        for (int d = 0; d < batch.Dimension; d++)
        {
            bool any = false;
            for (int row = 0; row < batch.Count && !any; row++) any = !double.IsNaN(batch.Row(row)[d]);
            if (!any) absent.Add(d);
        }
        return [.. absent];
    }

    /// <summary>A feature with location and scale of its values within bounds.</summary>
    internal static Feature Scaled(Feature feature, Minibatch rows, int d, (double Low, double High) bounds)
    {
        (double low, double high) = bounds;
        double mean = Mean(rows, d, 0, squared: false, low, high);
        mean += Mean(rows, d, mean, squared: false, low, high);
        if (feature.Scaling == FeatureScaling.ScaleOnly) return feature with { Scale = mean > 0 && double.IsFinite(mean) ? mean : 1 };
        double deviation = Math.Sqrt(Mean(rows, d, mean, squared: true, low, high));
        // Below the rounding of the values themselves there is no spread to speak of.
        bool spread = deviation > 1e-14 * Math.Abs(mean) && double.IsFinite(deviation);
        return feature with { Location = double.IsFinite(mean) ? mean : 0, Scale = spread ? deviation : 1 };
    }

    /// <summary>Features of a common scale get the root mean square of theirs.</summary>
    internal static void ShareScales(Feature[] features)
    {
        double squares = 0;
        int count = 0;
        foreach (Feature feature in features.Where(feature => feature.Scaling == FeatureScaling.CommonScale))
        {
            squares += feature.Scale * feature.Scale;
            count++;
        }
        for (int d = 0; d < features.Length; d++)
            if (features[d].Scaling == FeatureScaling.CommonScale) features[d] = features[d] with { Scale = Math.Sqrt(squares / count) };
    }

    private static (double Low, double High) Bounds(Minibatch batch, int feature)
    {
        var present = new List<double>(batch.Count);
        for (int row = 0; row < batch.Count; row++)
            if (!double.IsNaN(batch.Row(row)[feature])) present.Add(batch.Row(row)[feature]);
        present.Sort();
        if (present.Count == 0) return (double.NegativeInfinity, double.PositiveInfinity);
        double median = present[present.Count / 2], spread = present[present.Count * 3 / 4] - present[present.Count / 4];
        return spread > 0 && double.IsFinite(spread)
            ? (median - MaxSpreads * spread, median + MaxSpreads * spread)
            : (double.NegativeInfinity, double.PositiveInfinity);
    }

    private static double Mean(
        Minibatch batch, int feature, double about, bool squared, double low = double.NegativeInfinity,
        double high = double.PositiveInfinity)
    {
        double sum = 0, total = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            double found = batch.Row(row)[feature], value = found - about;
            if (double.IsNaN(value) || Math.Abs(value) > 1e150 || found < low || found > high) continue;
            double weight = batch.Weight(row);
            sum += weight * (squared ? value * value : value);
            total += weight;
        }
        return total > 0 ? sum / total : 0;
    }
}
