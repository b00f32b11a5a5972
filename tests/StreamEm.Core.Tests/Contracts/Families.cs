using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>Gaussians of one form of the covariances.</summary>
public abstract class GaussianFamily(CovarianceType type) : Family
{
    public override EmissionOptions Options => new GaussianOptions { CovarianceType = type, Prior = Prior.Conjugate };

    public override Emission Create(int components, int dimension) =>
        new GaussianOptions { CovarianceType = type, RegCovar = 0 }.Create(FeatureSpace.Unscaled(dimension).Features, components);

    /// <summary>Weighted rows of three correlated clouds.</summary>
    public override Minibatch Rows(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
            {
                double before = d > 0 && !double.IsNaN(row[d - 1]) ? 0.3 * row[d - 1] : 0;
                row[d] = chance.NextDouble() < missing
                    ? double.NaN
                    : (k == d % 3 ? 2.5 : -0.5) + Gaussians.Normal(chance) * (0.5 + 0.2 * k) + before;
            }
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }

    public override double[] ImpossibleRow(int dimension) => [.. Enumerable.Range(0, dimension).Select(d => d % 2 == 0 ? 1e100 : -1e100)];
}

/// <summary>Full covariances.</summary>
public sealed class FullGaussians() : GaussianFamily(CovarianceType.Full);

/// <summary>One shared covariance.</summary>
public sealed class TiedGaussians() : GaussianFamily(CovarianceType.Tied);

/// <summary>Diagonal covariances.</summary>
public sealed class DiagonalGaussians() : GaussianFamily(CovarianceType.Diag);

/// <summary>Spherical covariances.</summary>
public sealed class SphericalGaussians() : GaussianFamily(CovarianceType.Spherical);

/// <summary>The tests' own family of levels, with a prior for a user.</summary>
public sealed class LevelsFamily : Family
{
    public override EmissionOptions Options => new LevelsOptions { MaxLevels = 3, Prior = 0.5 };

    public override Emission Create(int components, int dimension) => new Levels(components, dimension, 3);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing) =>
        LevelRecords.Codes(dimension, count, seed, missing);

    public override Minibatch Records(Minibatch rows) => LevelRecords.Texts(rows);
}
