using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>
/// How the log-density of a component's own records is spread: a peak less b times a chi-square variable of nu degrees of freedom, where
/// b = variance / (2 drop) and nu = drop / b. That is exact for a Gaussian component (b = 1/2, nu = the number of values); for independent
/// features of other families peak, mean and variance are matched. What independent features say adds up.
/// </summary>
/// <param name="Peak">The log-density of the most probable record.</param>
/// <param name="Drop">What the mean lies below the peak.</param>
/// <param name="Variance">The variance.</param>
internal readonly record struct LogDensitySpread(double Peak, double Drop, double Variance)
{
    /// <summary>Below this there is no spread to speak of.</summary>
    private const double Tiny = 1e-12;

    private bool IsConstant => !(Drop > Tiny && Variance > Tiny);

    /// <summary>The spread of independent parts together.</summary>
    public static LogDensitySpread operator +(LogDensitySpread a, LogDensitySpread b) =>
        new(a.Peak + b.Peak, a.Drop + b.Drop, a.Variance + b.Variance);

    /// <summary>The spread of a discrete feature from the logarithms of its values' probabilities.</summary>
    public static LogDensitySpread Of(ReadOnlySpan<double> logProbabilities)
    {
        double peak = double.NegativeInfinity, mean = 0, square = 0;
        foreach (double log in logProbabilities)
        {
            peak = Math.Max(peak, log);
            double probability = ScalarMath.Exp(log);
            mean += probability * log;
            square += probability * log * log;
        }
        return new LogDensitySpread(peak, peak - mean, square - mean * mean);
    }

    /// <summary>
    /// The value of <paramref name="other"/> that is as improbable there as <paramref name="logDensity"/> is here: the same upper tail of
    /// chi-square, by the normal deviate of its cube root (Wilson &amp; Hilferty 1931).
    /// </summary>
    public double Equivalent(double logDensity, LogDensitySpread other)
    {
        if (IsConstant || other.IsConstant) return other.Peak - other.Drop + (logDensity - (Peak - Drop));
        double scale = Variance / (2 * Drop), freedom = Drop / scale, otherScale = other.Variance / (2 * other.Drop),
            otherFreedom = other.Drop / otherScale, ninth = 2 / (9 * freedom), otherNinth = 2 / (9 * otherFreedom);
        double deviate = (ScalarMath.Cbrt(Math.Max(0, Peak - logDensity) / scale / freedom) - (1 - ninth)) / Math.Sqrt(ninth);
        double root = Math.Max(0, 1 - otherNinth + deviate * Math.Sqrt(otherNinth));
        return other.Peak - otherScale * otherFreedom * root * root * root;
    }

    /// <summary>
    /// Makes every component's log-density of an incomplete row that of an equally improbable complete one of the same component.
    /// </summary>
    /// <param name="emission">The components.</param>
    /// <param name="row">D values, some of them missing.</param>
    /// <param name="logDensities">log p(x_o given z = k) [K]; overwritten.</param>
    public static void Complete(EmissionEStep emission, ReadOnlySpan<double> row, Span<double> logDensities)
    {
        int components = logDensities.Length;
        Span<LogDensitySpread> observed = components <= 64
            ? stackalloc LogDensitySpread[components]
            : new LogDensitySpread[components];
        Span<LogDensitySpread> complete = components <= 64
            ? stackalloc LogDensitySpread[components]
            : new LogDensitySpread[components];
        emission.Spread(row, observed);
        emission.Spread([], complete);
        for (int k = 0; k < components; k++) logDensities[k] = observed[k].Equivalent(logDensities[k], complete[k]);
    }

    /// <summary>The log-density of a mixture: log of the sum of weight x exp(log-density) over the components of any weight.</summary>
    public static double Mix(ReadOnlySpan<double> weights, ReadOnlySpan<double> logDensities)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < weights.Length; k++)
            if (weights[k] > 0) max = Math.Max(max, logDensities[k]);
        if (!double.IsFinite(max)) return max;
        for (int k = 0; k < weights.Length; k++)
            if (weights[k] > 0) sum += weights[k] * ScalarMath.Exp(logDensities[k] - max);
        return max + ScalarMath.Log(sum);
    }
}
