using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Factors;

/// <summary>
/// Components x = mu + W z + e with q factors z ~ N(0, I) and noise e ~ N(0, Psi), so that x ~ N(mu, W W' + Psi); no D x D matrix is ever
/// formed. Psi is diagonal (factor analysis) or sigma^2 I (probabilistic PCA). Parameters: <c>means [K, D]</c>, <c>loadings [K, D, q]</c> =
/// W, <c>noise_variances [K, D]</c> or <c>noise_variance [K]</c>; of a single component without the leading axis. With z+ = (z, 1), whose
/// posterior moments are M^-1 W' Psi^-1 (x - mu) and M^-1, M = I + W' Psi^-1 W, the statistics (averages, weighted by r) are
/// <c>first_moments [K, D]</c> = x, <c>squares [K, D]</c> = x^2, <c>latent_products [K, q, D]</c> = E[z] x', <c>latent_means [K, q]</c> =
/// E[z], <c>latent_moments [K, P(q)]</c> = E[z z'], and, of rows without a value of feature d, <c>missing [K, D, P(q + 1)]</c> = E[z+ z+'].
/// M-step, for every feature over the rows that have it: (W, mu) = E[x z+'] E[z+ z+']^-1, psi_d = (E[x_d^2] - (w_d, mu_d) E[x_d z+]) / N_d
/// + reg_covar, sigma^2 their mean (Rubin &amp; Thayer 1982; Tipping &amp; Bishop 1999; Ghahramani &amp; Hinton 1996 for mixtures).
/// </summary>
internal sealed partial class FactorAnalyser : Emission
{
    /// <summary>How much of a feature's variance the factors have before anything is known: as much as the noise.</summary>
    private const double FirstShare = 0.5;

    private readonly CovarianceRegularization _regularization;
    private readonly VectorBlock _means, _loadings, _noise, _first, _squares, _products, _latentMeans, _latentMoments, _missing;
    private readonly bool _isIsotropic;
    private readonly double _commonRidge, _priorSquares;
    private bool _meansAreFixed, _loadingsAreFixed;

    /// <summary>K components over D features with q factors each.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="factors">q, below D.</param>
    /// <param name="isIsotropic">Whether all features have one noise variance.</param>
    /// <param name="isAlone">Whether a single component's blocks have no axis of components.</param>
    /// <param name="regularization">Ridge and floor of the noise.</param>
    public FactorAnalyser(
        int components, int dimension, int factors, bool isIsotropic, bool isAlone, CovarianceRegularization regularization)
    {
        if (factors < 0 || factors >= dimension)
            throw new ArgumentOutOfRangeException(nameof(factors), factors, $"Of {dimension} features there are fewer factors than that.");
        (Components, Dimension, Factors, _isIsotropic, _regularization) = (components, dimension, factors, isIsotropic, regularization);
        (_commonRidge, _priorSquares) = (regularization.Ridge.Average(), regularization.PriorSquares.Sum());
        int[] Of(params int[] shape) => isAlone && components == 1 ? shape : [components, .. shape];
        ParameterLayout = new VectorLayout().Add("means", Units.Value, Domain.Real, Of(dimension))
            .Add(new VectorBlock("loadings", 0, Of(dimension, factors), Coordinates.Linear)
            { Units = Units.Deviation, HasValuesPerFeature = true });
        if (isIsotropic) ParameterLayout.Add("noise_variance", Units.None, Domain.Positive, components);
        else ParameterLayout.Add("noise_variances", Units.Square, Domain.Positive, Of(dimension));
        StatisticsLayout = new VectorLayout().Add("first_moments", components, dimension).Add("squares", components, dimension)
            .Add("latent_products", components, factors, dimension).Add("latent_means", components, factors)
            .Add("latent_moments", components, Packed.Length(factors)).Add("missing", components, dimension, Packed.Length(factors + 1));
        ScoreLayout = new VectorLayout().Add("latent", Units.None, Domain.Real, Of(factors))
            .Add("latent_covariance", Units.None, Domain.Real, Of(factors, factors))
            .Add("reconstruction", Units.Value, Domain.Real, dimension)
            .Add("reconstruction_variance", Units.Square, Domain.Positive, dimension);
        (_means, _loadings, _noise) = (ParameterLayout["means"], ParameterLayout["loadings"], ParameterLayout.Blocks[2]);
        (_first, _squares, _products) =
            (StatisticsLayout["first_moments"], StatisticsLayout["squares"], StatisticsLayout["latent_products"]);
        (_latentMeans, _latentMoments, _missing) =
            (StatisticsLayout["latent_means"], StatisticsLayout["latent_moments"], StatisticsLayout["missing"]);
    }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <inheritdoc/>
    public override int Components { get; }

    /// <summary>Number of factors q.</summary>
    public int Factors { get; }

    /// <summary>Whether the M-step finds a distribution of the factors too, and takes it into the loadings (PX-EM: Liu, Rubin &amp; Wu
    /// 1998).</summary>
    public bool IsExpanded { get; init; }

