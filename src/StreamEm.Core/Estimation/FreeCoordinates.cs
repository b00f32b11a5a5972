using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Parameters in coordinates without bounds, so that a step may be longer than to its end: logarithms of what is positive, of probabilities
/// and of weights (which then sum to 1 again), the Cholesky factor of a covariance with the logarithm of its diagonal (Pinheiro &amp; Bates
/// 1996). A probability of 0 or 1 at either end stays what it is at the far end; of a direction it stays what it is.
/// </summary>
internal static class FreeCoordinates
{
    /// <summary>from + eta (to - from).</summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="from">Where the step begins.</param>
    /// <param name="to">Where it would end with eta = 1.</param>
    /// <param name="eta">How long it is.</param>
    /// <param name="result">Overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryMove(VectorLayout layout, double[] from, double[] to, double eta, double[] result)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            ReadOnlySpan<double> begin = block.Of((ReadOnlySpan<double>)from), end = block.Of((ReadOnlySpan<double>)to);
            Span<double> values = block.Of(result.AsSpan());
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            switch (block.Domain)
            {
                case Domain.PositiveDefinite:
                    for (int at = 0; at < values.Length; at += last * last)
                        if (!TryMoveMatrix(begin.Slice(at, last * last), end.Slice(at, last * last), last, eta,
                            values.Slice(at, last * last))) return false;
                    break;
                case Domain.Simplex:
                    for (int at = 0; at < values.Length; at += last)
                        MoveSimplex(begin.Slice(at, last), end.Slice(at, last), eta, values.Slice(at, last));
                    break;
                case Domain.Positive:
                    for (int at = 0; at < values.Length; at++) values[at] = end[at] * Power(begin[at], end[at], eta);
                    break;
                case Domain.Probability:
                    for (int at = 0; at < values.Length; at++)
                    {
                        double yes = end[at] * Power(begin[at], end[at], eta),
                            no = (1 - end[at]) * Power(1 - begin[at], 1 - end[at], eta);
                        values[at] = yes + no > 0 ? yes / (yes + no) : end[at];
                    }
                    break;
                default:
                    for (int at = 0; at < values.Length; at++) values[at] = begin[at] + eta * (end[at] - begin[at]);
                    break;
            }
            foreach (double value in values)
                if (!double.IsFinite(value)) return false;
        }
        return true;
    }

    /// <summary>
    /// Goes along a direction: log p + length d, scaled to sum to 1; log x + length d; log(p / (1 - p)) + length d; L + length d below the
    /// diagonal and log L + length d on it; x + length d.
    /// </summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="from">Where it begins.</param>
    /// <param name="direction">One number for each parameter; of a covariance those above the diagonal are not read.</param>
    /// <param name="length">How far along it.</param>
    /// <param name="result">Overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryStep(VectorLayout layout, double[] from, double[] direction, double length, double[] result)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            ReadOnlySpan<double> begin = block.Of((ReadOnlySpan<double>)from), along = block.Of((ReadOnlySpan<double>)direction);
            Span<double> values = block.Of(result.AsSpan());
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            switch (block.Domain)
            {
                case Domain.PositiveDefinite:
                    for (int at = 0; at < values.Length; at += last * last)
                        if (!TryStepMatrix(begin.Slice(at, last * last), along.Slice(at, last * last), last, length,
                            values.Slice(at, last * last))) return false;
                    break;
                case Domain.Simplex:
                    for (int at = 0; at < values.Length; at += last)
                        StepSimplex(begin.Slice(at, last), along.Slice(at, last), length, values.Slice(at, last));
                    break;
                case Domain.Positive:
                    for (int at = 0; at < values.Length; at++) values[at] = begin[at] * ScalarMath.Exp(length * along[at]);
                    break;
                case Domain.Probability:
                    for (int at = 0; at < values.Length; at++)
                    {
                        double other = (1 - begin[at]) * ScalarMath.Exp(-length * along[at]);
                        values[at] = begin[at] > 0 ? begin[at] / (begin[at] + other) : begin[at];
                    }
                    break;
                default:
                    for (int at = 0; at < values.Length; at++) values[at] = begin[at] + length * along[at];
                    break;
            }
            foreach (double value in values)
                if (!double.IsFinite(value)) return false;
        }
        return true;
    }

    /// <summary>The direction along which a length of 1 leads from here to there; 0 where either is 0 and the logarithm has none.</summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="from">Here.</param>
    /// <param name="to">There.</param>
    /// <param name="result">As <see cref="TryStep"/> takes it; overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryAim(VectorLayout layout, double[] from, double[] to, double[] result)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            ReadOnlySpan<double> begin = block.Of((ReadOnlySpan<double>)from), end = block.Of((ReadOnlySpan<double>)to);
            Span<double> along = block.Of(result.AsSpan());
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            switch (block.Domain)
            {
                case Domain.PositiveDefinite:
                    for (int at = 0; at < along.Length; at += last * last)
                        if (!TryAimMatrix(begin.Slice(at, last * last), end.Slice(at, last * last), last,
                            along.Slice(at, last * last))) return false;
                    break;
                case Domain.Simplex or Domain.Positive:
                    for (int at = 0; at < along.Length; at++) along[at] = LogRatio(begin[at], end[at]);
                    break;
                case Domain.Probability:
                    for (int at = 0; at < along.Length; at++)
                        along[at] = begin[at] is > 0 and < 1 && end[at] is > 0 and < 1
                            ? LogRatio(begin[at], end[at]) - LogRatio(1 - begin[at], 1 - end[at])
                            : 0;
                    break;
                default:
                    for (int at = 0; at < along.Length; at++) along[at] = end[at] - begin[at];
                    break;
            }
            foreach (double value in along)
                if (!double.IsFinite(value)) return false;
        }
        return true;
    }

    /// <summary>
    /// The gradient by the coordinates, from that by the parameters (the chain rule; of a covariance 2 G L, times L on the diagonal).
    /// </summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="parameters">Where.</param>
    /// <param name="gradient">As <see cref="Models.LatentModel.Gradient"/> gives it.</param>
    /// <param name="result">As <see cref="TryStep"/> takes it; overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryPull(VectorLayout layout, double[] parameters, double[] gradient, double[] result)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            ReadOnlySpan<double> theta = block.Of((ReadOnlySpan<double>)parameters), by = block.Of((ReadOnlySpan<double>)gradient);
            Span<double> slopes = block.Of(result.AsSpan());
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            switch (block.Domain)
            {
                case Domain.PositiveDefinite:
                    for (int at = 0; at < slopes.Length; at += last * last)
                        if (!TryPullMatrix(theta.Slice(at, last * last), by.Slice(at, last * last), last,
                            slopes.Slice(at, last * last))) return false;
                    break;
                case Domain.Simplex:
                    for (int at = 0; at < slopes.Length; at += last)
                    {
                        double mean = 0;
                        for (int i = at; i < at + last; i++) mean += theta[i] * by[i];
                        for (int i = at; i < at + last; i++) slopes[i] = theta[i] * (by[i] - mean);
                    }
                    break;
                case Domain.Positive:
                    for (int at = 0; at < slopes.Length; at++) slopes[at] = theta[at] * by[at];
                    break;
                case Domain.Probability:
                    for (int at = 0; at < slopes.Length; at++) slopes[at] = theta[at] * (1 - theta[at]) * by[at];
                    break;
                default:
                    by.CopyTo(slopes);
                    break;
            }
            foreach (double slope in slopes)
                if (!double.IsFinite(slope)) return false;
        }
        return true;
    }

    /// <summary>(end / begin)^(eta - 1), 1 where either is 0.</summary>
    private static double Power(double begin, double end, double eta) =>
        begin > 0 && end > 0 ? ScalarMath.Exp((eta - 1) * (ScalarMath.Log(end) - ScalarMath.Log(begin))) : 1;

    private static void MoveSimplex(ReadOnlySpan<double> begin, ReadOnlySpan<double> end, double eta, Span<double> result)
    {
        double sum = 0;
        for (int at = 0; at < result.Length; at++) sum += result[at] = end[at] * Power(begin[at], end[at], eta);
        for (int at = 0; at < result.Length; at++) result[at] /= sum;
    }

    private static bool TryMoveMatrix(ReadOnlySpan<double> begin, ReadOnlySpan<double> end, int dimension, double eta, Span<double> result)
    {
        double[] one = new double[dimension * (dimension + 1) / 2], other = new double[one.Length];
        if (!TryFactor(begin, dimension, one) || !TryFactor(end, dimension, other)) return false;
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++, at++)
                one[at] = i == j ? other[at] * Power(one[at], other[at], eta) : one[at] + eta * (other[at] - one[at]);
        Multiply(one, dimension, result);
        return true;
    }

    private static void StepSimplex(ReadOnlySpan<double> begin, ReadOnlySpan<double> along, double length, Span<double> result)
    {
        double most = double.NegativeInfinity, sum = 0;
        for (int at = 0; at < result.Length; at++)
            if (begin[at] > 0) most = Math.Max(most, length * along[at]);
        for (int at = 0; at < result.Length; at++)
            sum += result[at] = begin[at] > 0 ? begin[at] * ScalarMath.Exp(length * along[at] - most) : 0;
        for (int at = 0; at < result.Length; at++) result[at] /= sum;
    }

    private static bool TryStepMatrix(
        ReadOnlySpan<double> begin, ReadOnlySpan<double> along, int dimension, double length, Span<double> result)
    {
        double[] factor = new double[dimension * (dimension + 1) / 2];
        if (!TryFactor(begin, dimension, factor)) return false;
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double by = length * along[i * dimension + j];
                factor[at] = i == j ? factor[at] * ScalarMath.Exp(by) : factor[at] + by;
            }
        Multiply(factor, dimension, result);
        return true;
    }

    private static bool TryAimMatrix(ReadOnlySpan<double> begin, ReadOnlySpan<double> end, int dimension, Span<double> result)
    {
        double[] one = new double[dimension * (dimension + 1) / 2], other = new double[one.Length];
        if (!TryFactor(begin, dimension, one) || !TryFactor(end, dimension, other)) return false;
        result.Clear();
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++, at++)
                result[i * dimension + j] = i == j ? LogRatio(one[at], other[at]) : other[at] - one[at];
        return true;
    }

    private static double LogRatio(double begin, double end) =>
        begin > 0 && end > 0 ? ScalarMath.Log(end) - ScalarMath.Log(begin) : 0;

    private static bool TryPullMatrix(ReadOnlySpan<double> matrix, ReadOnlySpan<double> gradient, int dimension, Span<double> result)
    {
        double[] factor = new double[dimension * (dimension + 1) / 2];
        if (!TryFactor(matrix, dimension, factor)) return false;
        result.Clear();
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int d = j; d < dimension; d++) sum += gradient[i * dimension + d] * factor[d * (d + 1) / 2 + j];
                result[i * dimension + j] = 2 * sum * (i == j ? factor[i * (i + 1) / 2 + i] : 1);
            }
        return true;
    }

    /// <summary>L L'.</summary>
    private static void Multiply(ReadOnlySpan<double> factor, int dimension, Span<double> result)
    {
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int d = 0; d <= j; d++) sum += factor[i * (i + 1) / 2 + d] * factor[j * (j + 1) / 2 + d];
                result[i * dimension + j] = result[j * dimension + i] = sum;
            }
    }

    private static bool TryFactor(ReadOnlySpan<double> matrix, int dimension, Span<double> factor)
    {
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++) factor[at++] = matrix[i * dimension + j];
        return Cholesky.Factor(factor, dimension, out _) < 0;
    }
}
