using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>The clouds of the Gaussian families, one row in ten three times as wide.</summary>
public sealed class StudentTs : Family
{
    private static readonly FullGaussians Clouds = new();

    public override EmissionOptions Options => new StudentTOptions { Prior = Prior.Conjugate };

    public override bool HasLatentScale => true;

    public override Emission Create(int components, int dimension) =>
        new StudentTOptions { RegCovar = 0 }.Create(FeatureSpace.Unscaled(dimension).Features, components);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing)
    {
        Minibatch clouds = Clouds.Rows(dimension, count, seed, missing), rows = new(dimension, count);
        var chance = new SplitMix64(seed + 1000);
        for (int n = 0; n < count; n++)
        {
            double factor = chance.NextDouble() < 0.1 ? 3 : 1;
            rows.Add([.. clouds.Row(n).ToArray().Select(value => factor * value)], clouds.Weight(n));
        }
        return rows;
    }
}

[ContractOf("student_t_mixture")]
public sealed class StudentTInMixture : MixtureOf<StudentTs>
{
    /// <summary>The rows' own weights are latent too: statistics are more than the parameters they imply.</summary>
    protected override bool IsMinimal => false;
}

public sealed class StudentTInProduct : ProductOf<StudentTs>;

public sealed class StudentTInHiddenMarkov : HiddenMarkovOf<StudentTs>;

public sealed class StudentTTests
{
    private static readonly CovarianceRegularization None = new([0, 0], 1e-12);

    private static JsonElement Golden => new GoldenFile("student_t", new Mixture("test", new StudentT(1, 2, None, 4)))
    {
        Parameters = new Dictionary<string, string>(),
        Statistics = new Dictionary<string, string>(),
    }.Read();

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatchesOfOneComponent_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("student_t", new Mixture("test", new StudentT(1, 2, None, 4)))
        {
            Parameters = new Dictionary<string, string> { ["means"] = "loc", ["scale_matrices"] = "scale" },
            Statistics = new Dictionary<string, string>
            {
                ["precisions"] = "Su",
                ["first_moments"] = "Sux",
                ["second_moments"] = "Suxx",
            },
            Responsibilities = null,
        }.Check(recursion, GetType());

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("mixture_student_t", new Mixture("test", new StudentT(2, 2, None, 4)))
        {
            Parameters = new Dictionary<string, string> { ["weights"] = "weights", ["means"] = "loc", ["scale_matrices"] = "scale" },
            Statistics = new Dictionary<string, string>
            {
                ["masses"] = "N",
                ["precisions"] = "Su",
                ["first_moments"] = "Sux",
                ["second_moments"] = "Suxx",
            },
            Constants = new Dictionary<string, double[]> { ["degrees_of_freedom"] = [4, 10] },
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_DegreesOfFreedom_AreTheRootOfTheGoldenFile()
    {
        JsonElement golden = Golden.GetProperty("expected");
        double first = golden.GetProperty("nu_statistic_mean(Elog_u - u) at nu0=4").GetDouble();
        JsonElement second = golden.GetProperty("nu_case2");

        Assert.Equal(golden.GetProperty("nu_argmax").GetDouble(), StudentT.Freedom(first), 1e-9);
        Assert.Equal(second.GetProperty("nu_argmax").GetDouble(), StudentT.Freedom(second.GetProperty("Snu").GetDouble()), 1e-9);
        // As light as a Gaussian's tails, and heavier than any mean bears.
        Assert.Equal((200, 1), (StudentT.Freedom(-0.9), StudentT.Freedom(-5)));
    }

    [Fact]
    public void Accumulate_LogPrecisionsOfTheGoldenRows_AreTheGoldenStatistic()
    {
        var family = new StudentT(1, 2, None, null);
        Minibatch rows = GoldenRows.Table(Golden.GetProperty("inputs").GetProperty("batches")[0]);
        var block = new RowBlock(2);
        block.Fill(rows, 0, rows.Count);
        double[] statistics = new double[family.StatisticsLayout.Length], ones = new double[RowBlock.Stride];
        Array.Fill(ones, 1, 0, rows.Count);

        family.Prepare(new double[] { 0.2, 0.1, 1.1, 0.3, 0.3, 0.9, 4 }).Accumulate(block, ones, statistics);

        Assert.Equal(Golden.GetProperty("expected").GetProperty("nu_statistic_mean(Elog_u - u) at nu0=4").GetDouble(),
            statistics[^1] / rows.Count, 1e-12);
    }

    [Fact]
    public void Spread_OfAComponentsOwnRecords_IsTheirMeanAndVariance()
    {
        // log p of 40 000 draws of nu = 5 in two features: standard errors of mean and variance below .01 and .03.
        var spreads = new LogDensitySpread[1];
        EmissionEStep eStep = new StudentT(1, 2, None, 5).Prepare(new double[] { 0, 0, 1, 0, 0, 1, 5 });
        eStep.Spread([], spreads);
        double[] logs = new double[40_000];
        var chance = new SplitMix64(7);
        var rows = new Minibatch(2, 256);
        var block = new RowBlock(2);
        for (int n = 0; n < logs.Length; n++)
        {
            double u = 0;
            for (int i = 0; i < 5; i++) u += Math.Pow(Gaussians.Normal(chance), 2) / 5;
            rows.Clear();
            rows.Add([Gaussians.Normal(chance) / Math.Sqrt(u), Gaussians.Normal(chance) / Math.Sqrt(u)]);
            block.Fill(rows, 0, 1);
            double[] joint = new double[RowBlock.Stride];
            eStep.LogDensities(block, joint);
            logs[n] = joint[0];
        }
        double mean = logs.Average();
        Assert.Equal(mean, spreads[0].Peak - spreads[0].Drop, 0.05);
        Assert.Equal(logs.Average(log => (log - mean) * (log - mean)), spreads[0].Variance, 0.15);
        Assert.InRange(logs.Max(), spreads[0].Peak - 0.1, spreads[0].Peak);
    }
}
