using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with a covariance matrix each: log p(x) = -(D log 2 pi + log |Sigma| + (x - mu)' Sigma^-1 (x - mu)) / 2.
/// Parameters: <c>means [K, D]</c>, <c>covariances [K, D, D]</c>. Statistics (averages): <c>first_moments [K, D]</c> = r x and
/// <c>second_moments [K, P(D)]</c> = r x x', packed lower triangles. A row with missing values enters with its conditional mean and
/// conditional covariance (Little &amp; Rubin 2002, section 11.2). M-step: mu = S1 / N, Sigma = S2 / N - mu mu' + reg_covar.
/// </summary>
internal sealed class FullGaussian : Gaussian
{
    private readonly VectorBlock _first, _second;

    /// <summary>K components over D features.</summary>
    public FullGaussian(int components, int dimension, CovarianceRegularization regularization)
        : base(
            components, dimension, regularization,
            new VectorLayout().Add("covariances", Units.Product, Domain.PositiveDefinite, components, dimension, dimension),
            new VectorLayout().Add("first_moments", components, dimension).Add("second_moments", components, Packed.Length(dimension))) =>
        (_first, _second) = (StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as FullGaussianEStep ?? new FullGaussianEStep(Components, Dimension, tied: false);
        result.Set(Means.Of(parameters), Covariances.Of(parameters));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        int matrix = Dimension * Dimension, packed = Packed.Length(Dimension);
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            Span<double> mean = Means.Of(result).Slice(k * Dimension, Dimension);
            Span<double> covariance = Covariances.Of(result).Slice(k * matrix, matrix);
            ReadOnlySpan<double> first = _first.Of(statistics).Slice(k * Dimension, Dimension);
            ReadOnlySpan<double> second = _second.Of(statistics).Slice(k * packed, packed);
            for (int d = 0; d < Dimension; d++) mean[d] = first[d] / masses[k];
            Scatter(second, 1 / masses[k], mean, covariance);
            if (SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, Regularization.Floor, scratch) is { } smallest)
                events.Add(ModelEventKind.CovarianceFloored, k, smallest);
        }
    }

    /// <summary>covariance = S2 / N - mu mu' + ridge: the lower triangle along rows, then its mirror image.</summary>
    private void Scatter(ReadOnlySpan<double> second, double inverseMass, ReadOnlySpan<double> mean, Span<double> covariance)
    {
        for (int i = 0, at = 0; i < Dimension; at += ++i)
        {
            double meanI = mean[i];
            ReadOnlySpan<double> sums = second.Slice(at, i + 1);
            Span<double> row = covariance.Slice(i * Dimension, i + 1);
            for (int j = 0; j < row.Length; j++) row[j] = sums[j] * inverseMass - meanI * mean[j];
            row[i] += Regularization.Ridge[i];
        }
        for (int i = 0; i < Dimension; i++)
            for (int j = i + 1; j < Dimension; j++) covariance[i * Dimension + j] = covariance[j * Dimension + i];
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), covariances = Covariances.Of(parameters);
        Span<double> first = _first.Of(result), second = _second.Of(result);
        for (int k = 0, at = 0; k < Components; k++)
        {
            for (int i = 0; i < Dimension; i++)
            {
                double mean = means[k * Dimension + i];
                first[k * Dimension + i] = masses[k] * mean;
                for (int j = 0; j <= i; j++)
                {
                    double covariance = covariances[(k * Dimension + i) * Dimension + j] - (i == j ? Regularization.Ridge[i] : 0);
                    second[at++] = masses[k] * Math.FusedMultiplyAdd(mean, means[k * Dimension + j], covariance);
                }
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>Along the first principal axis in the units given, whose eigenvalue there becomes three quarters of what it was.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int size = Dimension * Dimension;
        double[] scaled = Covariances.Of(parameters).Slice(component * size, size).ToArray();
        SymmetricMatrix.Scale(scaled, units, inverse: true);
        double[] axis = SymmetricMatrix.LongestAxis(scaled, Dimension);
        for (int d = 0; d < Dimension; d++) axis[d] *= units[d];
        for (int i = 0; i < Dimension; i++)
        {
            Means.Of(parameters)[component * Dimension + i] -= SplitStep * axis[i];
            Means.Of(parameters)[other * Dimension + i] += SplitStep * axis[i];
            for (int j = 0; j < Dimension; j++)
                foreach (int k in (ReadOnlySpan<int>)[component, other])
                    Covariances.Of(parameters)[k * size + i * Dimension + j] -= SplitStep * SplitStep * axis[i] * axis[j];
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        Span<double> covariances = Covariances.Of(result);
        for (int k = 0; k < Components; k++)
            for (int d = 0; d < Dimension; d++) covariances[(k * Dimension + d) * Dimension + d] = 1;
    }

    /// <inheritdoc/>
    private protected override double Variance(ReadOnlySpan<double> parameters, int component, int feature) =>
        Covariances.Of(parameters)[(component * Dimension + feature) * Dimension + feature];

    /// <inheritdoc/>
    private protected override void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances)
    {
        Span<double> covariance = Covariances.Of(parameters).Slice(component * Dimension * Dimension, Dimension * Dimension);
        covariance.Clear();
        for (int d = 0; d < Dimension; d++) covariance[d * Dimension + d] = variances[d];
    }
}
