using System.Runtime.Intrinsics;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Growing;

/// <summary>Covariances with their floor, and what distances are made with. They follow from the rest.</summary>
internal sealed partial class GrowingComponents
{
    private readonly List<int> _known = [], _missing = [];
    private double[] _ofKnown = [], _solved = [];

    /// <summary>
    /// Squared Mahalanobis distance over the values a row has, as that of a whole row as improbable (<see cref="GrowthRule.AsOfAll"/>).
    /// </summary>
    public double PartialSquare(int k, ReadOnlySpan<double> row)
    {
        Solve(k, row);
        double sum = 0;
        for (int i = 0, at = 0; i < _known.Count; i++)
        {
            double value = 0;
            for (int j = 0; j <= i; j++) value += _ofKnown[at++] * _off[j];
            sum += value * value;
        }
        return GrowthRule.AsOfAll(sum, _known.Count, _dimension);
    }

    /// <summary>What a row's missing values are expected to be under a component, and their covariance given the others: m_h + G e, V_hh -
    /// G V_oh, G = V_ho V_oo^-1.</summary>
    /// <param name="k">Which.</param>
    /// <param name="row">NaN = missing.</param>
    /// <param name="filled">The row with these in their places.</param>
    /// <param name="conditional">C [D, D], 0 where nothing is missing.</param>
    public void Fill(int k, ReadOnlySpan<double> row, Span<double> filled, Span<double> conditional)
    {
        Solve(k, row);
        row.CopyTo(filled);
        conditional.Clear();
        int known = _known.Count;
        // y = A V_oh for every missing feature, A the inverse factor of V_oo: G e = y' A e, G V_oh = y' y.
        if (_solved.Length < _dimension * Math.Max(1, known)) _solved = new double[_dimension * _dimension];
        ReadOnlySpan<double> covariance = Covariance(k);
        for (int h = 0; h < _missing.Count; h++)
        {
            double expected = Mean(k)[_missing[h]];
            for (int i = 0, at = 0; i < known; i++)
            {
                double value = 0, residual = 0;
                for (int j = 0; j <= i; j++, at++)
                {
                    value += _ofKnown[at] * covariance[_missing[h] * _dimension + _known[j]];
                    residual += _ofKnown[at] * _off[j];
                }
                _solved[h * known + i] = value;
                expected += value * residual;
            }
            filled[_missing[h]] = expected;
        }
        for (int g = 0; g < _missing.Count; g++)
            for (int h = 0; h < _missing.Count; h++)
            {
                double value = covariance[_missing[g] * _dimension + _missing[h]];
                for (int i = 0; i < known; i++) value -= _solved[g * known + i] * _solved[h * known + i];
                conditional[_missing[g] * _dimension + _missing[h]] = value;
            }
    }

    /// <summary>log w N(x_o; m_o, V_oo) of the values a row has.</summary>
    public double PartialLogDensity(int k, ReadOnlySpan<double> row)
    {
        Solve(k, row);
        double sum = _known.Count * GrowthRule.LogTwoPi;
        for (int i = 0, at = 0; i < _known.Count; i++)
        {
            double value = 0;
            for (int j = 0; j <= i; j++) value += _ofKnown[at++] * _off[j];
            // The factor is inverse: its diagonal has the roots of the pivots below 1.
            sum += value * value - 2 * ScalarMath.Log(_ofKnown[at - 1]);
        }
        return ScalarMath.Log(Weights[k]) - 0.5 * sum;
    }

    /// <summary>Copies the covariances in their form: [K, D, D], [D, D] shared, [K, D] of features that do not covary, [K] of all alike.
    /// </summary>
    public void CopyCovariances(Span<double> result)
    {
        for (int form = 0, at = 0; at < result.Length; form++)
        {
            ReadOnlySpan<double> covariance = _covariances.AsSpan(form * _square, _square);
            if (_rule.Growth.IsIsotropic) result[at++] = covariance[0];
            else if (_rule.Growth.IsDiagonal) for (int d = 0; d < _dimension; d++) result[at++] = covariance[d * _dimension + d];
            else foreach (double value in covariance) result[at++] = value;
        }
    }

    /// <summary>The inverse factor of V_oo, and the values' distances from the mean.</summary>
    private void Solve(int k, ReadOnlySpan<double> row)
    {
        _known.Clear();
        _missing.Clear();
        for (int d = 0; d < row.Length; d++) (double.IsNaN(row[d]) ? _missing : _known).Add(d);
        if (_ofKnown.Length < _packed) _ofKnown = new double[_packed];
        ReadOnlySpan<double> covariance = Covariance(k), mean = Mean(k);
        int at = 0;
        for (int i = 0; i < _known.Count; i++)
        {
            _off[i] = row[_known[i]] - mean[_known[i]];
            for (int j = 0; j <= i; j++) _ofKnown[at++] = covariance[_known[i] * _dimension + _known[j]];
        }
        Span<double> part = _ofKnown.AsSpan(0, at);
        if (Cholesky.Factor(part, _known.Count, out double pivot) >= 0) throw NotPositive(k, pivot);
        Cholesky.InvertLower(part, _known.Count);
    }

