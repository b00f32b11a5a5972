using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Experts;

/// <summary>A mixture of normals over one number: what experts together say of a target.</summary>
internal static class NormalMixture
{
    /// <summary>The probabilities whose quantiles are told.</summary>
    public static ReadOnlySpan<double> Levels => [0.05, 0.5, 0.95];

    private const int MostIterations = 200;

    /// <summary>Doubles that <see cref="Describe"/> writes.</summary>
    public static int LengthOf(int components) => 2 + Levels.Length + components;

    /// <summary>
    /// Writes mean, variance, quantiles and modes, the most probable first, NaN where there are fewer than components; NaN in all places
    /// where a weight is none.
    /// </summary>
    /// <param name="weights">[K]; they sum to 1.</param>
    /// <param name="means">[K].</param>
    /// <param name="variances">[K], positive.</param>
    /// <param name="result">Overwritten.</param>
    public static void Describe(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> means, ReadOnlySpan<double> variances, Span<double> result)
    {
        double mean = 0, variance = 0;
        for (int k = 0; k < weights.Length; k++) mean = Math.FusedMultiplyAdd(weights[k], means[k], mean);
        for (int k = 0; k < weights.Length; k++)
        {
            double off = means[k] - mean;
            variance = Math.FusedMultiplyAdd(weights[k], Math.FusedMultiplyAdd(off, off, variances[k]), variance);
        }
        (result[0], result[1]) = (mean, variance);
        for (int at = 0; at < Levels.Length; at++) result[2 + at] = Quantile(Levels[at], weights, means, variances, mean, variance);
        Modes(weights, means, variances, Math.Sqrt(variance), result[(2 + Levels.Length)..]);
    }

    /// <summary>The value that the mixture is below with a probability: Newton's steps within a bracket that shrinks.</summary>
    public static double Quantile(
        double level, ReadOnlySpan<double> weights, ReadOnlySpan<double> means, ReadOnlySpan<double> variances, double mean,
        double variance)
    {
        // Chebyshev's one-sided inequality.
        double deviation = Math.Sqrt(variance), low = mean - deviation * Math.Sqrt((1 - level) / level),
            high = mean + deviation * Math.Sqrt(level / (1 - level)), at = mean;
        for (int iteration = 0; iteration < MostIterations && high - low > 1e-14 * (Math.Abs(at) + deviation); iteration++)
        {
            double below = 0, density = 0;
            for (int k = 0; k < weights.Length; k++)
            {
                double scale = Math.Sqrt(variances[k]), off = (at - means[k]) / scale;
                below = Math.FusedMultiplyAdd(weights[k], NormalDistribution.Cumulative(off), below);
                density += weights[k] / scale * ScalarMath.Exp(NormalDistribution.LogDensity(off));
            }
            if (below < level) low = at;
            else high = at;
            double next = at - (below - level) / density;
            if (Math.Abs(next - at) <= 1e-13 * deviation) return next;
            at = next > low && next < high ? next : 0.5 * (low + high);
        }
        return at;
    }

    /// <summary>
    /// The modes, by the fixed-point iteration from every mean (Carreira-Perpiñán 2000), in descending order of density.
    /// </summary>
    private static void Modes(
        ReadOnlySpan<double> weights, ReadOnlySpan<double> means, ReadOnlySpan<double> variances, double unit, Span<double> result)
    {
        result.Fill(double.NaN);
        int found = 0;
        Span<double> densities = weights.Length <= 64 ? stackalloc double[weights.Length] : new double[weights.Length];
        for (int start = 0; start < weights.Length; start++)
        {
            if (!(weights[start] > 0)) continue;
            double at = means[start], density = 0;
            for (int iteration = 0; iteration < MostIterations; iteration++)
            {
                double next = Toward(at, weights, means, variances, out density);
                bool isThere = !(Math.Abs(next - at) > 1e-10 * unit);
                at = next;
                if (isThere) break;
            }
            int place = 0;
            bool isKnown = !double.IsFinite(at);
            for (int other = 0; other < found; other++)
            {
                isKnown |= Math.Abs(result[other] - at) <= 1e-4 * unit;
                if (densities[other] >= density) place = other + 1;
            }
            if (isKnown) continue;
            for (int other = found; other > place; other--) (result[other], densities[other]) = (result[other - 1], densities[other - 1]);
            (result[place], densities[place]) = (at, density);
            found++;
        }
    }

    private static double Toward(
        double at, ReadOnlySpan<double> weights, ReadOnlySpan<double> means, ReadOnlySpan<double> variances, out double density)
    {
        double from = 0, of = 0;
        density = 0;
        for (int k = 0; k < weights.Length; k++)
        {
            double off = at - means[k], share = weights[k] / Math.Sqrt(variances[k]) * ScalarMath.Exp(-0.5 * off * off / variances[k]);
            density += share;
            from += share / variances[k];
            of = Math.FusedMultiplyAdd(share / variances[k], means[k], of);
        }
        return of / from;
    }
}
