using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// One pattern of observed (o) and missing (h) features under K Gaussian components: log p(x_o), E[x_h | x_o] = mu_h + B (x_o - mu_o) with
/// B = Sigma_ho Sigma_oo^-1, and Cov[x_h | x_o] = C = Sigma_hh - B Sigma_oh. Without C covariances would shrink (Little &amp; Rubin 2002, section 11.2).
/// </summary>
internal sealed class MissingPattern
{
    private readonly int _dimension;
    private readonly double[] _means;
    private readonly int[] _observed, _missing;
    private readonly double[][] _factors, _regressions, _conditional;
    private readonly double[] _constants;

    public MissingPattern(int components, int dimension, double[] means, ReadOnlySpan<double> covariances, bool tied, ReadOnlySpan<double> row)
    {
        _dimension = dimension;
        _means = means;
        var observed = new List<int>();
        var missing = new List<int>();
        for (int d = 0; d < dimension; d++) (double.IsNaN(row[d]) ? missing : observed).Add(d);
        (_observed, _missing) = ([.. observed], [.. missing]);
        _factors = new double[components][];
        _regressions = new double[components][];
        _conditional = new double[components][];
        _constants = new double[components];
        for (int k = 0; k < components; k++)
        {
            if (tied && k > 0)
                (_factors[k], _regressions[k], _conditional[k], _constants[k]) = (_factors[0], _regressions[0], _conditional[0], _constants[0]);
            else
                Condition(k, covariances.Slice(tied ? 0 : k * dimension * dimension, dimension * dimension));
        }
    }

    /// <summary>Whether a row has just these missing values.</summary>
    public bool Matches(ReadOnlySpan<double> row)
    {
        foreach (int d in _observed) if (double.IsNaN(row[d])) return false;
        foreach (int d in _missing) if (!double.IsNaN(row[d])) return false;
        return true;
    }

    /// <summary>log p(x_o given z = k); 0 when nothing is observed.</summary>
    public double LogDensity(ReadOnlySpan<double> row, int component)
    {
        double[] w = _factors[component];
        double squares = 0;
        for (int i = 0, at = 0; i < _observed.Length; i++)
        {
            double y = 0;
            for (int j = 0; j <= i; j++) y = Math.FusedMultiplyAdd(w[at++], Deviation(row, component, j), y);
            squares = Math.FusedMultiplyAdd(y, y, squares);
        }
        return _constants[component] - 0.5 * squares;
    }

    /// <summary>Adds r E[x] and r (E[x] E[x]' + Cov[x]) given the observed values.</summary>
    /// <param name="row">D values, NaN = missing.</param>
    /// <param name="component">k.</param>
    /// <param name="r">The row's weight for component k.</param>
    /// <param name="expected">Scratch [D].</param>
    /// <param name="first">[D], added to.</param>
    /// <param name="second">[P(D)], added to.</param>
    public void AddMoments(ReadOnlySpan<double> row, int component, double r, Span<double> expected, Span<double> first, Span<double> second)
    {
        row.CopyTo(expected);
        double[] regression = _regressions[component], conditional = _conditional[component];
        for (int h = 0; h < _missing.Length; h++)
        {
            double value = _means[component * _dimension + _missing[h]];
            for (int o = 0; o < _observed.Length; o++)
                value = Math.FusedMultiplyAdd(regression[h * _observed.Length + o], Deviation(row, component, o), value);
            expected[_missing[h]] = value;
        }
        for (int i = 0, at = 0; i < _dimension; i++)
        {
            double weighted = r * expected[i];
            first[i] += weighted;
            for (int j = 0; j <= i; j++, at++) second[at] = Math.FusedMultiplyAdd(weighted, expected[j], second[at]);
        }
        for (int i = 0; i < _missing.Length; i++)
            for (int j = 0; j <= i; j++)
                second[Packed.Index(_missing[i], _missing[j])] += r * conditional[Packed.Index(i, j)];
    }

    private double Deviation(ReadOnlySpan<double> row, int component, int o) => row[_observed[o]] - _means[component * _dimension + _observed[o]];

    private void Condition(int component, ReadOnlySpan<double> covariance)
    {
        int o = _observed.Length, h = _missing.Length;
        double[] factor = new double[Packed.Length(o)];
        for (int i = 0, at = 0; i < o; i++)
            for (int j = 0; j <= i; j++) factor[at++] = covariance[_observed[i] * _dimension + _observed[j]];
        double logDeterminant = 0;
        int failed = Cholesky.Factor(factor, o, out double pivot);
        if (failed >= 0)
            throw new ArithmeticException(FormattableString.Invariant(
                $"Covariance of component {component} is not positive definite (pivot {pivot:R} in row {_observed[failed]}). Increase reg_covar or lower components."));
        for (int i = 0; i < o; i++) logDeterminant += Math.Log(factor[Packed.Index(i, i)]);
        Cholesky.InvertLower(factor, o);
        // half = L^-1 Sigma_oh [o x h]; B = half' L^-1; C = Sigma_hh - half' half.
        double[] half = new double[o * h];
        for (int c = 0; c < h; c++)
            for (int i = 0; i < o; i++)
                for (int j = 0; j <= i; j++)
                    half[i * h + c] = Math.FusedMultiplyAdd(factor[Packed.Index(i, j)], covariance[_observed[j] * _dimension + _missing[c]], half[i * h + c]);
        double[] regression = new double[h * o];
        for (int c = 0; c < h; c++)
            for (int j = 0; j < o; j++)
                for (int i = j; i < o; i++)
                    regression[c * o + j] = Math.FusedMultiplyAdd(half[i * h + c], factor[Packed.Index(i, j)], regression[c * o + j]);
        double[] conditional = new double[Packed.Length(h)];
        for (int a = 0, at = 0; a < h; a++)
            for (int b = 0; b <= a; b++, at++)
            {
                conditional[at] = covariance[_missing[a] * _dimension + _missing[b]];
                for (int i = 0; i < o; i++) conditional[at] = Math.FusedMultiplyAdd(-half[i * h + a], half[i * h + b], conditional[at]);
            }
        _factors[component] = factor;
        _regressions[component] = regression;
        _conditional[component] = conditional;
        _constants[component] = -0.5 * o * Math.Log(2 * Math.PI) - logDeterminant;
    }
}
