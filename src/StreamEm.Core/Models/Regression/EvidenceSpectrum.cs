using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// Data moments G = V diag(e) V', in whose axes the posterior of the coefficients is diagonal whatever the precisions: with c = V' (z y)
/// and k_i = lambda + alpha n e_i, the posterior has means alpha n c_i / k_i and variances 1 / k_i. An iteration costs O(S).
/// </summary>
internal sealed class EvidenceSpectrum
{
    /// <summary>A precision beyond this belongs to coefficients, or noise, that there are none of.</summary>
    private const double Most = 1e12;

    private const int MaxIterations = 20_000;

    private readonly double[] _values, _vectors, _products;
    private readonly double _square, _rows;

    /// <summary>Decomposes moments.</summary>
    /// <param name="gram">G [P(S)].</param>
    /// <param name="products">z y [S].</param>
    /// <param name="square">y^2.</param>
    /// <param name="rows">n.</param>
    public EvidenceSpectrum(ReadOnlySpan<double> gram, ReadOnlySpan<double> products, double square, double rows)
    {
        int size = products.Length;
        (_square, _rows) = (square, rows);
        _products = new double[size];
        double[] full = new double[size * size];
        SymmetricMatrix.Unpack(gram, size, full);
        (_values, _vectors) = size == 0 ? ([], []) : SymmetricMatrix.Decompose(full, size);
        for (int e = 0; e < size; e++)
        {
            _values[e] = Math.Max(0, _values[e]);
            for (int i = 0; i < size; i++) _products[e] = Math.FusedMultiplyAdd(_vectors[e * size + i], products[i], _products[e]);
        }
    }

    /// <summary>One iteration of the precisions.</summary>
    /// <param name="update">The rule.</param>
    /// <param name="shape">a - 1 of the Gamma prior of both.</param>
    /// <param name="rate">b of it.</param>
    /// <param name="alpha">Noise precision.</param>
    /// <param name="lambda">Prior precision.</param>
    public (double Alpha, double Lambda) Step(PrecisionUpdate update, double shape, double rate, double alpha, double lambda)
    {
        double length = 0, trace = 0, residuals = _square, spread = 0;
        for (int i = 0; i < _values.Length; i++)
        {
            double variance = 1 / (lambda + alpha * _rows * _values[i]), mean = alpha * _rows * _products[i] * variance;
            length = Math.FusedMultiplyAdd(mean, mean, length);
            trace += variance;
            residuals = Math.FusedMultiplyAdd(mean, Math.FusedMultiplyAdd(_values[i], mean, -2 * _products[i]), residuals);
            spread = Math.FusedMultiplyAdd(_values[i], variance, spread);
        }
        residuals = Math.Max(0, residuals);
        int size = _values.Length;
        double determined = size - lambda * trace;
        (double of, double from) = update == PrecisionUpdate.Em
            ? (size + 2 * shape, length + trace + 2 * rate)
            : (determined + 2 * shape, length + 2 * rate);
        double nextLambda = Clamp(of / from);
        (of, from) = update == PrecisionUpdate.Em
            ? (_rows + 2 * shape, _rows * (residuals + spread) + 2 * rate)
            : (_rows - determined + 2 * shape, _rows * residuals + 2 * rate);
        return (Clamp(of / from), nextLambda);
    }

    /// <summary>Iterates to the fixed point.</summary>
    public void Iterate(
        PrecisionUpdate update, bool movesAlpha, bool movesLambda, double shape, double rate, ref double alpha, ref double lambda)
    {
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            (double nextAlpha, double nextLambda) = Step(update, shape, rate, alpha, lambda);
            if (!movesAlpha) nextAlpha = alpha;
            if (!movesLambda) nextLambda = lambda;
            double moved = Math.Max(Math.Abs(nextAlpha / alpha - 1), Math.Abs(nextLambda / lambda - 1));
            (alpha, lambda) = (nextAlpha, nextLambda);
            if (!(moved > 1e-14)) return;
        }
    }

    /// <summary>m and S.</summary>
    public void Posterior(double alpha, double lambda, Span<double> mean, Span<double> covariance)
    {
        int size = _values.Length;
        mean.Clear();
        covariance.Clear();
        for (int e = 0; e < size; e++)
        {
            ReadOnlySpan<double> axis = _vectors.AsSpan(e * size, size);
            double variance = 1 / (lambda + alpha * _rows * _values[e]), along = alpha * _rows * _products[e] * variance;
            for (int i = 0; i < size; i++)
            {
                mean[i] = Math.FusedMultiplyAdd(axis[i], along, mean[i]);
                for (int j = 0; j < size; j++) covariance[i * size + j] += variance * (axis[i] * axis[j]);
            }
        }
    }

    /// <summary>log p(y given alpha, lambda) per row (Bishop 2006, equation 3.86).</summary>
    public double MeanLogEvidence(double alpha, double lambda)
    {
        double sum = _rows * ScalarMath.Log(alpha) + _values.Length * ScalarMath.Log(lambda), residuals = _square, length = 0;
        for (int i = 0; i < _values.Length; i++)
        {
            double precision = lambda + alpha * _rows * _values[i], mean = alpha * _rows * _products[i] / precision;
            sum -= ScalarMath.Log(precision);
            length = Math.FusedMultiplyAdd(mean, mean, length);
            residuals = Math.FusedMultiplyAdd(mean, Math.FusedMultiplyAdd(_values[i], mean, -2 * _products[i]), residuals);
        }
        return (0.5 * (sum - alpha * _rows * residuals - lambda * length) - _rows * ScalarMath.HalfLogTwoPi) / _rows;
    }

    private static double Clamp(double precision) => Math.Clamp(double.IsNaN(precision) ? Most : precision, 1 / Most, Most);
}
