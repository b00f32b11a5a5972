using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

/// <summary>Labels that may be wrong, and labels that are certain of what the parameters do not allow.</summary>
public sealed class NoisyLabelsTests
{
    [Fact]
    public void Learn_LabelsThatAreWrongInAFifth_LearnsTheConfusionAndTheNames()
    {
        var options = (MixtureOptions)ModelCatalog.MixtureOf(new GaussianOptions(), 2) with { LabelNoise = LabelNoise.Learned };
        var chance = new SplitMix64(3);
        var rows = new Minibatch(2);
        for (int n = 0; n < 40_000; n++)
        {
            int z = chance.NextDouble() < 0.4 ? 1 : 0;
            int label = chance.NextDouble() < (z == 0 ? 0.1 : 0.3) ? 1 - z : z;
            rows.Add([2.5 * z + Gaussians.Normal(chance), Gaussians.Normal(chance)],
                label: chance.NextDouble() < 0.5 ? label : Minibatch.Unlabelled);
        }
        var learner = new Learner(options, RecordSchema.OfNumbers(2) with { Label = "state" },
            new LearningOptions { MinibatchSize = 200, StepSize = new() { Kappa = 0.6 } });
        Streams.Feed(learner, rows, 0, rows.Count);

        LearnedModel learned = Streams.Snapshot(learner);

        Assert.Equal(["0", "1"], learned.Labels);
        double[] confusion = learned.Layout["confusion"].Of(learned.Parameters.AsSpan()).ToArray();
        // 20 000 labels, 8 000 of the rarer component: standard errors below .01; the rest is what one pass leaves of the way.
        foreach ((double expected, double found) in ((double[])[0.9, 0.1, 0.3, 0.7]).Zip(confusion))
            Assert.Equal(expected, found, 0.05);
        Assert.Equal(0.4, learned.Parameters[1], 0.06);
        // Records that are scored have no labels.
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned, new SnapshotOrigin("m", "run", "hash", DateTimeOffset.UnixEpoch)), written);
        Assert.Equal(learned.Parameters, SnapshotReader.Read(written.WrittenMemory).Parameters);
    }

    [Fact]
    public void Labels_OfSeveral_AreWorthTheSumOfTheirConfusion()
    {
        var model = new Mixture("test", new DiagonalGaussian(2, 1, new CovarianceRegularization([0], 1e-9)), hasNoisyLabels: true);
        // weights, confusion, means, variances.
        double[] theta = [0.5, 0.5, 0.9, 0.1, 0.3, 0.7, 0, 2, 1, 1], averages = new double[model.StatisticsLayout.Length];
        var rows = new Minibatch(1);
        rows.Add([1.0], label: rows.AddEvidence([1, 0.5]));
        new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, new double[1]);
        // In the middle the labels alone tell: .9 + .05 of the first, .3 + .35 of the second.
        double first = 0.95 / 1.6;
        double second = 1 - first;
        double[] expected = [first, second, first * 0.9 / 0.95, first * 0.05 / 0.95, second * 0.3 / 0.65, second * 0.35 / 0.65];
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], averages[at], 1e-12);
    }

    [Fact]
    public void Label_OfAComponentOfWeightZero_IsTakenAtItsWord()
    {
        var model = new Mixture("test", new DiagonalGaussian(2, 1, new CovarianceRegularization([0], 1e-9)));
        double[] theta = [1, 0, 0, 5, 1, 1], averages = new double[model.StatisticsLayout.Length], logDensities = new double[2];
        var rows = new Minibatch(1);
        rows.Add([0.5]);
        rows.Add([4.5], label: 1);

        Evidence evidence = new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, logDensities);

        Assert.Equal(2, evidence.Weight);
        Assert.Equal([0.5, 0.5], averages[..2]);
        Assert.Equal(2.25, model.StatisticsLayout["first_moments"].Of(averages.AsSpan())[1]);
        // What the row is worth without its label, for with it it could not be.
        Assert.True(double.IsFinite(evidence.LogLikelihood) && double.IsFinite(logDensities[1]));
    }

    [Fact]
    public void Labels_LeftOutOneByOne_GoFromTheClosedFormToTheMixture()
    {
        Minibatch drawn = Gaussians.Three.Draw(600, 9);
        var model = new Mixture("test", new FullGaussian(3, 2, new CovarianceRegularization([0, 0], 1e-9)));
        double[] theta = new double[model.ParameterLayout.Length], result = new double[theta.Length], all = [];
        model.Neutral(theta);
        for (int k = 0; k < 3; k++) model.Reseed(theta, new double[model.StatisticsLayout.Length], k, [2.0 * k, k]);
        double before = double.NaN;
        for (int labelled = 600; labelled >= 0; labelled -= 100)
        {
            var rows = new Minibatch(2);
            for (int row = 0; row < 600; row++)
                rows.Add(drawn.Row(row), label: row < labelled ? row % 3 : Minibatch.Unlabelled);
            double[] averages = new double[model.StatisticsLayout.Length];
            Evidence evidence = new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, new double[600]);
            model.Maximize(averages, 600.0, theta, result, new ModelEvents());
            if (labelled == 600) all = [.. result];
            // log p(x, z) of a row is never above its log p(x).
            Assert.True(double.IsNaN(before) || evidence.LogLikelihood >= before - 1e-9);
            before = evidence.LogLikelihood;
        }
        // All labelled: shares, means and covariances of the rows of each label, whatever the parameters were.
        for (int k = 0; k < 3; k++)
        {
            double[] xs = [.. Enumerable.Range(0, 600).Where(row => row % 3 == k).Select(row => drawn.Row(row)[0])];
            double mean = xs.Average();
            Assert.Equal(1.0 / 3, all[k], 1e-12);
            Assert.Equal(mean, all[3 + 2 * k], 1e-12);
            Assert.Equal(xs.Average(x => (x - mean) * (x - mean)), model.ParameterLayout["covariances"].Of(all.AsSpan())[4 * k], 1e-12);
        }
    }
}
