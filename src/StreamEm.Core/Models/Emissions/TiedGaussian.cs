using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components that share one covariance matrix. Parameters: <c>means [K, D]</c>, <c>covariances [D, D]</c>. Statistics (averages):
/// <c>first_moments [K, D]</c> = r x, <c>second_moments [P(D)]</c> = x x' over all rows. M-step: mu = S1 / N,
/// Sigma = (S2 - sum_k N_k mu_k mu_k') / sum N + reg_covar (McLachlan &amp; Peel 2000, section 3.9).
/// </summary>
public sealed class TiedGaussian : Emission
{
    private readonly CovarianceRegularization _regularization;
    private readonly VectorBlock _means, _covariance, _first, _second;

    /// <summary>K components over D features.</summary>
    public TiedGaussian(int components, int dimension, CovarianceRegularization regularization)
    {
        Components = components;
        Dimension = dimension;
        _regularization = regularization;
        ParameterLayout = new VectorLayout().Add("means", components, dimension).Add("covariances", dimension, dimension);
        StatisticsLayout = new VectorLayout().Add("first_moments", components, dimension).Add("second_moments", Packed.Length(dimension));
        (_means, _covariance) = (ParameterLayout["means"], ParameterLayout["covariances"]);
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
        var result = spent as FullGaussianEStep ?? new FullGaussianEStep(Components, Dimension, tied: true);
        result.Set(_means.Of(parameters), _covariance.Of(parameters));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, double effectiveRows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> first = _first.Of(statistics);
        Span<double> means = _means.Of(result), covariance = _covariance.Of(result);
        double total = 0;
        for (int k = 0; k < Components; k++)
        {
            total += masses[k];
            if (!GaussianMeans.HasEvidence(masses[k], effectiveRows, k, events)) continue;
            for (int d = 0; d < Dimension; d++) means[k * Dimension + d] = first[k * Dimension + d] / masses[k];
        }
        if (!(total * effectiveRows >= GaussianMeans.MinEvidence)) return;
        for (int i = 0, at = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double value = _second.Of(statistics)[at];
                for (int k = 0; k < Components; k++) value -= WithinCorrection(masses[k], means, first, k, i, j);
                value /= total;
                if (i == j) value += _regularization.Ridge[i];
                covariance[i * Dimension + j] = covariance[j * Dimension + i] = value;
            }
        int packed = Packed.Length(Dimension);
        Span<double> scratch = packed <= 512 ? stackalloc double[packed] : new double[packed];
        SymmetricMatrix.EnsurePositiveDefinite(covariance, Dimension, _regularization.Floor, scratch, -1, events);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), covariance = _covariance.Of(parameters);
        Span<double> first = _first.Of(result), second = _second.Of(result);
        double total = 0;
        for (int k = 0; k < Components; k++)
        {
            total += masses[k];
            for (int d = 0; d < Dimension; d++) first[k * Dimension + d] = masses[k] * means[k * Dimension + d];
        }
        for (int i = 0, at = 0; i < Dimension; i++)
            for (int j = 0; j <= i; j++, at++)
            {
                double value = total * (covariance[i * Dimension + j] - (i == j ? _regularization.Ridge[i] : 0));
                for (int k = 0; k < Components; k++)
                    value = Math.FusedMultiplyAdd(masses[k] * means[k * Dimension + i], means[k * Dimension + j], value);
                second[at] = value;
            }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Clear();
        for (int d = 0; d < Dimension; d++) _covariance.Of(result)[d * Dimension + d] = 1;
    }

    /// <inheritdoc/>
    /// <remarks>The shared covariance stays: it is learned from the other components.</remarks>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances) =>
        GaussianMeans.Reseed(_means.Of(parameters).Slice(component * Dimension, Dimension), location);

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.ToUserUnits(_means.Of(result), standardization);
        SymmetricMatrix.Scale(_covariance.Of(result), standardization.Scale, inverse: false);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.FromUserUnits(_means.Of(result), standardization);
        SymmetricMatrix.Validate(_covariance.Of(result), Dimension, 0);
        SymmetricMatrix.Scale(_covariance.Of(result), standardization.Scale, inverse: true);
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        for (int i = 0; i < variances.Length; i++)
            variances[i] = _covariance.Of(parameters)[i % Dimension * (Dimension + 1)];
    }

    /// <inheritdoc/>
    public override double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters) => SymmetricMatrix.MinEigenvalue(_covariance.Of(parameters), Dimension);

    /// <summary>
    /// What component k takes off S2[i, j]: N mu mu' at the maximiser; S1 mu' + mu S1' - N mu mu' where the mean was kept, so that the
    /// covariance is about the mean in force.
    /// </summary>
    private double WithinCorrection(double mass, ReadOnlySpan<double> means, ReadOnlySpan<double> first, int k, int i, int j)
    {
        double meanI = means[k * Dimension + i], meanJ = means[k * Dimension + j];
        return first[k * Dimension + i] * meanJ + meanI * (first[k * Dimension + j] - mass * meanJ);
    }
}
