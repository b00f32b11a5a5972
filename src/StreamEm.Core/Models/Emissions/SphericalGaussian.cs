using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with one variance each. Parameters: <c>means [K, D]</c>, <c>covariances [K]</c>, and the constant <c>scale [D]</c>:
/// the variance of feature d is covariances[k] * scale[d]^2. Inside, scale is 1; in the user's units it is 1 too when all features share one
/// scale, else the standardisation's, because a sphere in standardised units is none in the user's. Statistics (averages):
/// <c>observed [K, D]</c>, <c>first_moments [K, D]</c>, <c>second_moments [K]</c> = r |x_o|^2.
/// M-step: mu = S1 / O, sigma^2 = (S2 - sum_d O_d mu_d^2) / sum_d O_d + reg_covar.
/// </summary>
public sealed class SphericalGaussian : Emission
{
    private readonly CovarianceRegularization _regularization;
    private readonly double _ridge;
    private readonly VectorBlock _means, _variances, _scale, _observed, _first, _second;

    /// <summary>K components over D features.</summary>
    public SphericalGaussian(int components, int dimension, CovarianceRegularization regularization)
    {
        Components = components;
        Dimension = dimension;
        _regularization = regularization;
        _ridge = regularization.Ridge.Average();
        ParameterLayout = new VectorLayout().Add("means", components, dimension).Add("covariances", components).Add("scale", dimension);
        StatisticsLayout = new VectorLayout()
            .Add("observed", components, dimension).Add("first_moments", components, dimension).Add("second_moments", components);
        (_means, _variances, _scale) = (ParameterLayout["means"], ParameterLayout["covariances"], ParameterLayout["scale"]);
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
        var result = spent as SphericalGaussianEStep ?? new SphericalGaussianEStep(Components, Dimension);
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
            double squares = second[k], cells = 0;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                if (observed[at] * effectiveRows >= GaussianMeans.MinEvidence) means[at] = first[at] / observed[at];
                squares -= means[at] * (2 * first[at] - observed[at] * means[at]);
                cells += observed[at];
            }
            variances[k] = squares / cells + _ridge;
            if (variances[k] >= Math.Max(_ridge * 0.5, _regularization.Floor * 1e-6)) continue;
            events.Add(ModelEventKind.CovarianceFloored, k, variances[k]);
            variances[k] = _regularization.Floor;
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), variances = _variances.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            double squares = Dimension * (variances[k] - _ridge);
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                _observed.Of(result)[at] = masses[k];
                _first.Of(result)[at] = masses[k] * means[at];
                squares = Math.FusedMultiplyAdd(means[at], means[at], squares);
            }
            _second.Of(result)[k] = masses[k] * squares;
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Fill(1);
        _means.Of(result).Clear();
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        GaussianMeans.Reseed(_means.Of(parameters).Slice(component * Dimension, Dimension), location);
        double sum = 0;
        foreach (double variance in variances) sum += variance;
        _variances.Of(parameters)[component] = sum / Dimension;
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.ToUserUnits(_means.Of(result), standardization);
        double common = standardization.Scale[0];
        if (standardization.Scale.All(scale => scale == common))
        {
            Span<double> variances = _variances.Of(result);
            for (int k = 0; k < Components; k++) variances[k] *= common * common;
            return;
        }
        Span<double> scales = _scale.Of(result);
        for (int d = 0; d < Dimension; d++) scales[d] = standardization.Scale[d];
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters.CopyTo(result);
        GaussianMeans.FromUserUnits(_means.Of(result), standardization);
        Span<double> scales = _scale.Of(result), variances = _variances.Of(result);
        double ratio = scales[0] / standardization.Scale[0];
        for (int d = 0; d < Dimension; d++)
        {
            if (!(Math.Abs(scales[d] / standardization.Scale[d] / ratio - 1) < 1e-12))
                throw new ArgumentException(FormattableString.Invariant(
                    $"Spherical components with scale {scales[d]:R} of feature {d} are not spherical in units of {standardization.Scale[d]:R}."));
            scales[d] = 1;
        }
        for (int k = 0; k < Components; k++)
        {
            if (!(variances[k] > 0))
                throw new ArgumentException(FormattableString.Invariant($"Variance of component {k} is {variances[k]:R}; expected a positive number."));
            variances[k] *= ratio * ratio;
        }
    }

    /// <inheritdoc/>
    /// <remarks>All features get the components' common variance times scale^2, so that standardising by these moments keeps spheres spheres.</remarks>
    public override void Moments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        for (int at = 0; at < variances.Length; at++)
        {
            double scale = _scale.Of(parameters)[at % Dimension];
            variances[at] = _variances.Of(parameters)[at / Dimension] * scale * scale;
        }
    }

    /// <inheritdoc/>
    public override bool IsIsotropic => true;

    /// <inheritdoc/>
    public override double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters)
    {
        double variance = double.PositiveInfinity, scale = double.PositiveInfinity;
        foreach (double value in _variances.Of(parameters)) variance = Math.Min(variance, value);
        foreach (double value in _scale.Of(parameters)) scale = Math.Min(scale, value);
        return variance * scale * scale;
    }
}
