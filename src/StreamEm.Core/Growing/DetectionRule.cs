using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Growing;

/// <summary>
/// What a snapshot has to say beside its parameters for its records to be scored as the stream's were: see <see cref="GrowingMixture"/>.
/// </summary>
/// <param name="Floor">f: the variance of the floor, inside.</param>
/// <param name="BulkMean">b [D], inside.</param>
/// <param name="BulkVariance">v [D], inside.</param>
/// <param name="IsShared">Whether all components have one covariance.</param>
/// <param name="IsQuarantined">Whether each component holds what is not confirmed as normal [K].</param>
public sealed record DetectionRule(
    double Floor, IReadOnlyList<double> BulkMean, IReadOnlyList<double> BulkVariance, bool IsShared, IReadOnlyList<bool> IsQuarantined);

/// <summary>Scores rows by parameters and a <see cref="DetectionRule"/>. Immutable but for memory: one thread at a time.</summary>
internal sealed class DetectionScore
{
    private readonly DetectionRule _rule;
    private readonly double[] _weights, _means, _covariances, _factors, _halfVolumes, _mean, _variance, _off, _part;
    private readonly int _dimension, _components;
    private readonly double _top, _weight;

    /// <summary>Factors what is needed.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="weights">[K], sum 1.</param>
    /// <param name="means">[K, D], inside.</param>
    /// <param name="covariances">[K, D, D] full, inside.</param>
    /// <exception cref="ArithmeticException">A covariance is not positive definite.</exception>
    public DetectionScore(DetectionRule rule, double[] weights, double[] means, double[] covariances)
    {
        (_rule, _weights, _means, _covariances) = (rule, weights, means, covariances);
        (_components, _dimension) = (weights.Length, rule.BulkMean.Count);
        int packed = Packed.Length(_dimension), square = _dimension * _dimension;
        (_factors, _halfVolumes) = (new double[_components * packed], new double[_components]);
        (_mean, _variance, _off, _part) = ([.. rule.BulkMean], [.. rule.BulkVariance], new double[_dimension], new double[packed]);
        _top = GrowthRule.TopOf(_dimension, rule.Floor);
        for (int k = 0; k < _components; k++)
        {
            if (!rule.IsQuarantined[k]) _weight += weights[k];
            ReadOnlySpan<double> covariance = covariances.AsSpan(k * square, square);
            for (int i = 0, at = 0; i < _dimension; i++)
                for (int j = 0; j <= i; j++) _part[at++] = covariance[i * _dimension + j] + (i == j ? rule.Floor : 0);
            Factor(_part, _dimension, k);
            for (int i = 0; i < _dimension; i++) _halfVolumes[k] += ScalarMath.Log(_part[Packed.Index(i, i)]);
            Span<double> factor = _factors.AsSpan(k * packed, packed);
            for (int i = 0, at = 0; i < _dimension; i++)
                for (int j = 0; j <= i; j++) factor[at++] = covariance[i * _dimension + j];
            Factor(factor, _dimension, k);
            Cholesky.InvertLower(factor, _dimension);
        }
    }

    /// <summary>
    /// The abnormality y of a row as the log-density 3 - (e^y - 1) that a calibration takes; NaN for a row without any value.
    /// </summary>
    /// <param name="row">Inside, NaN = missing.</param>
    public double Density(ReadOnlySpan<double> row)
    {
        int observed = 0;
        foreach (double value in row)
            if (!double.IsNaN(value)) observed++;
        if (observed == 0) return double.NaN;
        double remote = _top + GrowthRule.RemotenessOf(row, _mean, _variance), largest = double.NegativeInfinity, sum = 0;
        Span<double> scoring = _components <= 128 ? stackalloc double[_components] : new double[_components];
        for (int k = 0; k < _components; k++)
        {
            scoring[k] = double.NegativeInfinity;
            if (_rule.IsQuarantined[k] || !(_weights[k] > 0)) continue;
            double square = GrowthRule.AsOfAll(Square(k, row, observed), observed, _dimension);
            scoring[k] = ScalarMath.Log(_weights[k])
                - 0.5 * (square + _dimension * GrowthRule.LogTwoPi) - GrowthRule.VolumeShare * _halfVolumes[k];
            largest = Math.Max(largest, scoring[k]);
        }
        foreach (double density in scoring) sum += ScalarMath.Exp(density - largest);
        return 3 - Math.Max(0, remote - largest - ScalarMath.Log(sum) + ScalarMath.Log(_weight));
    }

    private double Square(int k, ReadOnlySpan<double> row, int observed)
    {
        int packed = _part.Length, count = 0;
        Span<double> factor = _factors.AsSpan(k * packed, packed);
        if (observed < _dimension) factor = Known(k, row);
        for (int d = 0; d < _dimension; d++)
            if (!double.IsNaN(row[d])) _off[count++] = row[d] - _means[k * _dimension + d];
        double sum = 0;
        for (int i = 0, at = 0; i < count; i++)
        {
            double value = 0;
            for (int j = 0; j <= i; j++) value += factor[at++] * _off[j];
            sum += value * value;
        }
        return sum;
    }

    /// <summary>The inverse factor of the covariance of the values there are.</summary>
    private Span<double> Known(int k, ReadOnlySpan<double> row)
    {
        int at = 0, count = 0;
        for (int i = 0; i < _dimension; i++)
        {
            if (double.IsNaN(row[i])) continue;
            count++;
            for (int j = 0; j <= i; j++)
                if (!double.IsNaN(row[j])) _part[at++] = _covariances[(k * _dimension + i) * _dimension + j];
        }
        Span<double> part = _part.AsSpan(0, at);
        Factor(part, count, k);
        Cholesky.InvertLower(part, count);
        return part;
    }

    private static void Factor(Span<double> packed, int dimension, int k)
    {
        if (Cholesky.Factor(packed, dimension, out double pivot) >= 0)
            throw new ArithmeticException(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"The covariance of component {k} is not positive definite: a pivot is {pivot:R}."));
    }
}
