using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>
/// Streams of known truth. Tolerances: the worst of 16 seeds of a right implementation, rounded up; implementations with one known mistake
/// (no (1 - gamma), posterior covariance dropped, literal recursion at small minibatches) lie beyond them.
/// </summary>
public sealed class StreamTests(ITestOutputHelper output)
{
    private static readonly StepSizeOptions Slow = new() { Kappa = 0.6 };
    private static readonly MixtureOptions Three = Gaussians.Mixture(3, regCovar: 1e-6);

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Statistics_AveragedOverTheSecondHalf_FindTheTruth(ulong seed)
    {
        (double weights, double means, double covariances) =
            Errors(Gaussians.Three, Gaussians.Three.Draw(50_000, seed), 50, Recursion.Statistics, seed);
        output.WriteLine($"weights {weights:F4}, means {means:F4}, covariances {covariances:F4}");
        Assert.True(weights < 0.015 && means < 0.05 && covariances < 0.08);
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Statistics_QuarterOfTheValuesMissing_FindTheTruth(ulong seed)
    {
        (double weights, double means, double covariances) =
            Errors(Gaussians.Three, Gaussians.Three.Draw(30_000, seed, 0.25), 100, Recursion.Statistics, seed);
        output.WriteLine($"weights {weights:F4}, means {means:F4}, covariances {covariances:F4}");
        Assert.True(weights < 0.02 && means < 0.08 && covariances < 0.12);
    }

    [Fact]
    public void Statistics_OneNormalWithMissingValues_FindsMeanAndCovariance()
    {
        var truth = new Gaussians([1], [[1, -1, 0.5]], [[2, 0.8, -0.3, 0.8, 1, 0.4, -0.3, 0.4, 1.5]]);
        var model = Gaussians.Mixture(1);
        var options = new LearningOptions { Recursion = Recursion.Statistics, MinibatchSize = 100 };
        double[] theta = Average(truth, model, options, truth.Draw(40_000, 5, 0.3), truth.Start(5));
        double mean = Enumerable.Range(0, 3).Max(d => Math.Abs(theta[1 + d] - truth.Means[0][d]));
        double covariance = Frobenius(theta.AsSpan(4, 9), truth.Covariances[0]);
        output.WriteLine($"mean {mean:F4}, covariance {covariance:F4}");
        Assert.True(mean < 0.03 && covariance < 0.05);
    }

    [Fact]
    public void Parameters_SmallMinibatches_ShrinkCovarianceAsTheoryPredicts_AndStatisticsDoNot()
    {
        double literal = 0, statistics = 0;
        const int seeds = 3;
        for (ulong seed = 1; seed <= seeds; seed++)
        {
            literal += TraceRatio(Recursion.Parameters, seed) / seeds;
            statistics += TraceRatio(Recursion.Statistics, seed) / seeds;
        }
        output.WriteLine($"parameters {literal:F3}, statistics {statistics:F3}");
        Assert.InRange(literal, -0.42, -0.25);
        Assert.InRange(statistics, -0.03, 0.03);
    }

    [Fact]
    public void Masses_EveryUpdateOfTheStatistics_SumToOne()
    {
        Minibatch rows = Gaussians.Three.Draw(5_000, 9, 0.1);
        Mixture model = Gaussians.Model(3, 2);
        double[] theta = Gaussians.Three.Start(9).Flatten(model);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(Slow));
        var state = new StepwiseState(model, theta);
        var batch = new Minibatch(2, 50);
        for (int first = 0; first < rows.Count; first += 50)
        {
            batch.Clear();
            batch.Append(rows, first, 50);
            em.Update(state, batch, new double[50]);
            double total = state.Statistics[0] + state.Statistics[1] + state.Statistics[2];
            Assert.True(Math.Abs(total - 1) < 1e-12, $"{total:R}");
        }
    }

