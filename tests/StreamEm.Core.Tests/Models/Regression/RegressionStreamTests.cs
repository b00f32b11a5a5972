using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Regression;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Regression;

/// <summary>What regressions find in a stream, and what they say of records.</summary>
public sealed class RegressionStreamTests
{
    /// <summary>Where all records weigh alike the moments of a stream are those of all its records.</summary>
    [Theory]
    [InlineData("bayesian_linear_regression")]
    [InlineData("sparse_regression")]
    public void Stream_OfEqualWeights_EndsWhereABatchDoes(string type)
    {
        LatentModelOptions options = ModelCatalog.Find(type)!.CreateOptions();
        LatentModel model = options.Create(FeatureSpace.Unscaled(6));
        Minibatch rows = Lines(6, 2000, 1);
        double[] neutral = new double[model.ParameterLayout.Length];
        model.Neutral(neutral);
        var state = new StepwiseState(model, neutral);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 1, T0 = 0 }), 1);
        for (int first = 0; first < rows.Count; first += 50)
        {
            var part = new Minibatch(6);
            part.Append(rows, first, 50);
            em.Update(state, part, new double[50]);
        }
        double[] batch = BatchEm.Run(model, rows, neutral, new BatchEmOptions { Tolerance = 0, MaxIterations = 50 }).Parameters;
        for (int at = 0; at < batch.Length; at++) Assert.Equal(batch[at], state.Parameters[at], 1e-8 * Math.Max(1, Math.Abs(batch[at])));
    }

    /// <summary>w = (.5, -1, .8): tolerance several times what 16 seeds of an independent implementation were off.</summary>
    [Fact]
    public void Stream_OfProbitTargets_FindsTheCoefficients()
    {
        var model = new ProbitRegression("probit_regression", 3, true, 1, hasCovariance: true);
        var chance = new SplitMix64(2);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        var state = new StepwiseState(model, theta, 100);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.7 }), 1);
        for (int update = 0; update < 600; update++)
        {
            var rows = new Minibatch(3);
            for (int n = 0; n < 100; n++)
            {
                double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance);
                rows.Add([a, b, 0.5 - a + 0.8 * b + Gaussians.Normal(chance) > 0 ? 1 : 0]);
            }
            em.Update(state, rows, new double[100]);
        }
        double[] truth = [0.5, -1, 0.8];
        for (int at = 0; at < 3; at++) Assert.Equal(truth[at], state.Parameters[at], 0.06);
    }

    /// <summary>Of ten features two matter: LASSO and horseshoe leave the others out, Student keeps them small.</summary>
    [Theory]
    [InlineData("laplace")]
    [InlineData("horseshoe")]
    [InlineData("student")]
    public void SparseRegression_ManyFeatures_SelectsThoseThatMatter(string prior)
    {
        var kind = new StreamEm.Core.Settings.ChoiceKind<SparsePrior>();
        Assert.True(kind.TryParse(prior, out SparsePrior chosen));
        var options = (SparseRegressionOptions)ModelCatalog.Find("sparse_regression")!.CreateOptions() with
        {
            Penalty = chosen == SparsePrior.Laplace ? 2000 : 20,
            Prior = chosen,
        };
        var chance = new SplitMix64(8);
        var records = new Minibatch(11);
        for (int n = 0; n < 4000; n++)
        {
            double[] row = [.. Enumerable.Range(0, 11).Select(_ => 5 + 3 * Gaussians.Normal(chance))];
            row[10] = 2 * row[1] - row[6] + Gaussians.Normal(chance);
            records.Add(row);
        }
        var schema = RecordSchema.OfNumbers(10) with { Target = "y" };
        LearnedModel learned = Streams.Snapshot(
            Streams.Learn(options, new LearningOptions { MinibatchSize = 200 }, records, schema: schema));
        double[] w = [.. learned.Parameters.Take(11)];
        Assert.Equal(2, w[2], 0.1);
        Assert.Equal(-1, w[7], 0.1);
        int[] others = [1, 3, 4, 5, 6, 8, 9, 10];
        // Only the Laplace prior has one maximum; of the others EM may end at one where a small coefficient is none.
        if (chosen == SparsePrior.Laplace) Assert.All(others, at => Assert.Equal(0, w[at]));
        else Assert.All(others, at => Assert.InRange(Math.Abs(w[at]), 0, 0.05));
        if (chosen == SparsePrior.Laplace) Assert.Equal(2, learned.Health["selected_features"]);
    }

    [Fact]
    public void Score_OfABayesianRegression_PredictsWithItsUncertainty()
    {
        LatentModelOptions options = ModelCatalog.Find("bayesian_linear_regression")!.CreateOptions();
        var schema = RecordSchema.OfNumbers(1) with { Target = "y" };
        var chance = new SplitMix64(9);
        var records = new Minibatch(2);
        for (int n = 0; n < 3000; n++)
        {
            double x = 1000 + 10 * Gaussians.Normal(chance);
            records.Add([x, 7 + 3 * x + 2 * Gaussians.Normal(chance)]);
        }
        var scorer = new Scorer(Streams.Snapshot(
            Streams.Learn(options, new LearningOptions { MinibatchSize = 200 }, records, schema: schema)));
        var probes = new Minibatch(2);
        foreach ((double x, double y) in ((double, double)[])[(1000, double.NaN), (1000, 3007), (1000, 3027), (2000, double.NaN),
            (double.NaN, 3007)]) probes.Add([x, y]);
        int width = scorer.Layout.Length;
        double[] densities = new double[5], scores = new double[5 * width], anomalies = new double[5], pValues = new double[5];
        scorer.Score(probes, densities, scores, anomalies, pValues);

        Assert.Equal(3007, scores[0], 0.5);
        Assert.Equal(4, scores[1], 0.6);
        Assert.Equal((0.0, 0.0, 1.0), (densities[0], anomalies[0], pValues[0]));
        Assert.Equal(NormalDistribution.LogDensity(0) - 0.5 * Math.Log(4), densities[1], 0.1);
        Assert.InRange(anomalies[2], 0.999, 1);
        // Far from all records the coefficients' own uncertainty shows.
        Assert.InRange(scores[3 * width + 1], 5, 200);
        Assert.All(scores[(4 * width)..], value => Assert.True(double.IsNaN(value)));
        Assert.Equal(0, densities[4]);
    }

    /// <summary>One absurd target of a sensor is not learned from.</summary>
    [Theory]
    [InlineData("bayesian_linear_regression")]
    [InlineData("sparse_regression")]
    public void Learn_OneAbsurdTarget_ChangesNothing(string type)
    {
        LatentModelOptions options = ModelCatalog.Find(type)!.CreateOptions();
        var schema = RecordSchema.OfNumbers(2) with { Target = "y" };
        double[] Found(bool isAbsurd)
        {
            Minibatch records = Lines(3, 4000, 3), with = new(3);
            for (int row = 0; row < records.Count; row++)
                with.Add(isAbsurd && row == 3000 ? [records.Row(row)[0], records.Row(row)[1], 1e9] : records.Row(row));
            return Streams.Snapshot(Streams.Learn(options, new LearningOptions { MinibatchSize = 200 }, with, schema: schema)).Parameters;
        }
        double[] clean = Found(false), disturbed = Found(true);
        for (int at = 0; at < 3; at++) Assert.Equal(clean[at], disturbed[at], 0.01);
    }

    /// <summary>Phi by the tables (Abramowitz &amp; Stegun, table 26.1), and the tail by its asymptotic series.</summary>
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.841344746068543)]
    [InlineData(-1.96, 0.024997895148220)]
    [InlineData(-3, 0.001349898031630)]
    public void NormalDistribution_IsThatOfTheTables(double x, double expected)
    {
        Assert.Equal(expected, NormalDistribution.Cumulative(x), 1e-14);
        Assert.Equal(Math.Log(expected), NormalDistribution.LogCumulative(x, out double ratio), 1e-11);
        Assert.Equal(Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI) / expected, ratio, 1e-10);
    }

    [Fact]
    public void NormalDistribution_FarTail_HasItsLogarithm()
    {
        double log = NormalDistribution.LogCumulative(-50, out double ratio);
        Assert.Equal(NormalDistribution.LogDensity(50) - Math.Log(50) + Math.Log(1 - 1 / 2500.0 + 3 / 6.25e6 - 15 / 1.5625e10), log, 1e-9);
        Assert.Equal(50 + 1 / 50.0 - 2 / 125000.0, ratio, 1e-7);
    }

    private static Minibatch Lines(int dimension, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension, count);
        for (int n = 0; n < count; n++)
        {
            double[] row = [.. Enumerable.Range(0, dimension).Select(_ => Gaussians.Normal(chance))];
            row[^1] = 0.3 + row[0] - 0.5 * row[1] + 0.5 * row[^1];
            rows.Add(row);
        }
        return rows;
    }
}
