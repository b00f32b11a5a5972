using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Counts of totals 3 to 12, one feature in three favoured in turn.</summary>
public sealed class Multinomials : Family
{
    public override EmissionOptions Options => new MultinomialOptions();

    public override Emission Create(int components, int dimension) => new Multinomial(components, dimension, 0, Prior.None);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3), total = 3 + chance.NextInt32(10);
            Array.Clear(row);
            for (int draw = 0; draw < total; draw++)
                row[chance.NextDouble() < 0.7 ? k % dimension : chance.NextInt32(dimension)]++;
            for (int d = 0; d < dimension; d++)
                if (chance.NextDouble() < missing) row[d] = double.NaN;
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }
}

[ContractOf("multinomial_mixture")]
public sealed class MultinomialInMixture : MixtureOf<Multinomials>
{
    /// <summary>Rows have totals of their own, which the probabilities do not say.</summary>
    protected override bool IsMinimal => false;
}

public sealed class MultinomialInProduct : ProductOf<Multinomials>;

public sealed class MultinomialInHiddenMarkov : HiddenMarkovOf<Multinomials>;

public sealed class MultinomialTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("multinomial", new Mixture("test", new Multinomial(2, 3, 0, Prior.None)))
        {
            Parameters = new Dictionary<string, string> { ["weights"] = "weights", ["probabilities"] = "p" },
            Statistics = new Dictionary<string, string> { ["masses"] = "N", ["counts"] = "S1" },
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_ConjugatePrior_IsOneImaginaryCount()
    {
        double[] result = new double[2];
        // 30 and 10 in 10 rows: (30 + 1/2, 10 + 1/2) / 41.
        new Multinomial(1, 2, 4, Prior.Conjugate).Maximize([1], [3, 1], 10.0, [0.5, 0.5], result, new ModelEvents());
        Assert.Equal(30.5 / 41, result[0], 1e-14);
        Assert.Equal(10.5 / 41, result[1], 1e-14);
    }

    [Fact]
    public void MissingCount_IsSummedOverWhatItCouldBe()
    {
        // Counts are drawn until the observed total is reached; what falls on the missing feature is not seen: a negative multinomial,
        // whose sum over the unseen count, up to where its terms are below rounding, is the density and the expectation.
        double[] p = [0.5, 0.2, 0.3], row = [3, double.NaN, 4];
        double sum = 0, unseen = 0;
        for (int m = 0; m < 200; m++)
        {
            double ways = ScalarMath.LogGamma(7 + m) - ScalarMath.LogGamma(m + 1) - ScalarMath.LogGamma(4) - ScalarMath.LogGamma(5)
                + ScalarMath.LogGamma(8) - ScalarMath.LogGamma(7);
            double term = Math.Exp(ways + (3 * Math.Log(0.5)) + (m * Math.Log(0.2)) + (4 * Math.Log(0.3)));
            (sum, unseen) = (sum + term, unseen + m * term);
        }
        var family = new Multinomial(1, 3, 0, Prior.None);
        var rows = new Minibatch(3);
        rows.Add(row);
        var block = new RowBlock(3);
        block.Fill(rows, 0, 1);
        double[] joint = new double[RowBlock.Stride], statistics = new double[3], ones = new double[RowBlock.Stride];
        ones[0] = 1;
        EmissionEStep eStep = family.Prepare(p);

        eStep.LogDensities(block, joint);
        eStep.Accumulate(block, ones, statistics);

        Assert.Equal(Math.Log(sum), joint[0], 1e-12);
        Assert.Equal([3, 4], [statistics[0], statistics[2]]);
        Assert.Equal(unseen / sum, statistics[1], 1e-12);
    }

    [Fact]
    public void RowOfZeros_SaysNothingOfItsComponent()
    {
        double[] joint = new double[8];
        Assert.True(new Multinomial(2, 2, 0, Prior.None).Prepare(new double[] { 0.9, 0.1, 0.2, 0.8 }).TryLogJoint([0, 0], [1, 2], joint));
        Assert.Equal([1, 2], joint[..2]);
    }
}
