using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Sequences;

/// <summary>
/// What a mixture of the states' families says of a record to come: sum_k w_k p(x given z = k), feature by feature. Where a family knows no
/// distribution function, that of the normal distribution of the same mean and variance stands for it; a feature without moments is not
/// told of.
/// </summary>
internal sealed class RecordForecast
{
    private readonly Emission _emission;
    private readonly ReadOnlyMemory<double> _parameters;
    private readonly double[] _means, _variances;

    /// <summary>Takes the families with their parameters, which must stay as they are.</summary>
    public RecordForecast(Emission emission, ReadOnlyMemory<double> parameters)
    {
        (_emission, _parameters) = (emission, parameters);
        int length = emission.Components * emission.Dimension;
        (_means, _variances) = (new double[length], new double[length]);
        if (emission.TryMoments(parameters.Span, _means, _variances)) return;
        Array.Fill(_means, double.NaN);
        Array.Fill(_variances, double.NaN);
    }

    /// <summary>Writes mean, variance and interval of every feature.</summary>
    /// <param name="weights">The probabilities of the states [K].</param>
    /// <param name="mean">[D]; overwritten.</param>
    /// <param name="variance">[D]; overwritten.</param>
    /// <param name="lower">[D]; overwritten.</param>
    /// <param name="upper">[D]; overwritten.</param>
    public void Say(
        ReadOnlySpan<double> weights, Span<double> mean, Span<double> variance, Span<double> lower, Span<double> upper)
    {
        int dimension = _emission.Dimension;
        for (int d = 0; d < dimension; d++)
        {
            (double sum, double square) = (0, 0);
            for (int k = 0; k < weights.Length; k++) sum += weights[k] * _means[k * dimension + d];
            for (int k = 0; k < weights.Length; k++)
            {
                double deviation = _means[k * dimension + d] - sum;
                square += weights[k] * (_variances[k * dimension + d] + deviation * deviation);
            }
            (mean[d], variance[d]) = (sum, square);
            bool isKnown = double.IsFinite(square) && !double.IsNaN(Cumulative(weights, d, sum));
            (lower[d], upper[d]) = isKnown
                ? (Quantile(weights, d, Forecasts.Tail, sum, square), Quantile(weights, d, 1 - Forecasts.Tail, sum, square))
                : (double.NaN, double.NaN);
        }
    }

    /// <summary>The least value that the distribution function reaches a probability at, by bisection.</summary>
    private double Quantile(ReadOnlySpan<double> weights, int feature, double probability, double mean, double variance)
    {
        double width = Math.Max(Math.Sqrt(variance), 1e-12 * Math.Max(1, Math.Abs(mean))), low = mean - width, high = mean + width;
        for (int step = 0; step < 200 && Cumulative(weights, feature, low) >= probability; step++) low -= width *= 2;
        for (int step = 0; step < 200 && Cumulative(weights, feature, high) < probability; step++) high += width *= 2;
        for (int step = 0; step < 200 && high - low > 1e-13 * Math.Max(1, Math.Abs(high)); step++)
        {
            double middle = 0.5 * (low + high);
            if (Cumulative(weights, feature, middle) >= probability) high = middle;
            else low = middle;
        }
        // Of counts it is a count.
        double whole = Math.Round(high);
        return Math.Abs(high - whole) < 1e-9 && Cumulative(weights, feature, whole - 1e-6) < Cumulative(weights, feature, whole) - 1e-9
            ? whole
            : high;
    }

    private double Cumulative(ReadOnlySpan<double> weights, int feature, double value)
    {
        double sum = 0;
        for (int k = 0; k < weights.Length; k++)
        {
            if (!(weights[k] > 0)) continue;
            double own = _emission.Cumulative(_parameters.Span, k, feature, value);
            sum += weights[k] * (double.IsNaN(own) ? Normal(k * _emission.Dimension + feature, value) : own);
        }
        return sum;
    }

    private double Normal(int at, double value)
    {
        double square = (value - _means[at]) * (value - _means[at]) / _variances[at];
        double beyond = 0.5 * ScalarMath.GammaUpperRegularized(0.5, 0.5 * square);
        return value < _means[at] ? beyond : 1 - beyond;
    }
}
