namespace StreamEm.Core.Models;

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
public sealed record GaussianMixtureOptions
{
    /// <summary>Number of components K.</summary>
    public int Components { get; init; } = 1;

    /// <summary>Form of the covariances.</summary>
    public CovarianceType CovarianceType { get; init; } = CovarianceType.Full;

    /// <summary>Added to the diagonal of every covariance in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;
}
