namespace StreamEm.Core.Models.Emissions;

/// <summary>What keeps covariances positive definite: the likelihood of a mixture is unbounded as one shrinks to a point.</summary>
/// <param name="Ridge">Added to every variance in the M-step [D]: <c>reg_covar</c> times the feature's variance.</param>
/// <param name="Floor">Smallest eigenvalue a covariance is given when it is not positive definite even so.</param>
internal sealed record CovarianceRegularization(double[] Ridge, double Floor)
{
    /// <summary><see cref="Floor"/> over the features' mean variance.</summary>
    public const double RelativeFloor = 1e-6;
}
