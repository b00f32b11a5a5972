using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

public sealed class LearnerTests
{
    private static readonly MixtureOptions Model = Gaussians.Mixture(3);
    private static readonly LearningOptions Options = new() { MinibatchSize = 100, Initialization = new() { Buffer = 300 } };

    public static TheoryData<CovarianceType, Recursion> Kinds()
    {
        var kinds = new TheoryData<CovarianceType, Recursion>();
        foreach (CovarianceType type in Enum.GetValues<CovarianceType>())
            foreach (Recursion recursion in Enum.GetValues<Recursion>()) kinds.Add(type, recursion);
        return kinds;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void SaveAndLoad_AtAnyRecord_ContinuesToTheSameBytes(CovarianceType type, Recursion recursion)
    {
        MixtureOptions model = Gaussians.Mixture(3, type);
        LearningOptions options = Options with { Recursion = recursion, AnomalyHalfLife = 500 };
        Minibatch rows = Gaussians.Three.Draw(1234, 1, 0.1);
        byte[] uninterrupted = Streams.State(Streams.Learn(model, options, rows));
        foreach (int stop in (int[])[1, 299, 300, 301, 555, 1200, 1233])
        {
            var first = new Learner(model, RecordSchema.OfNumbers(2), options);
            Streams.Feed(first, rows, 0, stop);
            var second = new Learner(model, RecordSchema.OfNumbers(2), options);
            second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
            Streams.Feed(second, rows, stop, rows.Count - stop);
            while (second.TryUpdate(flush: true)) { }
            Assert.Equal(uninterrupted, Streams.State(second));
        }
    }

    [Theory]
    [InlineData(100, 300)]
    [InlineData(300, 100)]
    [InlineData(100, 250)]
    public void Add_CutAtRoom_GivesTheBytesOfOneByOne(int minibatch, int buffer)
    {
        LearningOptions options = Options with { MinibatchSize = minibatch, Initialization = new() { Buffer = buffer } };
        Minibatch rows = Gaussians.Three.Draw(1234, 1);
        var learner = new Learner(Model, RecordSchema.OfNumbers(2), options);
        for (int row = 0, count; row < rows.Count; row += count)
        {
            count = Math.Min(learner.Room, Math.Min(rows.Count - row, 37));
            learner.Add(rows, row, count);
            while (learner.TryUpdate()) { }
        }
        while (learner.TryUpdate(flush: true)) { }
        var single = new Learner(Model, RecordSchema.OfNumbers(2), options);
        Streams.FeedOneByOne(single, rows, 0, rows.Count);
        while (single.TryUpdate(flush: true)) { }
        Assert.Equal(Streams.State(single), Streams.State(learner));
    }

    [Fact]
    public void SaveAndLoad_WeightsAndLabelsInSomeMinibatchesOnly_ContinuesToTheSameBytes()
    {
        Minibatch drawn = Gaussians.Three.Draw(1000, 1);
        var rows = new Minibatch(2);
        for (int row = 0; row < drawn.Count; row++)
            rows.Add(drawn.Row(row), row is > 320 and < 350 ? 2 : 1, row is > 610 and < 620 ? 1 : Minibatch.Unlabelled);
        byte[] uninterrupted = Streams.State(Streams.Learn(Model, Options, rows));
        foreach (int stop in (int[])[340, 390, 410, 615, 690, 705])
        {
            var first = new Learner(Model, RecordSchema.OfNumbers(2), Options);
            Streams.Feed(first, rows, 0, stop);
            var second = new Learner(Model, RecordSchema.OfNumbers(2), Options);
            second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
            Streams.Feed(second, rows, stop, rows.Count - stop);
            while (second.TryUpdate(flush: true)) { }
            Assert.Equal(uninterrupted, Streams.State(second));
        }
    }

    [Fact]
    public void Learn_AnyNumberOfThreads_GivesTheSameBytes()
    {
        var model = Gaussians.Mixture(8);
        var options = new LearningOptions { MinibatchSize = 4096, Initialization = new() { Buffer = 4096, NInit = 1 } };
        Minibatch rows = Wide(16, 10_000, 3);
        byte[] one = Streams.State(Streams.Learn(model, options, rows, threads: 1));
        Assert.Equal(one, Streams.State(Streams.Learn(model, options, rows, threads: 2)));
        Assert.Equal(one, Streams.State(Streams.Learn(model, options, rows, threads: 7)));
    }

    [Theory]
    [InlineData(CovarianceType.Full, 1e-6, 0)]
    [InlineData(CovarianceType.Full, 1e6, 0)]
    [InlineData(CovarianceType.Full, 1, 1e6)]
    [InlineData(CovarianceType.Tied, 1e6, 0)]
    [InlineData(CovarianceType.Diag, 1e-6, 0)]
    [InlineData(CovarianceType.Diag, 1, 1e6)]
    [InlineData(CovarianceType.Spherical, 1e6, 0)]
    public void Learn_FeatureScaledOrMoved_GivesTheSameModelInItsUnits(CovarianceType type, double scale, double offset)
    {
        MixtureOptions model = Gaussians.Mixture(3, type);
        Minibatch rows = Gaussians.Three.Draw(2000, 4), moved = new(2);
        foreach (int row in Enumerable.Range(0, rows.Count))
            moved.Add([rows.Row(row)[0] * scale + offset, rows.Row(row)[1]]);
        LearnedModel plain = Streams.Snapshot(Streams.Learn(model, Options, rows)),
            other = Streams.Snapshot(Streams.Learn(model, Options, moved));
        for (int k = 0; k < 3; k++)
        {
            Near(plain.Parameters[k], other.Parameters[k], 1e-8);
            Near(plain.Parameters[3 + 2 * k] * scale + offset, other.Parameters[3 + 2 * k], 1e-8);
            Near(plain.Parameters[4 + 2 * k], other.Parameters[4 + 2 * k], 1e-8);
            if (type == CovarianceType.Full) Near(plain.Parameters[9 + 4 * k] * scale * scale, other.Parameters[9 + 4 * k], 1e-8);
            if (type == CovarianceType.Diag) Near(plain.Parameters[9 + 2 * k] * scale * scale, other.Parameters[9 + 2 * k], 1e-8);
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    public void Learn_ManyFeaturesOnVeryDifferentScales_FindsTheClusters(int dimension)
    {
        Minibatch rows = Wide(dimension, 3000, 5), scaled = new(dimension, 3000);
        double[] row = new double[dimension];
        for (int n = 0; n < rows.Count; n++)
        {
            for (int d = 0; d < dimension; d++)
                row[d] = rows.Row(n)[d] * Math.Pow(10, d % 13 - 6) + (d % 5 == 0 ? 1e6 : 0) * Math.Pow(10, d % 13 - 6);
            scaled.Add(row);
        }
        // Eight clusters, one for each three bits of the row number: see Wide.
        LearnedModel snapshot =
            Streams.Snapshot(Streams.Learn(Gaussians.Mixture(8), new LearningOptions { Recursion = Recursion.Statistics }, scaled));
        Assert.All(snapshot.Parameters.Take(8), weight => Assert.InRange(weight, 0.10, 0.15));
    }

    [Fact]
    public void Learn_Labels_ClampComponentsAndNameThem()
    {
        Minibatch rows = Gaussians.Three.Draw(2000, 6), records = new(2, texts: new TextTable());
        var learner = new Learner(Model, RecordSchema.OfNumbers(2), Options);
        for (int row = 0; row < rows.Count; row++)
        {
            ReadOnlySpan<double> x = rows.Row(row);
            int label = row % 10 != 0 ? Minibatch.Unlabelled : records.Texts!.Number(x[0] > 2.5 ? "right" : x[1] > 2.5 ? "top" : "origin");
            records.Add(x, label: label);
        }
        Streams.FeedOneByOne(learner, records, 0, records.Count);
        LearnedModel snapshot = Streams.Snapshot(learner);
        string?[] names = [.. snapshot.Labels];
        double[] theta = snapshot.Parameters;
        int right = Array.IndexOf(names, "right"), top = Array.IndexOf(names, "top");
        Assert.InRange(theta[3 + 2 * right], 3.7, 4.3);
        Assert.InRange(theta[4 + 2 * top], 3.7, 4.3);
    }

    [Fact]
    public void Learn_From_StartsExactlyThere()
    {
        var learner = new Learner(Model, RecordSchema.OfNumbers(2), Options, Gaussians.Three.Exact());
        Assert.Equal(LearnerStatus.Learning, learner.Status);
        Minibatch rows = Gaussians.Three.Draw(100, 7);
        double[]? before = null;
        learner.BeforeUpdate = (_, session) => before = (double[])session.Scorer.Learned.Parameters.Clone();
        Streams.Feed(learner, rows, 0, 100);
        double[] truth =
            [.. Gaussians.Three.Weights, .. Gaussians.Three.Means.SelectMany(m => m), .. Gaussians.Three.Covariances.SelectMany(c => c)];
        for (int at = 0; at < truth.Length; at++) Near(truth[at], before![at], 1e-13);
        Assert.Equal(Math.Pow(2, -0.7), Streams.Snapshot(learner).Training.LastStepSize);
    }

    [Fact]
    public void Learn_ShortLastMinibatch_CountsInProportion()
    {
        Learner learner = Streams.Learn(Model, Options, Gaussians.Three.Draw(425, 8));
        Assert.Equal(5, learner.Updates);
        Assert.Equal(425, learner.Records);
        Assert.Equal(Math.Pow(6, -0.7) * 0.25, Streams.Snapshot(learner).Training.LastStepSize, 1e-15);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void Learn_MeanLogLikelihood_IsTestThenTrainInUserUnits(double missing)
    {
        var learner = new Learner(Model, RecordSchema.OfNumbers(2), Options);
        double expected = double.NaN;
        learner.BeforeUpdate = (batch, session) =>
        {
            // Rows without any value say nothing.
            int empty = Enumerable.Range(0, batch.Count).Count(row => !batch.Row(row).ContainsAnyExcept(double.NaN));
            expected = Streams.MeanLogDensity(session.Scorer.Learned, batch) * batch.Count / (batch.Count - empty);
        };
        Minibatch rows = Gaussians.Three.Draw(1000, 9, missing), scaled = new(2);
        for (int row = 0; row < rows.Count; row++) scaled.Add([rows.Row(row)[0] * 1000, rows.Row(row)[1]]);
        Streams.Feed(learner, scaled, 0, 1000);
        Near(expected, Streams.Snapshot(learner).Training.MeanLogLikelihood, 1e-11);
    }

    [Fact]
    public void Learn_MinibatchTooSmallForTheParameterRecursion_Warns()
    {
        LearnedModel small = Streams.Snapshot(Streams.Learn(
            Model, Options with { MinibatchSize = 40, Recursion = Recursion.Parameters }, Gaussians.Three.Draw(1000, 10)));
        ModelWarning warning = Assert.Single(small.Training.Warnings);
        Assert.Equal(ModelWarningKind.SmallMinibatch, warning.Kind);
        Assert.Contains("below 20", warning.Text, StringComparison.Ordinal);
        LearnedModel statistics = Streams.Snapshot(Streams.Learn(
            Model, Options with { MinibatchSize = 40 }, Gaussians.Three.Draw(1000, 10)));
        Assert.Empty(statistics.Training.Warnings);
    }

    [Fact]
    public void Learn_FeatureThatNeverHasAValue_WarnsByItsName()
    {
        Minibatch rows = Gaussians.Three.Draw(1000, 11), gaps = new(3);
        for (int row = 0; row < rows.Count; row++) gaps.Add([rows.Row(row)[0], double.NaN, rows.Row(row)[1]]);
        var schema = new RecordSchema { Features = ["x", "hunidity", "z"] };
        var learner = new Learner(Model, schema, Options);
        Streams.Feed(learner, gaps, 0, gaps.Count);

        Learner resumed = new(Model, schema, Options);
        resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));

        ModelWarning warning = resumed.CreateSnapshot()!.Training.Warnings[0];
        Assert.Equal(ModelWarningKind.AbsentFeature, warning.Kind);
        Assert.Contains("feature 'hunidity' had no value in any of the first 300 records", warning.Text, StringComparison.Ordinal);
        Assert.Equal(Streams.State(learner), Streams.State(resumed));
    }

    private static Minibatch Wide(int dimension, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            for (int d = 0; d < dimension; d++) row[d] = 4 * ((n >> (d % 3)) & 1) + Gaussians.Normal(chance);
            batch.Add(row);
        }
        return batch;
    }

    private static void Near(double expected, double actual, double relative) =>
        Assert.True(Math.Abs(expected - actual) <= relative * Math.Max(Math.Abs(expected), 1e-3),
            $"expected {expected:R}, found {actual:R}");
}
