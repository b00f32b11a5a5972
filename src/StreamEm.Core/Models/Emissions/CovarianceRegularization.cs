using StreamEm.Core.Features;

namespace StreamEm.Core.Models.Emissions;

/// <summary>What keeps covariances positive definite: the likelihood of a mixture is unbounded as one shrinks to a point.</summary>
/// <param name="Ridge">Added to every variance in the M-step [D]: <c>reg_covar</c> times the feature's variance.</param>
/// <param name="Floor">Smallest eigenvalue a covariance is given when it is not positive definite even so.</param>
internal sealed record CovarianceRegularization(double[] Ridge, double Floor)
{
    /// <summary>Of features whose variances are known.</summary>
    /// <param name="features">The features.</param>
    /// <param name="regCovar"><c>reg_covar</c>, in units of each feature's variance.</param>
    public static CovarianceRegularization Of(IReadOnlyList<Feature> features, double regCovar)
    {
        double mean = 0;
        foreach (Feature feature in features) mean += feature.Variance / features.Count;
        return new CovarianceRegularization([.. features.Select(feature => regCovar * feature.Variance)], RelativeFloor * mean);
    }

    /// <summary><see cref="Floor"/> over the features' mean variance.</summary>
    public const double RelativeFloor = 1e-6;
}
