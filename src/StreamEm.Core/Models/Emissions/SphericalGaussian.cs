using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Gaussian components with one variance each. Parameters: <c>means [K, D]</c>, <c>covariances [K]</c>, and the constant <c>scale [D]</c>:
/// the variance of feature d is covariances[k] * scale[d]^2. Inside, scale is 1; in the user's units it is 1 too when all features share
/// one scale, else the standardisation's, because a sphere in standardised units is none in the user's. Statistics (averages):
/// <c>observed [K, D]</c>, <c>first_moments [K, D]</c>, <c>second_moments [K]</c> = r |x_o|^2.
/// M-step: mu = S1 / O, sigma^2 = (S2 - sum_d O_d mu_d^2) / sum_d O_d + reg_covar.
/// </summary>
internal sealed class SphericalGaussian : Gaussian
{
    private readonly double _ridge, _priorSquares, _priorCells;
    private readonly VectorBlock _scale, _observed, _first, _second;

    /// <summary>K components over D features.</summary>
    public SphericalGaussian(int components, int dimension, CovarianceRegularization regularization)
        : base(
            components, dimension, regularization,
            new VectorLayout().Add("covariances", Units.None, Domain.Positive, components)
                .Add(new VectorBlock("scale", 0, [dimension], Coordinates.Linear) { Domain = Domain.Positive, IsOptional = true }),
            new VectorLayout().Add("observed", components, dimension).Add("first_moments", components, dimension)
                .Add("second_moments", components))
    {
        _ridge = regularization.Ridge.Average();
        (_priorSquares, _priorCells) = (regularization.PriorSquares.Sum(), regularization.PriorRows * dimension);
        _scale = ParameterLayout["scale"];
        (_observed, _first, _second) =
            (StatisticsLayout["observed"], StatisticsLayout["first_moments"], StatisticsLayout["second_moments"]);
    }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as SphericalGaussianEStep ?? new SphericalGaussianEStep(Components, Dimension);
        result.Set(Means.Of(parameters.Span), Covariances.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        ReadOnlySpan<double> observed = _observed.Of(statistics), first = _first.Of(statistics), second = _second.Of(statistics);
        Span<double> means = Means.Of(result), variances = Covariances.Of(result);
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events)) continue;
            double squares = second[k], cells = 0;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                if (!MeansAreFixed && observed[at] * rows.Evidence >= ComponentEvidence.OneRow) means[at] = first[at] / observed[at];
                squares -= means[at] * (2 * first[at] - observed[at] * means[at]);
                cells += observed[at];
            }
            variances[k] = (squares + _priorSquares / rows.Prior) / (cells + _priorCells / rows.Prior) + _ridge;
            if (variances[k] >= Math.Max(_ridge * 0.5, Regularization.Floor * 1e-6)) continue;
            events.Add(ModelEventKind.CovarianceFloored, k, variances[k]);
            variances[k] = Regularization.Floor;
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = Means.Of(parameters), variances = Covariances.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            double squares = Dimension * (variances[k] - _ridge), prior = _priorCells * (variances[k] - _ridge) - _priorSquares;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                _observed.Of(result)[at] = masses[k];
                _first.Of(result)[at] = masses[k] * means[at];
                squares = Math.FusedMultiplyAdd(means[at], means[at], squares);
            }
            _second.Of(result)[k] = masses[k] * squares + prior / effectiveRows;
        }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    /// <remarks>As of independent features, the squares of all features together.</remarks>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        ReadOnlySpan<double> observed = _observed.Of(statistics), first = _first.Of(statistics), second = _second.Of(statistics);
        ReadOnlySpan<double> means = Means.Of(parameters), variances = Covariances.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            double squares = second[k], cells = 0;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                double off = first[at] - observed[at] * means[at];
                squares -= means[at] * (first[at] + off);
                cells += observed[at];
                Means.Of(result)[at] = off / variances[k];
            }
            Covariances.Of(result)[k] = 0.5 * (squares / variances[k] - cells) / variances[k];
        }
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result.Fill(1);
        Means.Of(result).Clear();
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.To(ParameterLayout, parameters, space, result);
        ReadOnlySpan<double> units = space.Scale;
        double common = units[0];
        if (!units.ContainsAnyExcept(common))
        {
            Span<double> variances = Covariances.Of(result);
            for (int k = 0; k < Components; k++) variances[k] *= common * common;
            return;
        }
        units.CopyTo(_scale.Of(result));
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.From(ParameterLayout, parameters, space, result);
        ReadOnlySpan<double> units = space.Scale;
        Span<double> scales = _scale.Of(result), variances = Covariances.Of(result);
        double ratio = scales[0] / units[0];
        for (int d = 0; d < Dimension; d++)
        {
            if (!(Math.Abs(scales[d] / units[d] / ratio - 1) < 1e-12))
                throw new ArgumentException(FormattableString.Invariant(
                    $"Spherical components with scale {scales[d]:R} of feature {d} are not spherical in units of {units[d]:R}."));
            scales[d] = 1;
        }
        for (int k = 0; k < Components; k++) variances[k] *= ratio * ratio;
    }

    /// <inheritdoc/>
    /// <remarks>Standardising by the model's own moments keeps spheres spheres only when all features get the same scale.</remarks>
    public override void PoolVariances(Span<double> variances)
    {
        double common = 0;
        foreach (double value in variances) common += value / Dimension;
        variances.Fill(common);
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        double variance = double.PositiveInfinity, scale = double.PositiveInfinity;
        foreach (double value in Covariances.Of(parameters)) variance = Math.Min(variance, value);
        foreach (double value in _scale.Of(parameters)) scale = Math.Min(scale, value);
        CovarianceHealth.Add(variance * scale * scale, facts);
    }

    /// <inheritdoc/>
    private protected override void Narrow(Span<double> parameters, int component, int feature, double square) =>
        Covariances.Of(parameters)[component] -= square / Dimension;

    /// <inheritdoc/>
    private protected override double Variance(ReadOnlySpan<double> parameters, int component, int feature)
    {
        double scale = _scale.Of(parameters)[feature];
        return Covariances.Of(parameters)[component] * scale * scale;
    }

    /// <inheritdoc/>
    private protected override void Widen(Span<double> parameters, int component, ReadOnlySpan<double> variances)
    {
        double sum = 0;
        foreach (double variance in variances) sum += variance;
        Covariances.Of(parameters)[component] = sum / Dimension;
    }
}
