using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;

namespace StreamEm.Core.Tests.Models;

/// <summary>A covariance type's mixture without regularisation, as the laws are stated.</summary>
[ContractOf("gaussian_mixture")]
public abstract class GaussianMixtureContract(CovarianceType type) : MixtureContract
{
    protected override LatentModel Create(int components, int dimension)
    {
        double[] ones = new double[dimension];
        Array.Fill(ones, 1);
        return new GaussianMixtureOptions { Components = components, CovarianceType = type, RegCovar = 0 }.Create(dimension, ones);
    }
}

/// <summary>Full covariances.</summary>
public sealed class FullGaussianMixtureTests() : GaussianMixtureContract(CovarianceType.Full);

/// <summary>One shared covariance.</summary>
public sealed class TiedGaussianMixtureTests() : GaussianMixtureContract(CovarianceType.Tied);

/// <summary>Diagonal covariances.</summary>
public sealed class DiagonalGaussianMixtureTests() : GaussianMixtureContract(CovarianceType.Diag);

/// <summary>Spherical covariances.</summary>
public sealed class SphericalGaussianMixtureTests() : GaussianMixtureContract(CovarianceType.Spherical);
