using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Variational;

/// <summary>
/// A mixture of Gaussians with posteriors instead of points (<c>type: variational_gaussian_mixture</c>). Names and defaults are those of
/// scikit-learn's BayesianGaussianMixture with a Dirichlet distribution of the weights.
/// </summary>
internal sealed record VariationalGaussianMixtureOptions : LatentModelOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = new(
        "variational_gaussian_mixture",
        "K Gaussians by variational Bayes: posteriors of weights, means and covariances; components that are not needed empty.",
        entry => new VariationalGaussianMixtureOptions { Entry = entry },
        new Setting<VariationalGaussianMixtureOptions, int>(
            "components", new IntegerKind(1, 65_536), o => o.Components, (o, v) => o with { Components = v },
            "The most components K: those that are not needed lose their weight."),
        new Setting<VariationalGaussianMixtureOptions, double?>(
            "weight_concentration_prior", new NullableKind<double>(new NumberKind(Interval.Above(0))), o => o.WeightConcentration,
            (o, v) => o with { WeightConcentration = v },
            "alpha_0 of the Dirichlet prior of the weights; null is 1 / K. The smaller, the more components empty."),
        new Setting<VariationalGaussianMixtureOptions, double>(
            "mean_precision_prior", new NumberKind(Interval.Above(0)), o => o.MeanPrecision, (o, v) => o with { MeanPrecision = v },
            "beta_0: records that the prior of a mean is worth."),
        new Setting<VariationalGaussianMixtureOptions, double?>(
            "degrees_of_freedom_prior", new NullableKind<double>(new NumberKind(Interval.Above(0))), o => o.DegreesOfFreedom,
            (o, v) => o with { DegreesOfFreedom = v }, "nu_0 of the Wishart prior, above D - 1; null is D."));

    /// <summary>The most components K.</summary>
    public int Components { get; init; } = 8;

    /// <summary>alpha_0; null for 1 / K.</summary>
    public double? WeightConcentration { get; init; }

    /// <summary>beta_0.</summary>
    public double MeanPrecision { get; init; } = 1;

    /// <summary>nu_0; null for D.</summary>
    public double? DegreesOfFreedom { get; init; }

    /// <inheritdoc/>
    public override LatentModelOptions WithComponents(int components) => this with { Components = components };

    /// <inheritdoc/>
    public override IEnumerable<string> ProblemsWith(RecordSchema schema)
    {
        foreach (string problem in base.ProblemsWith(schema)) yield return problem;
        if (DegreesOfFreedom is { } degrees && !(degrees > schema.Features.Count - 1))
            yield return FormattableString.Invariant(
                $"degrees_of_freedom_prior: {degrees} with {schema.Features.Count} features; it must be above {schema.Features.Count - 1}");
    }

    /// <inheritdoc/>
    public override string? IntervalsProblem =>
        "its parameters are those of a posterior, which says itself how sure it is";

    /// <inheritdoc/>
    public override long RowsToStart(int dimension) => (long)Components * (dimension + 1);

    /// <inheritdoc/>
    public override LatentModel Create(FeatureSpace space) => new VariationalGaussianMixture(Type, Components, new VariationalPrior(
        WeightConcentration ?? 1.0 / Components,
        MeanPrecision,
        DegreesOfFreedom ?? space.Dimension,
        [.. space.Features.Select(feature => feature.Mean)],
        [.. space.Features.Select(feature => feature.Variance)]));

    /// <inheritdoc/>
    protected override Feature PlanFeature(string name) => new(name);
}

/// <summary>
/// weights ~ Dirichlet(alpha_0), precision ~ Wishart(nu_0, diag(1 / scatter)), mean given it ~ N(mean, (beta_0 precision)^-1).
/// </summary>
/// <param name="WeightConcentration">alpha_0.</param>
/// <param name="MeanPrecision">beta_0.</param>
/// <param name="DegreesOfFreedom">nu_0, above D - 1.</param>
/// <param name="Mean">[D], inside.</param>
/// <param name="Scatter">The diagonal of the inverse of the Wishart's scale [D]: the features' variances.</param>
internal sealed record VariationalPrior(
    double WeightConcentration, double MeanPrecision, double DegreesOfFreedom, double[] Mean, double[] Scatter)
{
    /// <summary>Number of features D.</summary>
    public int Dimension => Mean.Length;
}
