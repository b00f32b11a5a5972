using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>What keeps covariances positive definite: the likelihood of a mixture is unbounded as one shrinks to a point.</summary>
/// <param name="Ridge">Added to every variance in the M-step [D]: <c>reg_covar</c> times the feature's variance.</param>
/// <param name="Floor">Smallest eigenvalue a covariance is given when it is not positive definite even so.</param>
internal sealed record CovarianceRegularization(double[] Ridge, double Floor)
{
    /// <summary><see cref="Floor"/> over the features' mean variance.</summary>
    public const double RelativeFloor = 1e-6;

    /// <summary>Imaginary rows of the prior; 0 without one.</summary>
    public double PriorRows { get; init; }

    /// <summary>The squares that the imaginary rows add up to [D]; zeros without a prior.</summary>
    public double[] PriorSquares { get; init; } = new double[Ridge.Length];

    /// <summary>Of features whose variances are known.</summary>
    /// <param name="features">The features.</param>
    /// <param name="regCovar"><c>reg_covar</c>, in units of each feature's variance.</param>
    public static CovarianceRegularization Of(IReadOnlyList<Feature> features, double regCovar)
    {
        double mean = 0;
        foreach (Feature feature in features) mean += feature.Variance / features.Count;
        return new CovarianceRegularization([.. features.Select(feature => regCovar * feature.Variance)], RelativeFloor * mean);
    }

    /// <summary>
    /// With the inverse Wishart prior of every component's covariance: nu_0 = d + 2 and S_0 = diag(variances) / K^(1 / D), whose mode is
    /// (S_0 + n S) / (nu_0 + n + d + 2) (Fraley &amp; Raftery 2007; Murphy 2012, section 11.4.2.8).
    /// </summary>
    /// <param name="features">The features.</param>
    /// <param name="components">K.</param>
    /// <param name="extent">d: D where features vary together, 1 where each has a variance of its own.</param>
    public CovarianceRegularization WithPrior(IReadOnlyList<Feature> features, int components, int extent)
    {
        double shrink = ScalarMath.Pow(components, -1.0 / features.Count);
        return this with { PriorRows = 2 * extent + 4, PriorSquares = [.. features.Select(feature => shrink * feature.Variance)] };
    }
}
