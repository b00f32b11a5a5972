using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// A finite mixture over any <see cref="Emission"/>: p(x) = sum_k weights[k] p(x given z = k). Parameters: <c>weights [K]</c>, then the
/// family's. Statistics (averages): <c>masses [K]</c> = N_k = average responsibility, then the family's. M-step: weights = N / sum N
/// (Dempster, Laird &amp; Rubin 1977; McLachlan &amp; Peel 2000, section 2.8).
/// </summary>
public sealed class Mixture : LatentModel
{
    private readonly Emission _emission;
    private readonly int _components;

    /// <summary>A mixture called <paramref name="type"/> in the catalogue.</summary>
    public Mixture(string type, Emission emission)
    {
        Type = type;
        _emission = emission;
        _components = emission.Components;
        ParameterLayout = new VectorLayout().Add("weights", _components).Append(emission.ParameterLayout);
        StatisticsLayout = new VectorLayout().Add("masses", _components).Append(emission.StatisticsLayout);
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <inheritdoc/>
    public override int Dimension => _emission.Dimension;

    /// <inheritdoc/>
    public override int Components => _components;

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(_components, Dimension, StatisticsLayout.Length);
        result.Set(parameters.Span[.._components], _emission.Prepare(parameters[_components..], result.Emission));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, double effectiveRows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        ReadOnlySpan<double> masses = statistics[.._components];
        double total = 0;
        foreach (double mass in masses) total += mass;
        if (!(total > 0))
        {
            previous.CopyTo(result);
            return;
        }
        for (int k = 0; k < _components; k++) result[k] = masses[k] / total;
        _emission.Maximize(masses, statistics[_components..], effectiveRows, previous[_components..], result[_components..], events);
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, Span<double> result)
    {
        parameters[.._components].CopyTo(result);
        _emission.ImpliedStatistics(parameters[.._components], parameters[_components..], result[_components..]);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        result[.._components].Fill(1.0 / _components);
        _emission.Neutral(result[_components..]);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location)
    {
        double[] mean = new double[Dimension], variance = new double[Dimension];
        Moments(parameters, mean, variance);
        Span<double> weights = parameters[.._components];
        double others = 1 - weights[component], share = 1.0 / _components;
        for (int k = 0; k < _components; k++) weights[k] *= (1 - share) / others;
        weights[component] = share;
        _emission.Reseed(parameters[_components..], component, location, variance);
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        parameters[.._components].CopyTo(result);
        _emission.ToUserUnits(parameters[_components..], standardization, result[_components..]);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result)
    {
        double total = 0;
        for (int k = 0; k < _components; k++)
        {
            if (!(parameters[k] >= 0))
                throw new ArgumentException(FormattableString.Invariant($"Weight of component {k} is {parameters[k]:R}; expected at least 0."));
            total += parameters[k];
        }
        if (!(Math.Abs(total - 1) < 1e-6))
            throw new ArgumentException(FormattableString.Invariant($"The weights sum to {total:R}; expected 1."));
        parameters[.._components].CopyTo(result);
        _emission.FromUserUnits(parameters[_components..], standardization, result[_components..]);
    }

    /// <inheritdoc/>
    public override void Moments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance)
    {
        double[] means = new double[_components * Dimension], variances = new double[_components * Dimension];
        _emission.Moments(parameters[_components..], means, variances);
        mean.Clear();
        variance.Clear();
        for (int at = 0; at < means.Length; at++) mean[at % Dimension] += parameters[at / Dimension] * means[at];
        for (int at = 0; at < means.Length; at++)
        {
            double deviation = means[at] - mean[at % Dimension];
            variance[at % Dimension] += parameters[at / Dimension] * (variances[at] + deviation * deviation);
        }
        if (!_emission.IsIsotropic) return;
        double common = 0;
        foreach (double value in variance) common += value / Dimension;
        variance.Fill(common);
    }

    /// <inheritdoc/>
    public override double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters) => _emission.MinCovarianceEigenvalue(parameters[_components..]);
}