    private void RefreshAll()
    {
        if (_rule.Growth.IsShared && Count > 0) Refresh(0);
        for (int k = 0; k < Count && !_rule.Growth.IsShared; k++) Refresh(k);
    }

    /// <summary>What follows from one component; where they share a covariance, from all.</summary>
    private void Refresh(int k)
    {
        if (!_rule.Growth.IsShared)
        {
            if (_dimension == 1)
            {
                RefreshOne(k);
                return;
            }
            Factor(k, Weights[k], Scatter(k));
            SetBases(k, ScalarMath.Log(Weights[k]));
            return;
        }
        FactorPooled();
        for (int other = 0; other < Count; other++) SetBases(other, ScalarMath.Log(Weights[other]));
    }

    private void SetBases(int k, double logWeight)
    {
        double constant = _dimension * GrowthRule.LogTwoPi;
        LearningBases[k] = logWeight - 0.5 * (_logVolumes[Form(k)] + constant);
        ScoringBases[k] = logWeight - 0.5 * (GrowthRule.VolumeShare * _floored[Form(k)] + constant);
    }

    /// <summary>The same for one feature: its three logarithms side by side.</summary>
    private void RefreshOne(int k)
    {
        double variance = _scatters[k] * Weights[k] / (Weights[k] + _rule.PriorRecords) + FloorOf(Weights[k]);
        (_covariances[k], _factors[k]) = (variance, 1 / Math.Sqrt(variance));
        Vector256<double> logs = VectorLog.Log<Lanes4, Vector256<double>>(
            Vector256.Create(Weights[k], variance, variance + _rule.Floor, 1));
        (_logVolumes[k], _floored[k]) = (logs[1], logs[2]);
        SetBases(k, logs[0]);
    }

    /// <summary>What the floor is worth beside so many records: f max(nu / (w + nu), kappa).</summary>
    private double FloorOf(double weight) =>
        _rule.Floor * Math.Max(_rule.PriorRecords / (weight + _rule.PriorRecords), GrowthRule.LeastFloor);

    /// <summary>The covariance shared by all: S averaged by w, the floor that of all records.</summary>
    private void FactorPooled()
    {
        Span<double> pooled = _square <= 256 ? stackalloc double[_square] : new double[_square];
        pooled.Clear();
        double total = 0;
        for (int k = 0; k < Count; k++) total += Weights[k];
        for (int k = 0; k < Count; k++)
            for (int at = 0; at < _square; at++) pooled[at] += Weights[k] / total * _scatters[k * _square + at];
        Factor(0, total, pooled);
    }

    /// <summary>V, its inverse factor and its volumes.</summary>
    private void Factor(int form, double weight, ReadOnlySpan<double> scatter)
    {
        double share = weight / (weight + _rule.PriorRecords), floor = FloorOf(weight), trace = 0;
        Span<double> covariance = _covariances.AsSpan(form * _square, _square), factor = _factors.AsSpan(form * _packed, _packed);
        for (int d = 0; d < _dimension; d++) trace += scatter[d * _dimension + d];
        bool isDiagonal = _rule.Growth.IsDiagonal || _rule.Growth.IsIsotropic;
        for (int i = 0, at = 0; i < _dimension; i++)
            for (int j = 0; j < _dimension; j++, at++)
            {
                double value = i != j ? isDiagonal ? 0 : scatter[at] : _rule.Growth.IsIsotropic ? trace / _dimension : scatter[at];
                covariance[at] = share * value + (i == j ? floor : 0);
            }
        _floored[form] = FactorInto(_scratch, covariance, _rule.Floor, form);
        _logVolumes[form] = FactorInto(factor, covariance, 0, form);
        Cholesky.InvertLower(factor, _dimension);
    }

    /// <summary>Factors a matrix with something added to its diagonal; returns log det.</summary>
    private double FactorInto(Span<double> packed, ReadOnlySpan<double> matrix, double added, int k)
    {
        for (int i = 0, at = 0; i < _dimension; i++)
            for (int j = 0; j <= i; j++) packed[at++] = matrix[i * _dimension + j] + (i == j ? added : 0);
        if (Cholesky.Factor(packed, _dimension, out double pivot) >= 0) throw NotPositive(k, pivot);
        double sum = 0;
        for (int i = 0; i < _dimension; i++) sum += ScalarMath.Log(packed[Packed.Index(i, i)]);
        return 2 * sum;
    }

    private void CopyForm(int from, int to)
    {
        _covariances.AsSpan(from * _square, _square).CopyTo(_covariances.AsSpan(to * _square));
        _factors.AsSpan(from * _packed, _packed).CopyTo(_factors.AsSpan(to * _packed));
        (_logVolumes[to], _floored[to]) = (_logVolumes[from], _floored[from]);
    }

    private ArithmeticException NotPositive(int k, double pivot) => new(
        string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"The covariance of component c{Numbers[k]} is not positive definite: a pivot is {pivot:R}."));
}
