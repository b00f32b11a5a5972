using System.Globalization;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// One pattern of observed (o) and missing (h) features under K Gaussian components: log p(x_o), E[x_h | x_o] = mu_h + B (x_o - mu_o) with
/// B = Sigma_ho Sigma_oo^-1, and Cov[x_h | x_o] = C = Sigma_hh - B Sigma_oh. Without C covariances would shrink (Little &amp; Rubin 2002,
/// section 11.2).
/// </summary>
/// <param name="components">K.</param>
/// <param name="dimension">D.</param>
/// <param name="tied">Whether there is one covariance for all.</param>
internal sealed class MissingPattern(int components, int dimension, bool tied)
{
    private readonly int[] _observed = new int[dimension], _missing = new int[dimension];
    private readonly double[] _constants = new double[components], _logDeterminants = new double[components];
    private readonly Lock _lock = new();
    private readonly double[] _means = new double[components * dimension];
    private int _observedCount, _missingCount;
    private long _generation = -1;

    /// <summary>
    /// Of every covariance: the packed inverse factor of Sigma_oo, B, the packed C, and L^-1 Sigma_oh on the way to them.
    /// </summary>
    private double[] _factors = [], _regressions = [], _conditional = [], _halves = [];

    /// <summary>Whether it stays with its pattern.</summary>
    public bool IsKept { get; init; }

    private ReadOnlySpan<int> Observed => _observed.AsSpan(0, _observedCount);

    private ReadOnlySpan<int> Missing => _missing.AsSpan(0, _missingCount);

    private int FactorLength => Packed.Length(_observedCount);

    private int RegressionLength => _missingCount * _observedCount;

    /// <summary>Becomes the pattern of a row's missing values (NaN); conditioned on nothing yet.</summary>
    public void Take(ReadOnlySpan<double> row)
    {
        (_observedCount, _missingCount, _generation) = (0, 0, -1);
        for (int d = 0; d < row.Length; d++)
        {
            if (double.IsNaN(row[d])) _missing[_missingCount++] = d;
            else _observed[_observedCount++] = d;
        }
        int matrices = tied ? 1 : components;
        Reserve(ref _factors, matrices * FactorLength);
        Reserve(ref _regressions, matrices * RegressionLength);
        Reserve(ref _conditional, matrices * Packed.Length(_missingCount));
        Reserve(ref _halves, RegressionLength);
    }

    /// <summary>Conditions on these parameters, once for every generation of them.</summary>
    public void Condition(ReadOnlyMemory<double> means, ReadOnlyMemory<double> covariances, long generation)
    {
        if (Volatile.Read(ref _generation) == generation) return;
        lock (_lock)
        {
            if (_generation == generation) return;
            means.Span.CopyTo(_means);
            int matrix = dimension * dimension;
            for (int k = 0; k < components; k++)
            {
                if (tied && k > 0) (_constants[k], _logDeterminants[k]) = (_constants[0], _logDeterminants[0]);
                else Condition(k, covariances.Span.Slice(k * matrix, matrix));
            }
            Volatile.Write(ref _generation, generation);
        }
    }

    /// <summary>Whether a row has just these missing values.</summary>
    public bool Matches(ReadOnlySpan<double> row)
    {
        foreach (int d in Observed) if (double.IsNaN(row[d])) return false;
        foreach (int d in Missing) if (!double.IsNaN(row[d])) return false;
        return true;
    }

    /// <summary>log p(x_o given z = k); 0 when nothing is observed.</summary>
    public double LogDensity(ReadOnlySpan<double> row, int component) => _constants[component] - 0.5 * Distance(row, component).Square;

    /// <summary>log |Sigma_oo| / 2.</summary>
    public double HalfLogDeterminant(int component) => _logDeterminants[component];

    /// <summary>(x_o - mu_o)' Sigma_oo^-1 (x_o - mu_o).</summary>
    public MeasuredDistance Distance(ReadOnlySpan<double> row, int component)
    {
        ReadOnlySpan<double> w = Of(_factors, component, FactorLength);
        double squares = 0;
        for (int i = 0, at = 0; i < _observedCount; i++)
        {
            double y = 0;
            for (int j = 0; j <= i; j++) y = Math.FusedMultiplyAdd(w[at++], Deviation(row, component, j), y);
            squares = Math.FusedMultiplyAdd(y, y, squares);
        }
        return new MeasuredDistance(squares, _observedCount);
    }

    /// <summary>How log p(x_o given z = k) is spread.</summary>
    public LogDensitySpread Spread(int component) => new(_constants[component], 0.5 * _observedCount, 0.5 * _observedCount);

