using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The form of the covariances, with scikit-learn's names.</summary>
public enum CovarianceType
{
    /// <summary>Each component its own matrix: [K, D, D].</summary>
    Full,

    /// <summary>One matrix shared by all: [D, D].</summary>
    Tied,

    /// <summary>Each component its own variances: [K, D].</summary>
    Diag,

    /// <summary>Each component one variance: [K].</summary>
    Spherical,
}

/// <summary>Gaussian components.</summary>
public sealed record GaussianOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "gaussian",
        "K multivariate Gaussians; clusters, densities and anomalies of continuous records.",
        () => new GaussianOptions(),
        new Setting<GaussianOptions, CovarianceType>(
            "covariance_type", new ChoiceKind<CovarianceType>(), o => o.CovarianceType, (o, v) => o with { CovarianceType = v },
            "Form of the covariances: a matrix each, one shared matrix, variances per feature, one variance."),
        new Setting<GaussianOptions, double>(
            "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
            "Added to the diagonal of every covariance, in units of each feature's variance."));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>Form of the covariances.</summary>
    public CovarianceType CovarianceType { get; init; } = CovarianceType.Full;

    /// <summary>Added to the diagonal of every covariance in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature);

    /// <summary>
    /// A full covariance is singular below D + 1 rows a component; a shared one needs D rows beyond one a component; a variance needs two.
    /// </summary>
    public override long RowsToStart(int components, int dimension) => CovarianceType switch
    {
        CovarianceType.Full => (long)components * (dimension + 1),
        CovarianceType.Tied => (long)components + dimension,
        _ => 2L * components,
    };

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components)
    {
        int dimension = features.Count;
        var regularization = CovarianceRegularization.Of(features, RegCovar);
        return CovarianceType switch
        {
            CovarianceType.Full => new FullGaussian(components, dimension, regularization),
            CovarianceType.Tied => new TiedGaussian(components, dimension, regularization),
            CovarianceType.Diag => new DiagonalGaussian(components, dimension, regularization),
            CovarianceType.Spherical => new SphericalGaussian(components, dimension, regularization),
            _ => throw new InvalidOperationException($"Unknown covariance type {CovarianceType}."),
        };
    }
}
