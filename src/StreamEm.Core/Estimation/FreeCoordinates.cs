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
    /// <summary>What is done to a covariance, a simplex or the whole of another block.</summary>
    private delegate bool Part(Domain domain, int last, ReadOnlySpan<double> one, ReadOnlySpan<double> other, Span<double> result);

    /// <summary>from + eta (to - from).</summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="from">Where the step begins.</param>
    /// <param name="to">Where it would end with eta = 1.</param>
    /// <param name="eta">How long it is.</param>
    /// <param name="result">Overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryMove(VectorLayout layout, double[] from, double[] to, double eta, double[] result) =>
        TryEach(layout, from, to, result, (domain, last, begin, end, values) =>
        {
            if (domain == Domain.PositiveDefinite) return TryMoveMatrix(begin, end, last, eta, values);
            double sum = 0;
            for (int at = 0; at < values.Length; at++)
                sum += values[at] = domain switch
                {
                    Domain.Simplex or Domain.Positive => end[at] * Power(begin[at], end[at], eta),
                    Domain.Probability => MoveProbability(begin[at], end[at], eta),
                    _ => begin[at] + eta * (end[at] - begin[at]),
                };
            if (domain == Domain.Simplex) Scale(values, sum);
            return true;
        });

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
    public static bool TryStep(VectorLayout layout, double[] from, double[] direction, double length, double[] result) =>
        TryEach(layout, from, direction, result, (domain, last, begin, along, values) =>
        {
            if (domain == Domain.PositiveDefinite) return TryStepMatrix(begin, along, last, length, values);
            double most = 0, sum = 0;
            if (domain == Domain.Simplex)
            {
                most = double.NegativeInfinity;
                for (int at = 0; at < values.Length; at++)
                    if (begin[at] > 0) most = Math.Max(most, length * along[at]);
            }
            for (int at = 0; at < values.Length; at++)
                sum += values[at] = domain switch
                {
                    Domain.Simplex or Domain.Positive => begin[at] > 0 ? begin[at] * ScalarMath.Exp(length * along[at] - most) : begin[at],
                    Domain.Probability => begin[at] > 0
                        ? begin[at] / (begin[at] + (1 - begin[at]) * ScalarMath.Exp(-length * along[at]))
                        : begin[at],
                    _ => begin[at] + length * along[at],
                };
            if (domain == Domain.Simplex) Scale(values, sum);
            return true;
        });

    /// <summary>The direction along which a length of 1 leads from here to there; 0 where either is 0 and the logarithm has none.</summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="from">Here.</param>
    /// <param name="to">There.</param>
    /// <param name="result">As <see cref="TryStep"/> takes it; overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryAim(VectorLayout layout, double[] from, double[] to, double[] result) =>
        TryEach(layout, from, to, result, (domain, last, begin, end, along) =>
        {
            if (domain == Domain.PositiveDefinite) return TryAimMatrix(begin, end, last, along);
            for (int at = 0; at < along.Length; at++)
                along[at] = domain switch
                {
                    Domain.Simplex or Domain.Positive => LogRatio(begin[at], end[at]),
                    Domain.Probability => begin[at] is > 0 and < 1 && end[at] is > 0 and < 1
                        ? LogRatio(begin[at], end[at]) - LogRatio(1 - begin[at], 1 - end[at])
                        : 0,
                    _ => end[at] - begin[at],
                };
            return true;
        });

    /// <summary>
    /// The gradient by the coordinates, from that by the parameters (the chain rule; of a covariance 2 G L, times L on the diagonal).
    /// </summary>
    /// <param name="layout">The blocks.</param>
    /// <param name="parameters">Where.</param>
    /// <param name="gradient">As <see cref="Models.LatentModel.Gradient"/> gives it.</param>
    /// <param name="result">As <see cref="TryStep"/> takes it; overwritten.</param>
    /// <returns>False when a covariance is not positive definite, or a number not finite.</returns>
    public static bool TryPull(VectorLayout layout, double[] parameters, double[] gradient, double[] result) =>
        TryEach(layout, parameters, gradient, result, (domain, last, theta, by, slopes) =>
        {
            if (domain == Domain.PositiveDefinite) return TryPullMatrix(theta, by, last, slopes);
            double mean = 0;
            if (domain == Domain.Simplex)
                for (int at = 0; at < slopes.Length; at++) mean += theta[at] * by[at];
            for (int at = 0; at < slopes.Length; at++)
                slopes[at] = domain switch
                {
                    Domain.Simplex or Domain.Positive => theta[at] * (by[at] - mean),
                    Domain.Probability => theta[at] * (1 - theta[at]) * by[at],
                    _ => by[at],
                };
            return true;
        });

    private static bool TryEach(VectorLayout layout, double[] one, double[] other, double[] result, Part part)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
            int size = block.Domain switch { Domain.PositiveDefinite => last * last, Domain.Simplex => last, _ => block.Length };
            for (int at = block.Offset; at < block.Offset + block.Length; at += size)
            {
                Span<double> values = result.AsSpan(at, size);
                if (!part(block.Domain, last, one.AsSpan(at, size), other.AsSpan(at, size), values)) return false;
                foreach (double value in values)
                    if (!double.IsFinite(value)) return false;
            }
        }
        return true;
    }

    private static double MoveProbability(double begin, double end, double eta)
    {
        double yes = end * Power(begin, end, eta), no = (1 - end) * Power(1 - begin, 1 - end, eta);
        return yes + no > 0 ? yes / (yes + no) : end;
    }

    private static void Scale(Span<double> values, double sum)
    {
        for (int at = 0; at < values.Length; at++) values[at] /= sum;
    }

    /// <summary>(end / begin)^(eta - 1), 1 where either is 0.</summary>
    private static double Power(double begin, double end, double eta) =>
        begin > 0 && end > 0 ? ScalarMath.Exp((eta - 1) * (ScalarMath.Log(end) - ScalarMath.Log(begin))) : 1;

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
