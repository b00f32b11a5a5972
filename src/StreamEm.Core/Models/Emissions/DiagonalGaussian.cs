using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with independent features. Parameters: <c>means [K, D]</c>, <c>covariances [K, D]</c> (variances). Statistics
/// (averages): <c>observed [K, D]</c> = r where the feature is present, <c>first_moments [K, D]</c> = r x, <c>second_moments [K, D]</c> = r x^2.
/// A missing value is left out of its feature's sums, which is exact here because features are independent given the component.
/// M-step: mu = S1 / O, sigma^2 = S2 / O - mu^2 + reg_covar.
/// </summary>
public sealed class DiagonalGaussian : Emission
{
    private readonly CovarianceRegularization _regularization;
    private readonly VectorBlock _means, _variances, _observed, _first, _second;

    /// <summary>K components over D features.</summary>
    public DiagonalGaussian(int components, int dimension, CovarianceRegularization regularization)
    {
        Components = components;
        Dimension = dimension;
        _regularization = regularization;
        ParameterLayout = new VectorLayout().Add("means", components, dimension).Add("covariances", components, dimension);
        StatisticsLayout = new VectorLayout()
            .Add("observed", components, dimension).Add("first_moments", components, dimension).Add("second_moments", components, dimension);
        (_means, _variances) = (ParameterLayout["means"], ParameterLayout["covariances"]);
        (_observed, _first, _second) = (StatisticsLayout["observed"], StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);
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
        var result = spent as DiagonalGaussianEStep ?? new DiagonalGaussianEStep(Components, Dimension);
        result.Set(_means.Of(parameters.Span), _variances.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, double effectiveRows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> observed = _observed.Of(statistics), first = _first.Of(statistics), second = _second.Of(statistics);
        Span<double> means = _means.Of(result), variances = _variances.Of(result);
        for (int k = 0; k < Components; k++)
        {
            if (!GaussianMeans.HasEvidence(masses[k], effectiveRows, k, events)) continue;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                if (observed[at] * effectiveRows < GaussianMeans.MinEvidence) continue;
                double mean = means[at] = first[at] / observed[at];
                variances[at] = second[at] / observed[at] - mean * mean + _regularization.Ridge[d];
                if (variances[at] >= DiagonalFloor(d)) continue;
                events.Add(ModelEventKind.CovarianceFloored, k, variances[at]);
                variances[at] = _regularization.Floor;
            }
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), variances = _variances.Of(parameters);
        for (int at = 0; at < means.Length; at++)
        {
            double mass = masses[at / Dimension];
            _observed.Of(result)[at] = mass;
            _first.Of(result)[at] = mass * means[at];
            _second.Of(result)[at] = mass * Math.FusedMultiplyAdd(means[at], means[at], variances[at] - _regularization.Ridge[at % Dimension]);
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        _means.Of(result).Clear();
        _variances.Of(result).Fill(1);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        GaussianMeans.Reseed(_means.Of(parameters).Slice(component * Dimension, Dimension), location);
        variances.CopyTo(_variances.Of(parameters)[(component * Dimension)..]);
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.ToUserUnits(_means.Of(result), standardization);
        Span<double> variances = _variances.Of(result);
        for (int at = 0; at < variances.Length; at++)
            variances[at] *= standardization.Scale[at % Dimension] * standardization.Scale[at % Dimension];
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.FromUserUnits(_means.Of(result), standardization);
        Span<double> variances = _variances.Of(result);
        for (int at = 0; at < variances.Length; at++)
        {
            if (!(variances[at] > 0))
                throw new ArgumentException(FormattableString.Invariant(
                    $"Variance of component {at / Dimension}, feature {at % Dimension} is {variances[at]:R}; expected a positive number."));
            variances[at] /= standardization.Scale[at % Dimension] * standardization.Scale[at % Dimension];
        }
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        _variances.Of(parameters).CopyTo(variances);
    }

    /// <inheritdoc/>
    public override double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters)
    {
        double smallest = double.PositiveInfinity;
        foreach (double variance in _variances.Of(parameters)) smallest = Math.Min(smallest, variance);
        return smallest;
    }

    /// <summary>A variance below what rounding leaves of S2 - mu^2 is noise: it is raised to the floor.</summary>
    private double DiagonalFloor(int feature) => Math.Max(_regularization.Ridge[feature] * 0.5, _regularization.Floor * 1e-6);
}
