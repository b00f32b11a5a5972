using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Bernoulli features: three components that prefer every third feature.</summary>
public sealed class Bernoullis : Family
{
    public override EmissionOptions Options => new BernoulliOptions();

    public override Emission Create(int components, int dimension) => new Bernoulli(components, dimension, Prior.None);

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
                double value = chance.NextDouble() < (k == d % 3 ? 0.85 : 0.2) ? 1 : 0;
                row[d] = chance.NextDouble() < missing ? double.NaN : value;
            }
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }
}

[ContractOf("bernoulli_mixture")]
public sealed class BernoulliInMixture : MixtureOf<Bernoullis>;

public sealed class BernoulliInProduct : ProductOf<Bernoullis>;

public sealed class BernoulliInHiddenMarkov : HiddenMarkovOf<Bernoullis>;

public sealed class BernoulliTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("bernoulli", new Mixture("test", new Bernoulli(2, 3, Prior.None)))
        {
            Parameters = new Dictionary<string, string> { ["weights"] = "weights", ["probabilities"] = "p" },
            Statistics = new Dictionary<string, string> { ["masses"] = "N", ["sums"] = "S1" },
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_ConjugatePrior_IsTwoImaginaryRowsOfWhichOneIsOne()
    {
        double[] result = new double[1];
        // 9 of 10 rows are 1: (9 + 1) / (10 + 2).
        new Bernoulli(1, 1, Prior.Conjugate).Maximize([1], [1, 0.9], 10.0, [0.5], result, new ModelEvents());
        Assert.Equal(10.0 / 12, result[0], 1e-15);
    }

    [Fact]
    public void Maximize_ParameterRecursion_WeighsThePriorAgainstTheWholeStream()
    {
        double[] result = new double[1];
        new Bernoulli(1, 1, Prior.Conjugate).Maximize([1], [1, 0.9], new RowsWorth(10, 1000), [0.5], result, new ModelEvents());
        Assert.Equal(901.0 / 1002, result[0], 1e-15);
    }

    [Fact]
    public void Maximize_FeatureThatIsAlwaysOne_StaysPossibleOtherwise()
    {
        double[] result = new double[1];
        new Bernoulli(1, 1, Prior.None).Maximize([1], [1, 1], 10.0, [0.5], result, new ModelEvents());
        Assert.Equal(1 - 1e-6, result[0]);
    }
}
