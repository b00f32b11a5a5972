using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Parameters in coordinates without bounds, so that a step may be longer than to its end: logarithms of what is positive, of probabilities
/// and of weights (which then sum to 1 again), the Cholesky factor of a covariance with the logarithm of its diagonal (Pinheiro &amp; Bates
/// 1996). A probability of 0 or 1 at either end stays what it is at the far end.
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
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int d = 0; d <= j; d++) sum += one[i * (i + 1) / 2 + d] * one[j * (j + 1) / 2 + d];
                result[i * dimension + j] = result[j * dimension + i] = sum;
            }
        return true;
    }

    private static bool TryFactor(ReadOnlySpan<double> matrix, int dimension, Span<double> factor)
    {
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++) factor[at++] = matrix[i * dimension + j];
        return Cholesky.Factor(factor, dimension, out _) < 0;
    }
}
