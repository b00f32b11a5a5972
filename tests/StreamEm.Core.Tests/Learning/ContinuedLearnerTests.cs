using System.Buffers;
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

namespace StreamEm.Core.Tests.Learning;

/// <summary>Learning that goes on from a snapshot, and learning that starts at parameters.</summary>
public sealed class ContinuedLearnerTests
{
    private static readonly MixtureOptions Model = ModelCatalog.MixtureOf(new GaussianOptions(), 3);

    private static readonly Minibatch Rows = Gaussians.Three.Draw(8000, 5);

    private static readonly RecordSchema Schema = RecordSchema.OfNumbers(Rows.Dimension);

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void From_ASnapshot_GoesOnWithItsTimeStepSizeWorthAndCalibration(Recursion recursion)
    {
        var options = new LearningOptions
        { MinibatchSize = 100, Recursion = recursion, Learn = LearnMode.Always, Initialization = new() { Buffer = 400, NInit = 1 } };
        var whole = new Learner(Model, Schema, options);
        Streams.Feed(whole, Rows, 0, 5000);
        LearnedModel then = Streams.Snapshot(whole);

        var continued = new Learner(Model, Schema, options, SnapshotReader.ReadInitialParameters(Json(then)));
        LearnedModel first = Streams.Snapshot(continued);

        Assert.Equal((50L, 5000L), (first.Version, first.Training.Records));
        Assert.Equal(then.Training.EffectiveRecords, first.Training.EffectiveRecords, 1e-9 * then.Training.EffectiveRecords);
        Assert.Equal(then.Training.LastStepSize, first.Training.LastStepSize);
        Near(then.Parameters, first.Parameters, 1e-9);
        foreach (double density in (double[])[2, 0, -2, -5, -8, -12, -40])
            Assert.Equal(then.Calibration!.Score(density), first.Calibration!.Score(density), 5e-3);

        Streams.Feed(whole, Rows, 5000, 3000);
        Streams.Feed(continued, Rows, 5000, 3000);
        LearnedModel expected = Streams.Snapshot(whole), found = Streams.Snapshot(continued);
        Assert.Equal(expected.Version, found.Version);
        Assert.Equal(expected.Training.LastStepSize, found.Training.LastStepSize, 1e-15);
        Near(expected.Parameters, found.Parameters, 1e-6);
    }

    /// <summary>What priors and mean totals are measured by is part of a snapshot of counts and amounts.</summary>
    [Theory]
    [InlineData("poisson")]
    [InlineData("multinomial")]
    [InlineData("exponential")]
    [InlineData("bernoulli")]
    public void From_ASnapshotOfAnyFamily_GoesOnAsIfItHadNotStopped(string family)
    {
        MixtureOptions model = ModelCatalog.MixtureOf(family switch
        {
            "poisson" => new PoissonOptions(),
            "multinomial" => new MultinomialOptions(),
            "exponential" => new ExponentialOptions(),
            _ => (EmissionOptions)new BernoulliOptions(),
        }, 2);
        var draws = new RandomDraws(7);
        var rows = new Minibatch(2);
        for (int row = 0; row < 3000; row++)
        {
            (double a, double b) = row % 2 == 0 ? (40, 4) : (9, 30);
            rows.Add(family switch
            {
                "exponential" => [a * draws.Exponential(), b * draws.Exponential()],
                "bernoulli" => [draws.Poisson(a / 40) > 0 ? 1 : 0, draws.Poisson(b / 40) > 0 ? 1 : 0],
                _ => [draws.Poisson(a), draws.Poisson(b)],
            });
        }
        var options = new LearningOptions { MinibatchSize = 50, Learn = LearnMode.Always, Initialization = new() { Buffer = 300 } };
        var whole = new Learner(model, Schema, options);
        Streams.Feed(whole, rows, 0, 2000);
        LearnedModel then = Streams.Snapshot(whole), read = SnapshotReader.Read(Json(then));
        double[] mean = new double[2], readMean = new double[2];
        Assert.True(then.Model.TryMoments(then.Parameters, mean, new double[2]));
        Assert.True(read.Model.TryMoments(read.Parameters, readMean, new double[2]));
        Near(mean, readMean, 1e-12);

        var continued = new Learner(model, Schema, options, SnapshotReader.ReadInitialParameters(Json(then)));
        Streams.Feed(whole, rows, 2000, 1000);
        Streams.Feed(continued, rows, 2000, 1000);
        // What counts add up to on average is only nearly what it was in the first records.
        double tolerance = family == "multinomial" ? 2e-4 : 1e-8;
        Near(Streams.Snapshot(whole).Parameters, Streams.Snapshot(continued).Parameters, tolerance);
    }

    [Fact]
    public void From_Parameters_StartsExactlyThereAtTheBeginning()
    {
        var options = new LearningOptions { MinibatchSize = 100, Initialization = new() { Buffer = 400, NInit = 1 } };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Model, options, Rows));
        InitialParameters given = SnapshotReader.ReadInitialParameters(Json(learned)) with { Progress = null, Calibration = null };

        var learner = new Learner(Model, Schema, options, given);

        Assert.Equal((LearnerStatus.Learning, 0L), (learner.Status, learner.Updates));
        Assert.Null(learner.CreateSnapshot());
    }

    [Fact]
    public void From_ASnapshotOfAnotherShape_Throws()
    {
        var options = new LearningOptions { MinibatchSize = 100, Initialization = new() { Buffer = 400, NInit = 1 } };
        InitialParameters given = SnapshotReader.ReadInitialParameters(Json(Streams.Snapshot(Streams.Learn(Model, options, Rows))));

        Assert.Throws<ArgumentException>(() => new Learner(ModelCatalog.MixtureOf(new GaussianOptions(), 2), Schema, options, given));
    }

    private static ReadOnlyMemory<byte> Json(LearnedModel learned)
    {
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned, new SnapshotOrigin("m", "r", "sha256:x", DateTimeOffset.UnixEpoch)), output);
        return output.WrittenMemory;
    }

    private static void Near(double[] expected, double[] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int at = 0; at < expected.Length; at++)
            Assert.Equal(expected[at], found[at], tolerance * Math.Max(1, Math.Abs(expected[at])));
    }
}
