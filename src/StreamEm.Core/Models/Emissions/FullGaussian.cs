using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with a covariance matrix each: log p(x) = -(D log 2 pi + log |Sigma| + (x - mu)' Sigma^-1 (x - mu)) / 2.
/// Parameters: <c>means [K, D]</c>, <c>covariances [K, D, D]</c>. Statistics (averages): <c>first_moments [K, D]</c> = r x and
/// <c>second_moments [K, P(D)]</c> = r x x', packed lower triangles. A row with missing values enters with its conditional mean and
/// conditional covariance (Little &amp; Rubin 2002, section 11.2). M-step: mu = S1 / N, Sigma = S2 / N - mu mu' + reg_covar.
/// </summary>
public sealed class FullGaussian : Emission
{
    private readonly CovarianceRegularization _regularization;
    private readonly VectorBlock _means, _covariances, _first, _second;

    /// <summary>K components over D features.</summary>
    public FullGaussian(int components, int dimension, CovarianceRegularization regularization)
    {
        Components = components;
        Dimension = dimension;
        _regularization = regularization;
        ParameterLayout = new VectorLayout().Add("means", components, dimension).Add("covariances", components, dimension, dimension);
        StatisticsLayout = new VectorLayout().Add("first_moments", components, dimension).Add("second_moments", components, Packed.Length(dimension));
        (_means, _covariances) = (ParameterLayout["means"], ParameterLayout["covariances"]);
        (_first, _second) = (StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);
    }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <inheritdoc/>
    public override int Components { get; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as FullGaussianEStep ?? new FullGaussianEStep(Components, Dimension, tied: false);
        result.Set(_means.Of(parameters), _covariances.Of(parameters));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, double effectiveRows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        int matrix = Dimension * Dimension, packed = Packed.Length(Dimension);
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        for (int k = 0; k < Components; k++)
        {
            if (!GaussianMeans.HasEvidence(masses[k], effectiveRows, k, events)) continue;
            Span<double> mean = _means.Of(result).Slice(k * Dimension, Dimension);
            Span<double> covariance = _covariances.Of(result).Slice(k * matrix, matrix);
            ReadOnlySpan<double> first = _first.Of(statistics).Slice(k * Dimension, Dimension);
            ReadOnlySpan<double> second = _second.Of(statistics).Slice(k * packed, packed);
            for (int d = 0; d < Dimension; d++) mean[d] = first[d] / masses[k];
            Scatter(second, 1 / masses[k], mean, covariance);
            SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, _regularization.Floor, scratch, k, events);
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
            row[i] += _regularization.Ridge[i];
        }
        for (int i = 0; i < Dimension; i++)
            for (int j = i + 1; j < Dimension; j++) covariance[i * Dimension + j] = covariance[j * Dimension + i];
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), covariances = _covariances.Of(parameters);
        Span<double> first = _first.Of(result), second = _second.Of(result);
        for (int k = 0, at = 0; k < Components; k++)
        {
            for (int i = 0; i < Dimension; i++)
            {
                double mean = means[k * Dimension + i];
                first[k * Dimension + i] = masses[k] * mean;
                for (int j = 0; j <= i; j++)
                {
                    double covariance = covariances[(k * Dimension + i) * Dimension + j] - (i == j ? _regularization.Ridge[i] : 0);
                    second[at++] = masses[k] * Math.FusedMultiplyAdd(mean, means[k * Dimension + j], covariance);
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        Span<double> covariances = _covariances.Of(result);
        for (int k = 0; k < Components; k++)
            for (int d = 0; d < Dimension; d++) covariances[(k * Dimension + d) * Dimension + d] = 1;
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        GaussianMeans.Reseed(_means.Of(parameters).Slice(component * Dimension, Dimension), location);
        Span<double> covariance = _covariances.Of(parameters).Slice(component * Dimension * Dimension, Dimension * Dimension);
        covariance.Clear();
        for (int d = 0; d < Dimension; d++) covariance[d * Dimension + d] = variances[d];
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.ToUserUnits(_means.Of(result), standardization);
        int matrix = Dimension * Dimension;
        for (int k = 0; k < Components; k++) SymmetricMatrix.Scale(_covariances.Of(result).Slice(k * matrix, matrix), standardization.Scale, inverse: false);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.FromUserUnits(_means.Of(result), standardization);
        int matrix = Dimension * Dimension;
        for (int k = 0; k < Components; k++)
        {
            Span<double> covariance = _covariances.Of(result).Slice(k * matrix, matrix);
            SymmetricMatrix.Validate(covariance, Dimension, k);
            SymmetricMatrix.Scale(covariance, standardization.Scale, inverse: true);
        }
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        ReadOnlySpan<double> covariances = _covariances.Of(parameters);
        for (int i = 0; i < variances.Length; i++)
            variances[i] = covariances[i * Dimension + i % Dimension];
    }

    /// <inheritdoc/>
    public override double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters) => SymmetricMatrix.MinEigenvalueOfAll(_covariances.Of(parameters), Dimension);
}