    /// <inheritdoc/>
    /// <remarks>Codes of before an expanded step are in other coordinates.</remarks>
    public override EmSteps Steps => IsExpanded ? EmSteps.Either : EmSteps.Exact;

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override void Hold(IReadOnlyCollection<string> blocks) =>
        (_meansAreFixed, _loadingsAreFixed) = (blocks.Contains(_means.Name), blocks.Contains(_loadings.Name));

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as FactorAnalyserEStep ?? new FactorAnalyserEStep(Components, Dimension, Factors);
        result.Set(_means.Of(parameters.Span), _loadings.Of(parameters.Span), _noise.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    /// <remarks>E[z] = 0 and E[z z'] = I under the component.</remarks>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), loadings = _loadings.Of(parameters), noise = _noise.Of(parameters);
        for (int k = 0; k < Components; k++)
        {
            double mass = masses[k];
            _latentMeans.Of(result).Slice(k * Factors, Factors).Fill(0 * mass);
            for (int i = 0, at = k * Packed.Length(Factors); i < Factors; i++)
                for (int j = 0; j <= i; j++, at++) _latentMoments.Of(result)[at] = i == j ? mass : 0 * mass;
            for (int d = 0, at = k * Dimension; d < Dimension; d++, at++)
            {
                double variance = _isIsotropic ? noise[k] - _commonRidge : noise[at] - _regularization.Ridge[d];
                double prior = (_regularization.PriorRows * variance - _regularization.PriorSquares[d]) / effectiveRows;
                double square = Math.FusedMultiplyAdd(means[at], means[at], variance);
                for (int j = 0; j < Factors; j++)
                {
                    double loading = loadings[at * Factors + j];
                    square = Math.FusedMultiplyAdd(loading, loading, square);
                    _products.Of(result)[(k * Factors + j) * Dimension + d] = mass * loading;
                }
                _first.Of(result)[at] = mass * means[at];
                _squares.Of(result)[at] = mass * square + prior;
                _missing.Of(result).Slice(at * Packed.Length(Factors + 1), Packed.Length(Factors + 1)).Fill(0 * mass);
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>The loadings are drawn once and for all: where they are zero they stay zero.</remarks>
    public override void Neutral(Span<double> result)
    {
        _means.Of(result).Clear();
        _noise.Of(result).Fill(FirstShare);
        for (int k = 0; k < Components; k++) Load(result, k, FirstShare);
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        double mean = 0;
        Load(parameters, component, FirstShare);
        for (int d = 0, at = component * Dimension; d < Dimension; d++, at++)
        {
            if (!double.IsNaN(location[d])) _means.Of(parameters)[at] = location[d];
            mean += variances[d] / Dimension;
            if (!_isIsotropic) _noise.Of(parameters)[at] = FirstShare * variances[d];
            double deviation = Math.Sqrt(variances[d]);
            foreach (ref double loading in _loadings.Of(parameters).Slice(at * Factors, Factors)) loading *= deviation;
        }
        if (_isIsotropic) _noise.Of(parameters)[component] = FirstShare * mean;
    }

    /// <inheritdoc/>
    /// <remarks>Along the longest of the factors in the units given, which becomes as much shorter.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        const double step = 0.5;
        Span<double> loadings = _loadings.Of(parameters), means = _means.Of(parameters);
        int longest = 0;
        double length = double.NegativeInfinity;
        for (int j = 0; j < Factors; j++)
        {
            double sum = 0;
            for (int d = 0; d < Dimension; d++)
            {
                double relative = loadings[(component * Dimension + d) * Factors + j] / units[d];
                sum = Math.FusedMultiplyAdd(relative, relative, sum);
            }
            if (sum > length) (longest, length) = (j, sum);
        }
        for (int d = 0; d < Dimension && Factors > 0; d++)
        {
            double move = step * loadings[(component * Dimension + d) * Factors + longest];
            means[component * Dimension + d] -= move;
            means[other * Dimension + d] += move;
            foreach (int k in (ReadOnlySpan<int>)[component, other])
                loadings[(k * Dimension + d) * Factors + longest] *= Math.Sqrt(1 - step * step);
        }
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.To(ParameterLayout, parameters, space, result);
        ScaleNoise(space.Scale, result, inverse: false);
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        UserUnits.From(ParameterLayout, parameters, space, result);
        ScaleNoise(space.Scale, result, inverse: true);
    }

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        _means.Of(parameters).CopyTo(means);
        ReadOnlySpan<double> loadings = _loadings.Of(parameters), noise = _noise.Of(parameters);
        for (int at = 0; at < variances.Length; at++)
        {
            variances[at] = noise[_isIsotropic ? at / Dimension : at];
            foreach (double loading in loadings.Slice(at * Factors, Factors))
                variances[at] = Math.FusedMultiplyAdd(loading, loading, variances[at]);
        }
        return true;
    }

    /// <inheritdoc/>
    /// <remarks>One noise for all features stays one only when all get the same scale.</remarks>
    public override void PoolVariances(Span<double> variances)
    {
        if (!_isIsotropic) return;
        double mean = 0;
        foreach (double variance in variances) mean += variance / Dimension;
        variances.Fill(mean);
    }

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        double least = double.PositiveInfinity;
        foreach (double variance in _noise.Of(parameters)) least = Math.Min(least, variance);
        facts["min_noise_variance"] = least;
    }

    /// <summary>Gives a component loadings that are in no relation to the data and make up a share of unit variances.</summary>
    private void Load(Span<double> parameters, int component, double share)
    {
        var chance = new SplitMix64(1);
        double size = Math.Sqrt(3 * share / Math.Max(1, Factors));
        foreach (ref double loading in _loadings.Of(parameters).Slice(component * Dimension * Factors, Dimension * Factors))
            loading = size * (2 * chance.NextDouble() - 1);
    }

    /// <summary>One noise variance has the square of the unit that all features share.</summary>
    private void ScaleNoise(ReadOnlySpan<double> scale, Span<double> parameters, bool inverse)
    {
        if (!_isIsotropic) return;
        double common = scale[0] * scale[0];
        foreach (ref double variance in _noise.Of(parameters)) variance = inverse ? variance / common : variance * common;
    }
}
