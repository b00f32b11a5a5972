using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Waiting times of mean 0.2, 1 and 6, features in turn.</summary>
public sealed class Exponentials : Family
{
    public override EmissionOptions Options => new ExponentialOptions();

    public override Emission Create(int components, int dimension) => new Exponential(components, new double[dimension], Prior.None);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension], means = [0.2, 1, 6];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
            {
                double value = -means[(k + d) % 3] * Math.Log(1 - chance.NextDouble());
                row[d] = chance.NextDouble() < missing ? double.NaN : value;
            }
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }
}

[ContractOf("exponential_mixture")]
public sealed class ExponentialInMixture : MixtureOf<Exponentials>;

public sealed class ExponentialInProduct : ProductOf<Exponentials>;

public sealed class ExponentialInHiddenMarkov : HiddenMarkovOf<Exponentials>;

public sealed class ExponentialTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("exponential_mixture", new Mixture("test", new Exponential(3, [0], Prior.None)))
        {
            Parameters = new Dictionary<string, string> { ["weights"] = "weights", ["means"] = "means" },
            Statistics = new Dictionary<string, string> { ["masses"] = "N", ["sums"] = "S1" },
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_ConjugatePrior_IsATenthOfARowAtTheFeaturesMean()
    {
        double[] result = new double[1];
        // 10 rows that add up to 40, at a mean of 2 before: (40 + 0.1 x 2) / (10 + 0.1).
        new Exponential(1, [2], Prior.Conjugate).Maximize([1], [1, 4], 10.0, [1], result, new ModelEvents());
        Assert.Equal(40.2 / 10.1, result[0], 1e-14);
    }

    [Fact]
    public void Maximize_ZerosAlone_LeaveEveryValuePossible()
    {
        double[] result = new double[1];
        new Exponential(1, [2e-9], Prior.None).Maximize([1], [1, 0], 10.0, [1], result, new ModelEvents());
        // A share of the feature's own mean, whatever its units.
        Assert.Equal(2e-19, result[0], 1e-32);
    }

    [Fact]
    public void Learn_OneAbsurdWait_LeavesTheMeanAndAZeroIsNotFar()
    {
        var chance = new SplitMix64(4);
        var rows = new Minibatch(1);
        for (int n = 0; n < 4000; n++)
            rows.Add([n == 2500 ? 1e12 : n % 50 == 0 ? 0 : -30 * Math.Log(1 - chance.NextDouble())]);

        var learned = Streams.Learn(Hosts.Mixture(1, EmissionParts.Of(new ExponentialOptions())), new(), rows);

        Assert.Equal((1L, 1L), (learned.Bounded, learned.Unlearned));
        // 2 % are zeros; the mean's standard error is 30 / sqrt(4000) = .5.
        Assert.Equal(0.98 * 30, Streams.Snapshot(learned).Parameters[1], 2.0);
    }
}