    [Fact]
    public void Floor_MeansMoveHalfWay_ModelFollows()
    {
        var before = new Gaussians([0.5, 0.5], [[0], [10]], [[1], [1]]);
        var after = new Gaussians([0.5, 0.5], [[3], [16]], [[1], [1]]);
        var model = Gaussians.Mixture(2);
        Minibatch first = before.Draw(20_000, 3), second = after.Draw(20_000, 4);
        double Worst(double floor)
        {
            var options =
                new LearningOptions { Recursion = Recursion.Statistics, MinibatchSize = 50, StepSize = new() { Kappa = 1, Floor = floor } };
            var learner = new Learner(model, RecordSchema.OfNumbers(1), options, before.Start(1));
            Streams.Feed(learner, first, 0, first.Count);
            Streams.Feed(learner, second, 0, second.Count);
            double[] theta = Streams.Snapshot(learner).Parameters;
            return Math.Max(Math.Abs(theta[2] - 3), Math.Abs(theta[3] - 16));
        }
        double floored = Worst(0.02), forgetful = Worst(0);
        output.WriteLine($"floor 0.02: {floored:F3}; no floor: {forgetful:F3}");
        Assert.True(floored < 0.3 && forgetful > 1);
    }

    private static (double Weights, double Means, double Covariances) Errors(
        Gaussians truth, Minibatch rows, int minibatch, Recursion recursion, ulong seed)
    {
        var options = new LearningOptions { Recursion = recursion, MinibatchSize = minibatch, StepSize = Slow };
        double[] theta = Average(truth, Three, options, rows, truth.Start(seed));
        double weights = 0, means = 0, covariances = 0;
        for (int k = 0; k < 3; k++)
        {
            weights = Math.Max(weights, Math.Abs(theta[k] - truth.Weights[k]));
            for (int d = 0; d < 2; d++) means = Math.Max(means, Math.Abs(theta[3 + 2 * k + d] - truth.Means[k][d]));
            covariances = Math.Max(covariances, Frobenius(theta.AsSpan(9 + 4 * k, 4), truth.Covariances[k]));
        }
        return (weights, means, covariances);
    }

    /// <summary>Parameters averaged over the second half of the updates (Polyak and Ruppert).</summary>
    private static double[] Average(Gaussians truth, MixtureOptions model, LearningOptions options, Minibatch rows, InitialParameters start)
    {
        var learner = new Learner(model, RecordSchema.OfNumbers(truth.Dimension), options, start);
        double[]? sum = null;
        int averaged = 0;
        for (int first = 0; first < rows.Count; first += options.MinibatchSize)
        {
            Streams.Feed(learner, rows, first, Math.Min(options.MinibatchSize, rows.Count - first));
            if (first < rows.Count / 2) continue;
            double[] theta = Streams.Snapshot(learner).Parameters;
            sum ??= new double[theta.Length];
            for (int at = 0; at < theta.Length; at++) sum[at] += theta[at];
            averaged++;
        }
        return Array.ConvertAll(sum!, value => value / averaged);
    }

    /// <summary>trace(Sigma of the rarest component) / truth - 1, from a start at the truth, minibatches of 20.</summary>
    private static double TraceRatio(Recursion recursion, ulong seed)
    {
        var options = new LearningOptions { Recursion = recursion, MinibatchSize = 20, StepSize = Slow };
        double[] theta = Average(Gaussians.Three, Three, options, Gaussians.Three.Draw(60_000, seed), Gaussians.Three.Exact());
        return (theta[9 + 8] + theta[9 + 11]) / (1.5 + 0.6) - 1;
    }

    private static double Frobenius(ReadOnlySpan<double> found, double[] truth)
    {
        double difference = 0, norm = 0;
        for (int at = 0; at < truth.Length; at++)
        {
            difference += (found[at] - truth[at]) * (found[at] - truth[at]);
            norm += truth[at] * truth[at];
        }
        return Math.Sqrt(difference / norm);
    }
}
