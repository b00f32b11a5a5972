using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Features;

/// <summary>Learns location and scale of the features and applies them.</summary>
internal static class Standardizer
{
    /// <summary>Standardised values are held within this, so that no square overflows; a value so far off belongs to no component.</summary>
    private const double Limit = 1e100;

    /// <summary>A value further from the median than so many interquartile ranges does not take part in learning location and scale.</summary>
    private const double MaxSpreads = 1e3;

    /// <summary>A row with a standardised value beyond this is not used to find first parameters: a glitch, not a cluster.</summary>
    private const double Glitch = 1e6;

    /// <summary>
    /// Weighted mean and standard deviation of every feature's present values, those far outside left out; for a constant feature scale 1. Two
    /// passes keep all digits of small spreads on large offsets.
    /// </summary>
    public static Standardization Learn(Minibatch batch)
    {
        int dimension = batch.Dimension;
        double[] location = new double[dimension], scale = new double[dimension];
        for (int d = 0; d < dimension; d++)
        {
            (double low, double high) = Bounds(batch, d);
            double mean = Mean(batch, d, 0, squared: false, low, high);
            mean += Mean(batch, d, mean, squared: false, low, high);
            double deviation = Math.Sqrt(Mean(batch, d, mean, squared: true, low, high));
            location[d] = double.IsFinite(mean) ? mean : 0;
            // Below the rounding of the values themselves there is no spread to speak of.
            bool spread = deviation > 1e-14 * Math.Abs(mean) && double.IsFinite(deviation);
            scale[d] = spread ? deviation : 1;
        }
        return new Standardization(location, scale);
    }

    /// <summary>Location and scale from a model's own moments.</summary>
    public static Standardization FromMoments(ReadOnlySpan<double> mean, ReadOnlySpan<double> variance)
    {
        double[] scale = new double[variance.Length];
        for (int d = 0; d < scale.Length; d++) scale[d] = variance[d] > 0 ? Math.Sqrt(variance[d]) : 1;
        return new Standardization(mean.ToArray(), scale);
    }

    /// <summary>Variance of every feature in standardised units: 1, or what it is where the scale was not learned.</summary>
    public static double[] Variances(Minibatch standardized)
    {
        double[] variances = new double[standardized.Dimension];
        for (int d = 0; d < variances.Length; d++)
        {
            double mean = Mean(standardized, d, 0, squared: false), variance = Mean(standardized, d, mean, squared: true);
            variances[d] = variance > 0 && double.IsFinite(variance) ? variance : 1;
        }
        return variances;
    }

    /// <summary>What takes rows to standardised units; see <see cref="Apply"/>.</summary>
    public static RowScaling Scaling(Standardization standardization) =>
        new([.. standardization.Location], [.. standardization.Scale.Select(scale => 1 / scale)], Limit);

    /// <summary>Overwrites <paramref name="result"/> with rows of <paramref name="batch"/> in standardised units.</summary>
    /// <returns>Whether no value is missing.</returns>
    public static bool Apply(RowScaling scaling, Minibatch batch, int first, int count, Minibatch result)
    {
        result.Clear();
        Span<double> values = result.AppendSpace(batch, first, count);
        return scaling.Apply(batch.Values.Slice(first * batch.Dimension, count * batch.Dimension), values);
    }

    /// <summary>The standardised rows that may be searched for first parameters; all of them where that leaves none.</summary>
    public static Minibatch WithoutGlitches(Minibatch standardized)
    {
        var kept = new Minibatch(standardized.Dimension, standardized.Count);
        for (int row = 0; row < standardized.Count; row++)
        {
            bool glitch = false;
            foreach (double value in standardized.Row(row)) glitch |= Math.Abs(value) > Glitch;
            if (!glitch) kept.AddRange(standardized, row, 1);
        }
        return kept.Count > 0 ? kept : standardized;
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
        Minibatch batch, int feature, double about, bool squared, double low = double.NegativeInfinity, double high = double.PositiveInfinity)
    {
        double sum = 0, total = 0;
        ReadOnlySpan<double> weights = batch.Weights;
        for (int row = 0; row < batch.Count; row++)
        {
            double found = batch.Row(row)[feature], value = found - about;
            if (double.IsNaN(value) || Math.Abs(value) > 1e150 || found < low || found > high) continue;
            double weight = weights.IsEmpty ? 1 : weights[row];
            sum += weight * (squared ? value * value : value);
            total += weight;
        }
        return total > 0 ? sum / total : 0;
    }
}