    /// <summary>Adds r E[x] and r E[x] E[x]' + c Cov[x] given the observed values.</summary>
    /// <param name="row">D values, NaN = missing.</param>
    /// <param name="component">k.</param>
    /// <param name="r">The row's weight for component k.</param>
    /// <param name="c">The weight of the conditional covariance: r, but for a Student-t component.</param>
    /// <param name="expected">Scratch [D].</param>
    /// <param name="first">[D], added to.</param>
    /// <param name="second">[P(D)], added to.</param>
    public void AddMoments(ReadOnlySpan<double> row, int component, double r, double c, Span<double> expected, Span<double> first,
        Span<double> second)
    {
        row.CopyTo(expected);
        ReadOnlySpan<double> regression = Of(_regressions, component, RegressionLength);
        ReadOnlySpan<double> conditional = Of(_conditional, component, Packed.Length(_missingCount));
        for (int h = 0; h < _missingCount; h++)
        {
            double value = _means[component * dimension + _missing[h]];
            for (int o = 0; o < _observedCount; o++)
                value = Math.FusedMultiplyAdd(regression[h * _observedCount + o], Deviation(row, component, o), value);
            expected[_missing[h]] = value;
        }
        for (int i = 0, at = 0; i < dimension; i++)
        {
            double weighted = r * expected[i];
            first[i] += weighted;
            for (int j = 0; j <= i; j++, at++) second[at] = Math.FusedMultiplyAdd(weighted, expected[j], second[at]);
        }
        for (int i = 0; i < _missingCount; i++)
            for (int j = 0; j <= i; j++)
                second[Packed.Index(_missing[i], _missing[j])] += c * conditional[Packed.Index(i, j)];
    }

    private double Deviation(ReadOnlySpan<double> row, int component, int o) =>
        row[_observed[o]] - _means[component * dimension + _observed[o]];

    private Span<double> Of(double[] all, int component, int length) => all.AsSpan(tied ? 0 : component * length, length);

    private void Condition(int component, ReadOnlySpan<double> covariance)
    {
        int o = _observedCount, h = _missingCount;
        Span<double> factor = Of(_factors, component, FactorLength);
        for (int i = 0, at = 0; i < o; i++)
            for (int j = 0; j <= i; j++) factor[at++] = covariance[_observed[i] * dimension + _observed[j]];
        double logDeterminant = 0;
        int failed = Cholesky.Factor(factor, o, out double pivot);
        if (failed >= 0)
            throw new ArithmeticException(string.Create(CultureInfo.InvariantCulture,
                $"Covariance of component {component} is not positive definite (pivot {pivot:R} in row {_observed[failed]}). Increase "
                    + $"reg_covar or lower components."));
        for (int i = 0; i < o; i++) logDeterminant += ScalarMath.Log(factor[Packed.Index(i, i)]);
        Cholesky.InvertLower(factor, o);
        // half = L^-1 Sigma_oh [o x h]; B = half' L^-1; C = Sigma_hh - half' half.
        Span<double> half = _halves.AsSpan(0, RegressionLength), regression = Of(_regressions, component, RegressionLength);
        half.Clear();
        regression.Clear();
        for (int c = 0; c < h; c++)
            for (int i = 0; i < o; i++)
                for (int j = 0; j <= i; j++)
                    half[i * h + c] = Math.FusedMultiplyAdd(
                        factor[Packed.Index(i, j)], covariance[_observed[j] * dimension + _missing[c]], half[i * h + c]);
        for (int c = 0; c < h; c++)
            for (int j = 0; j < o; j++)
                for (int i = j; i < o; i++)
                    regression[c * o + j] = Math.FusedMultiplyAdd(half[i * h + c], factor[Packed.Index(i, j)], regression[c * o + j]);
        Span<double> conditional = Of(_conditional, component, Packed.Length(h));
        for (int a = 0, at = 0; a < h; a++)
            for (int b = 0; b <= a; b++, at++)
            {
                conditional[at] = covariance[_missing[a] * dimension + _missing[b]];
                for (int i = 0; i < o; i++) conditional[at] = Math.FusedMultiplyAdd(-half[i * h + a], half[i * h + b], conditional[at]);
            }
        (_constants[component], _logDeterminants[component]) = (-0.5 * o * ScalarMath.Log(2 * Math.PI) - logDeterminant, logDeterminant);
    }

    private static void Reserve(ref double[] values, int length)
    {
        if (values.Length < length) values = new double[length];
    }
}
