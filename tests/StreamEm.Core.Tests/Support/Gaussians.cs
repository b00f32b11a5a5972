using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Support;

/// <summary>A known mixture to draw streams from.</summary>
internal sealed record Gaussians(double[] Weights, double[][] Means, double[][] Covariances)
{
    /// <summary>Three components in the plane, one of weight 0.2: the truth of the acceptance streams.</summary>
    public static readonly Gaussians Three = new(
        [0.5, 0.3, 0.2], [[0, 0], [4, 0], [0, 4]], [[1, 0.3, 0.3, 1], [0.5, 0, 0, 1.5], [1.5, -0.4, -0.4, 0.6]]);

    public int Dimension => Means[0].Length;

    /// <summary>The options of a mixture of Gaussians.</summary>
    public static MixtureOptions Mixture(int components, CovarianceType type = CovarianceType.Full, double regCovar = 1e-6) =>
        ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = type, RegCovar = regCovar }, components);

    /// <summary>The model over D features of unit variance that stay as they are.</summary>
    public static Mixture Model(int components, int dimension, CovarianceType type = CovarianceType.Full, double regCovar = 1e-6) =>
        (Mixture)Mixture(components, type, regCovar).Create(FeatureSpace.Unscaled(dimension));

    public Minibatch Draw(int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        Matrix<double>[] factors = [.. Covariances.Select(c => Matrix<double>.Build.Dense(Dimension, Dimension, c).Cholesky().Factor)];
        var batch = new Minibatch(Dimension, count);
        double[] row = new double[Dimension], z = new double[Dimension];
        for (int n = 0; n < count; n++)
        {
            double u = chance.NextDouble();
            int k = 0;
            while (k < Weights.Length - 1 && (u -= Weights[k]) >= 0) k++;
            for (int d = 0; d < Dimension; d++) z[d] = Normal(chance);
            for (int i = 0; i < Dimension; i++)
            {
                row[i] = Means[k][i];
                for (int j = 0; j <= i; j++) row[i] += factors[k][i, j] * z[j];
            }
            for (int d = 0; d < Dimension; d++)
                if (chance.NextDouble() < missing) row[d] = double.NaN;
            batch.Add(row);
        }
        return batch;
    }

    public static double Normal(SplitMix64 chance) =>
        Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());

    /// <summary>
    /// Start near the truth so that components need no alignment: means moved by U(-1, 1), covariances 2 I, equal weights.
    /// </summary>
    public InitialParameters Start(ulong seed)
    {
        var chance = new SplitMix64(seed);
        int k = Weights.Length, d = Dimension;
        double[] covariances = new double[k * d * d];
        for (int at = 0; at < covariances.Length; at++) covariances[at] = at / d % d == at % d ? 2 : 0;
        return new InitialParameters(new Dictionary<string, double[]>(StringComparer.Ordinal)
        {
            ["weights"] = [.. Enumerable.Repeat(1.0 / k, k)],
            ["means"] = [.. Means.SelectMany(mean => mean.Select(value => value + 2 * chance.NextDouble() - 1))],
            ["covariances"] = covariances,
        });
    }

    /// <summary>The truth itself.</summary>
    public InitialParameters Exact() => new(new Dictionary<string, double[]>(StringComparer.Ordinal)
    {
        ["weights"] = Weights,
        ["means"] = [.. Means.SelectMany(mean => mean)],
        ["covariances"] = [.. Covariances.SelectMany(covariance => covariance)],
    });
}
