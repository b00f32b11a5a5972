using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models.Mixtures;

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

/// <summary>A mixture of Gaussians: <c>type: gaussian_mixture</c>.</summary>
public sealed record GaussianMixtureOptions : LatentModelOptions
{
    /// <summary>The name in the catalogue.</summary>
    public const string TypeName = "gaussian_mixture";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Number of components K.</summary>
    public int Components { get; init; } = 4;

    /// <summary>Form of the covariances.</summary>
    public CovarianceType CovarianceType { get; init; } = CovarianceType.Full;

    /// <summary>Added to the diagonal of every covariance in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <summary>A full covariance is singular below D + 1 rows a component; a shared one needs D rows beyond one a component; a variance needs two.</summary>
    public override long RowsToStart(int dimension) => CovarianceType switch
    {
        CovarianceType.Full => (long)Components * (dimension + 1),
        CovarianceType.Tied => (long)Components + dimension,
        _ => 2L * Components,
    };

    /// <inheritdoc/>
    public override LatentModel Create(int dimension, ReadOnlySpan<double> featureVariances)
    {
        double[] ridge = new double[dimension];
        for (int d = 0; d < dimension; d++) ridge[d] = RegCovar * featureVariances[d];
        double mean = 0;
        foreach (double variance in featureVariances) mean += variance / dimension;
        var regularization = new CovarianceRegularization(ridge, CovarianceRegularization.RelativeFloor * mean);
        return new Mixture(Type, CovarianceType switch
        {
            CovarianceType.Full => new FullGaussian(Components, dimension, regularization),
            CovarianceType.Tied => new TiedGaussian(Components, dimension, regularization),
            CovarianceType.Diag => new DiagonalGaussian(Components, dimension, regularization),
            CovarianceType.Spherical => new SphericalGaussian(Components, dimension, regularization),
            _ => throw new ArgumentOutOfRangeException(nameof(featureVariances), CovarianceType, "Unknown covariance type."),
        });
    }
}
