using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>Engines of data that end: the same fixed points, at another cost.</summary>
public sealed class FitEngineTests(ITestOutputHelper output)
{
    /// <summary>Two components that overlap: EM's own steps are short.</summary>
    private static readonly Gaussians Overlapping = new([0.6, 0.4], [[0, 0], [1.8, 0.5]], [[1, 0.3, 0.3, 1], [1, 0, 0, 1.5]]);

    private static readonly Mixture Model = Gaussians.Model(2, 2, CovarianceType.Full, regCovar: 0);

    public static TheoryData<FitEngine> Engines => [FitEngine.Incremental, FitEngine.OverRelaxed, FitEngine.Spider, FitEngine.Gradient];

    [Theory]
    [MemberData(nameof(Engines))]
    public void Run_ToConvergence_ReachesTheFixedPointOfBatchEm(FitEngine engine)
    {
        Minibatch rows = Overlapping.Draw(6000, 3);
        double[] start = Start(0.4);
        BatchEmResult batch = BatchEm.Run(Model, rows, start, Exact),
            other = BatchEm.Run(Model, rows, start, Exact with { Engine = engine });
        output.WriteLine($"{engine}: {other.Evaluations} rows, batch {batch.Evaluations}; "
            + $"{Distance(batch.Parameters, other.Parameters):G3} apart");
        Assert.True(batch.Converged && other.Converged);
        Assert.Equal(batch.LogLikelihoods[^1], other.LogLikelihoods[^1], 1e-10);
        Assert.True(Distance(batch.Parameters, other.Parameters) < 1e-5);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Run_EveryFamily_ReachesTheLikelihoodOfBatchEm(FitEngine engine)
    {
        foreach (EmissionOptions family in (EmissionOptions[])[new PoissonOptions(), new BernoulliOptions(), new ExponentialOptions()])
        {
            var chance = new SplitMix64(4);
            var rows = new Minibatch(3);
            for (int n = 0; n < 2000; n++)
            {
                bool second = chance.NextDouble() < 0.4;
                rows.Add([.. Enumerable.Range(0, 3).Select(d => family is ExponentialOptions
                    ? -(second ? 3 : 0.5) * Math.Log(1 - chance.NextDouble())
                    : chance.NextDouble() < (second ? 0.8 : 0.2) ? 1.0 : 0)]);
            }
            Emission emission = family.WithoutPrior().Create(Core.Features.FeatureSpace.Unscaled(3).Features, 2);
            var model = new Mixture("test", emission);
            double[] start = new double[model.ParameterLayout.Length];
            model.Neutral(start);
            model.Reseed(start, new double[model.StatisticsLayout.Length], 1, [0.7, 0.6, 0.7]);
            BatchEmOptions options = new() { Tolerance = 1e-11 };
            double expected = BatchEm.Run(model, rows, start, options).LogLikelihoods[^1],
                found = BatchEm.Run(model, rows, start, options with { Engine = engine }).LogLikelihoods[^1];
            output.WriteLine($"{engine} {family.Entry.Type}: {found:R}, batch {expected:R}");
            Assert.Equal(expected, found, 1e-7);
        }
    }

    /// <summary>A pass in which the blocks' likelihoods add up to less is no end: degrees of freedom are learned slowly.</summary>
    [Fact]
    public void Incremental_APassThatFalls_IsNoEnd()
    {
        var draws = new RandomDraws(12);
        var rows = new Minibatch(1);
        for (int row = 0; row < 1500; row++) rows.Add([(row % 3 == 0 ? 6 : 0) + draws.Normal() / Math.Sqrt(draws.Gamma(2) / 2)]);
        var model = new Mixture("test", new StudentT(2, 1, new CovarianceRegularization([0], 1e-9), null));
        double[] start = new double[model.ParameterLayout.Length];
        model.Neutral(start);
        model.Reseed(start, new double[model.StatisticsLayout.Length], 1, [6]);
        var options = new BatchEmOptions { Tolerance = 1e-9 };
        BatchEmResult batch = BatchEm.Run(model, rows, start, options),
            incremental = BatchEm.Run(model, rows, start, options with { Engine = FitEngine.Incremental, BlockRows = 100 });
        output.WriteLine($"{incremental.LogLikelihoods.Count} passes to {incremental.LogLikelihoods[^1]:R}, batch "
            + $"{batch.LogLikelihoods.Count} to {batch.LogLikelihoods[^1]:R}");
        Assert.True(incremental.LogLikelihoods[^1] > batch.LogLikelihoods[^1] - 1e-5);
    }

    [Theory]
    [InlineData(FitEngine.OverRelaxed, 2)]
    [InlineData(FitEngine.Gradient, 20)]
    public void Run_OverlappingComponents_TakesAFractionOfTheRowsAndNeverFalls(FitEngine engine, int fraction)
    {
        Minibatch rows = Overlapping.Draw(6000, 3);
        BatchEmResult batch = BatchEm.Run(Model, rows, Start(0.4), Exact),
            other = BatchEm.Run(Model, rows, Start(0.4), Exact with { Engine = engine });
        output.WriteLine($"{other.Evaluations} of {batch.Evaluations} rows");
        Assert.True(fraction * other.Evaluations <= batch.Evaluations, $"{other.Evaluations} of {batch.Evaluations} rows");
        Assert.True(other.LargestFall <= 1e-12, $"fell by {other.LargestFall:R}");
    }

    [Fact]
    public void Gradient_WhatIsFixed_StaysAndTheRestIsClimbed()
    {
        Mixture model = Gaussians.Model(2, 2, CovarianceType.Full, regCovar: 1e-3);
        model.Hold(new BlockNames(["weights", "covariances"]));
        Minibatch rows = Overlapping.Draw(3000, 8);
        BatchEmOptions options = new() { Tolerance = 1e-13, MaxIterations = 5000 };
        double[] start = Start(0.4), batch = BatchEm.Run(model, rows, start, options).Parameters,
            gradient = BatchEm.Run(model, rows, start, options with { Engine = FitEngine.Gradient }).Parameters;
        foreach (string block in (string[])["weights", "covariances"])
            Assert.Equal(model.ParameterLayout[block].Of(start).ToArray(), model.ParameterLayout[block].Of(gradient).ToArray());
        Assert.True(Distance(batch, gradient) < 1e-5);
    }

    [Fact]
    public void Gradient_ModelWithoutOneOrHardResponsibilities_IsRefused()
    {
        LatentModel model = Catalog.ModelCatalog.Find("factor_analysis")!.CreateOptions().Create(Core.Features.FeatureSpace.Unscaled(3));
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        BatchEmOptions options = new() { Engine = FitEngine.Gradient };
        string refused = Assert.Throws<NotSupportedException>(() => BatchEm.Run(model, Overlapping.Draw(10, 1), theta, options)).Message;
        Assert.Contains("use over_relaxed or batch", refused, StringComparison.Ordinal);
        refused = Assert.Throws<NotSupportedException>(() => BatchEm.Run(Model, Overlapping.Draw(10, 1), Start(0.4), options,
            new Pass(null) { Rule = new HardResponsibilities() })).Message;
        Assert.Contains("soft responsibilities", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Incremental_AfterTheFirstPass_RaisesTheLikelihoodPassByPass()
    {
        BatchEmResult result = BatchEm.Run(Model, Overlapping.Draw(6000, 3), Start(0.4),
            Exact with { Engine = FitEngine.Incremental, BlockRows = 200 });
        for (int pass = 2; pass < result.LogLikelihoods.Count; pass++)
            Assert.True(result.LogLikelihoods[pass] >= result.LogLikelihoods[pass - 1] - 1e-9);
    }

    [Fact]
    public void Spider_ManyRows_TakesAFifthOfBatchEmsToTheSamePoint()
    {
        int many = int.Parse(Environment.GetEnvironmentVariable("STREAMEM_TEST_RECORDS") ?? "100000", CultureInfo.InvariantCulture);
        // The rows it takes to come within 1e-6 of where batch EM ends, by the largest difference of a parameter. Where that is: batch EM's
        // steps, a hundred of which take off two thirds of the way, from near there.
        Minibatch rows = Overlapping.Draw(many, 5);
        double[] start = Start(0.4), near = BatchEm.Run(Model, rows, start, Passes(20) with { Engine = FitEngine.Spider }).Parameters,
            end = BatchEm.Run(Model, rows, near, Passes(300)).Parameters;
        long spider = RowsTo(end, FitEngine.Spider, rows, start, [8, 12, 16, 20]),
            batch = RowsTo(end, FitEngine.Batch, rows, start, [(int)(5 * spider / rows.Count)]);
        output.WriteLine($"spider {spider:N0} rows, batch at least {batch:N0}");
        Assert.True(5 * spider <= batch, $"spider {spider:N0} rows, batch at least {batch:N0}");
    }

    [Fact]
    public void OnePass_StepwiseBeatsIncrementalBeatsBatch()
    {
        // As Liang & Klein (2009) report, the mean over 20 data sets.
        double stepwise = 0, incremental = 0, batch = 0;
        for (ulong seed = 1; seed <= 20; seed++)
        {
            Minibatch rows = Gaussians.Three.Draw(2000, seed);
            Mixture model = Gaussians.Model(3, 2, CovarianceType.Full, regCovar: 1e-6);
            double[] start = new double[model.ParameterLayout.Length];
            model.Neutral(start);
            var chance = new SplitMix64(seed);
            for (int k = 0; k < 3; k++)
                for (int d = 0; d < 2; d++) start[3 + 2 * k + d] = Gaussians.Three.Means[k][d] / 2 + chance.NextDouble() - 0.5;
            var once = new BatchEmOptions { MaxIterations = 1, Tolerance = 0, BlockRows = 50 };
            batch += MeanLogLikelihood(model, rows, BatchEm.Run(model, rows, start, once).Parameters);
            incremental += MeanLogLikelihood(
                model, rows, BatchEm.Run(model, rows, start, once with { Engine = FitEngine.Incremental, MaxIterations = 0 }).Parameters);
            var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
            var state = new StepwiseState(model, start);
            var part = new Minibatch(2);
            for (int first = 0; first < 2000; first += 50)
            {
                part.Clear();
                part.Append(rows, first, 50);
                em.Update(state, part, new double[50]);
            }
            stepwise += MeanLogLikelihood(model, rows, state.Parameters);
        }
        output.WriteLine($"stepwise {stepwise / 20:F4}, incremental {incremental / 20:F4}, batch {batch / 20:F4}");
        Assert.True(stepwise > incremental && incremental > batch,
            $"stepwise {stepwise / 20:F4}, incremental {incremental / 20:F4}, batch {batch / 20:F4}");
    }

    [Fact]
    public void Spider_ForSequences_IsRefused()
    {
        var model = new Core.Models.Sequences.HiddenMarkov("test", new DiagonalGaussian(2, 1, new CovarianceRegularization([0], 1e-9)),
            Prior.None);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        NotSupportedException refused = Assert.Throws<NotSupportedException>(() => BatchEm.Run(
            model, Overlapping.Draw(10, 1), theta, new BatchEmOptions { Engine = FitEngine.Spider }));
        Assert.Contains("use incremental, over_relaxed or batch", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FitEngine.Incremental)]
    [InlineData(FitEngine.Spider)]
    public void Run_StatisticsThatAreNoSums_IsRefused(FitEngine engine)
    {
        var model = new Mixture("test", new StudentT(2, 2, new CovarianceRegularization([0, 0], 1e-9), null, FreedomStep.Ecme));
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        Assert.Equal(EmSteps.Either, model.Steps);
        NotSupportedException refused = Assert.Throws<NotSupportedException>(() => BatchEm.Run(
            model, Overlapping.Draw(10, 1), theta, new BatchEmOptions { Engine = engine }));
        Assert.Contains("Use over_relaxed or batch", refused.Message, StringComparison.Ordinal);
    }

    private static BatchEmOptions Passes(int count) => new() { Tolerance = -1, MaxIterations = count };

    private static BatchEmOptions Exact { get; } = new() { Tolerance = 1e-14, MaxIterations = 20_000 };

    private long RowsTo(double[] end, FitEngine engine, Minibatch rows, double[] start, int[] passes)
    {
        long least = 0;
        foreach (int count in passes)
        {
            BatchEmResult result = BatchEm.Run(Model, rows, start, Passes(count) with { Engine = engine });
            output.WriteLine($"{engine} {count}: {result.Evaluations:N0} rows, {Distance(end, result.Parameters):G3} from the end");
            if (Distance(end, result.Parameters) <= 1e-6) return engine == FitEngine.Batch ? least : result.Evaluations;
            least = result.Evaluations;
        }
        return engine == FitEngine.Batch ? least : long.MaxValue / 8;
    }

    /// <summary>Means some of the way towards each other.</summary>
    private static double[] Start(double nearer)
    {
        double[] theta = new double[Model.ParameterLayout.Length];
        Model.Neutral(theta);
        theta[2] += nearer;
        theta[4] = 1.8 - nearer;
        return theta;
    }

    private static double MeanLogLikelihood(Mixture model, Minibatch rows, double[] theta) =>
        new ShardedEStep(model, 1).Accumulate(model.Prepare(theta), rows, new double[model.StatisticsLayout.Length], new double[rows.Count])
            .MeanLogLikelihood;

    private static double Distance(double[] one, double[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();
}
