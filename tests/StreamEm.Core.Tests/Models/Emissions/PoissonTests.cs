using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Counts around 1, 5 and 12, features in turn.</summary>
public sealed class Poissons : Family
{
    public override EmissionOptions Options => new PoissonOptions();

    public override Emission Create(int components, int dimension) => new Poisson(components, new double[dimension], Prior.None);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension], rates = [1, 5, 12];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
            {
                double value = Draw(rates[(k + d) % 3], chance);
                row[d] = chance.NextDouble() < missing ? double.NaN : value;
            }
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }

    /// <summary>Arrivals in a unit of time (Knuth).</summary>
    private static double Draw(double rate, SplitMix64 chance)
    {
        int count = -1;
        for (double left = 1, limit = Math.Exp(-rate); left > limit; left *= chance.NextDouble()) count++;
        return count;
    }
}

[ContractOf("poisson_mixture")]
public sealed class PoissonInMixture : MixtureOf<Poissons>;

public sealed class PoissonInProduct : ProductOf<Poissons>;

public sealed class PoissonInHiddenMarkov : HiddenMarkovOf<Poissons>;

public sealed class PoissonTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("poisson", new Mixture("test", new Poisson(2, [0], Prior.None)))
        {
            Parameters = new Dictionary<string, string> { ["weights"] = "weights", ["rates"] = "lambda" },
            Statistics = new Dictionary<string, string> { ["masses"] = "N", ["sums"] = "S1" },
        }.Check(recursion, GetType());

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMixedRecords_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("mixed_product", new Mixture("test", new Product(
            [
                new ProductPart("gaussian", new FullGaussian(3, 2, new CovarianceRegularization([0, 0], 1e-12)), [0, 1]),
                new ProductPart("categorical", new Categorical(3, Categoricals.Features(1, 3), Prior.None), [2]),
                new ProductPart("poisson", new Poisson(3, [0], Prior.None), [3]),
            ],
            4)))
        {
            Parameters = new Dictionary<string, string>
            {
                ["weights"] = "weights",
                ["gaussian.means"] = "means",
                ["gaussian.covariances"] = "cov",
                ["categorical.probabilities.x0"] = "p",
                ["poisson.rates"] = "lambda",
            },
            Statistics = new Dictionary<string, string>
            {
                ["masses"] = "N",
                ["gaussian.first_moments"] = "S1",
                ["gaussian.second_moments"] = "S2",
                ["categorical.counts.x0"] = "Scat",
                ["poisson.observed"] = "Ncount",
                ["poisson.sums"] = "Scount",
            },
            Rows = GoldenRows.Columns(["gauss", "cat", "count"], codes: "cat"),
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_ConjugatePrior_IsATenthOfARowAtTheFeaturesMean()
    {
        double[] result = new double[1];
        // 10 rows that add up to 40, at a mean of 2 before: (40 + 0.1) / (10 + 0.1 / 2).
        new Poisson(1, [2], Prior.Conjugate).Maximize([1], [1, 4], 10.0, [1], result, new ModelEvents());
        Assert.Equal(40.1 / 10.05, result[0], 1e-14);
    }

    [Fact]
    public void LogDensity_OfManyCounts_IsThePoissons()
    {
        var family = new Poisson(1, [0], Prior.None);
        double[] joint = new double[8];
        foreach (double count in (double[])[0, 1, 7, 1023, 1024, 5000])
        {
            family.Prepare(new double[] { 900.5 }).TryLogJoint([count], new double[8], joint);
            Assert.Equal(new MathNet.Numerics.Distributions.Poisson(900.5).ProbabilityLn((int)count), joint[0], 1e-8);
        }
    }
}
