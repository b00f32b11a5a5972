using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Nothing in the first records decides for ever.</summary>
public sealed class FirstRecordsStreamTests
{
    private const int Idle = 2000;

    public static TheoryData<double, double, double, CovarianceType, Recursion> Lives()
    {
        var cases = new TheoryData<double, double, double, CovarianceType, Recursion>();
        foreach (CovarianceType type in Enum.GetValues<CovarianceType>())
            foreach (Recursion recursion in Enum.GetValues<Recursion>())
            {
                cases.Add(0, 5e6, 1e6, type, recursion);
                cases.Add(0, 5e-6, 1e-6, type, recursion);
                cases.Add(double.NaN, 2e9, 3e8, type, recursion);
                cases.Add(1e9, -40, 2, type, recursion);
                cases.Add(0, 1e140, 1e138, type, recursion);
            }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Lives))]
    public void Learn_AFeatureComesToLife_ItsUnitsAreItsOwn(double idle, double level, double sd, CovarianceType type, Recursion recursion)
    {
        var chance = new SplitMix64(21);
        var rows = new Minibatch(2);
        for (int row = 0; row < 20_000; row++)
            rows.Add([20 + 2 * Gaussians.Normal(chance), row < Idle ? idle : level + sd * Gaussians.Normal(chance)]);
        Learner learner = Streams.Learn(Gaussians.Mixture(1, type), new LearningOptions { Recursion = recursion }, rows);
        LearnedModel learned = Streams.Snapshot(learner);
        (double mean, double deviation) = Moments(learned, 1);
        Assert.InRange(mean, level - 0.2 * sd, level + 0.2 * sd);
        Assert.InRange(deviation, 0.9 * sd, 1.2 * sd);
        (mean, deviation) = Moments(learned, 0);
        Assert.InRange(mean, 19.7, 20.3);
        Assert.InRange(deviation, 1.8, 2.2);
        Assert.True(learned.Training.Bounded > 0);
        Assert.Equal(rows.Count, learned.Training.Records + learned.Training.Unlearned);
    }

    [Fact]
    public void Learn_AFeatureComesToLife_WhatIsKnownOfTheOthersStays()
    {
        var chance = new SplitMix64(22);
        var learner = new Learner(Gaussians.Mixture(2), RecordSchema.OfNumbers(3), new LearningOptions { MinibatchSize = 512 });
        Minibatch idle = new(3), alive = new(3);
        for (int row = 0; row < 8192 + 512 * 8; row++)
        {
            double a = (row % 2 == 0 ? 0 : 8) + Gaussians.Normal(chance), b = 0.5 * a + Gaussians.Normal(chance);
            (row < 8192 ? idle : alive).Add([a, b, row < 8192 ? 7 : 1e5 + 1e3 * Gaussians.Normal(chance)]);
        }
        Streams.Feed(learner, idle, 0, idle.Count);
        double[] before = Block(Streams.Snapshot(learner), "means");
        var kinds = new HashSet<ModelWarningKind>();
        for (int row = 0; row < alive.Count; row += 512)
        {
            Streams.Feed(learner, alive, row, 512);
            LearnedModel now = Streams.Snapshot(learner);
            kinds.UnionWith(now.Training.Warnings.Select(warning => warning.Kind));
            // No minibatch but those held back whole lies between: the others' means are as they were, to the bit.
            if (!kinds.Contains(ModelWarningKind.FeatureAwake)) continue;
            double[] after = Block(now, "means");
            Assert.Equal([before[0], before[1], before[3], before[4]], [after[0], after[1], after[3], after[4]]);
            Assert.InRange(after[2], 0.99e5, 1.01e5);
            break;
        }
        Assert.Contains(ModelWarningKind.FeatureAwake, kinds);
        Assert.DoesNotContain(ModelWarningKind.StartedAnew, kinds);
    }

    [Fact]
    public void Learn_ASingleReadingOfAnIdleFeature_LeavesItAsleep()
    {
        var chance = new SplitMix64(23);
        var rows = new Minibatch(2);
        for (int row = 0; row < 20_000; row++)
            rows.Add([Gaussians.Normal(chance), row == 5000 ? 65535 : row < 8000 ? 0 : 5e-6 + 1e-6 * Gaussians.Normal(chance)]);
        (double mean, double deviation) =
            Moments(Streams.Snapshot(Streams.Learn(Gaussians.Mixture(1), new LearningOptions(), rows)), 1);
        Assert.InRange(mean, 4.8e-6, 5.2e-6);
        Assert.InRange(deviation, 0.9e-6, 1.2e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2000)]
    public void Learn_AFeatureVariesByTooLittleForAVariance_IsTold(int idle)
    {
        var chance = new SplitMix64(28);
        var rows = new Minibatch(2);
        for (int row = 0; row < 6000; row++)
            rows.Add([Gaussians.Normal(chance), row < idle ? 0 : 3e-200 + 1e-201 * Gaussians.Normal(chance)]);
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(1), new LearningOptions(), rows));
        Assert.Equal(TrainingReport.Degenerate, learned.Training.Status);
        ModelWarning warning = Assert.Single(learned.Training.Warnings);
        Assert.Equal((ModelWarningKind.SpreadTooSmall, "x1"), (warning.Kind, warning.Subject));
        Assert.Contains("1E-140", warning.Text, StringComparison.Ordinal);
    }

    /// <summary>No variance of these can be told: nothing may pretend to be learned, and nothing may break.</summary>
    [Theory]
    [InlineData(3e200, 1e199)]
    [InlineData(1e155, 1e154)]
    [InlineData(-1e300, 1e299)]
    public void Learn_NumbersBeyondAnySquare_AreTold(double level, double sd)
    {
        var chance = new SplitMix64(29);
        foreach (int idle in (int[])[0, 2000])
        {
            var rows = new Minibatch(1);
            for (int row = 0; row < 9000; row++) rows.Add([row < idle ? 0 : level + sd * Gaussians.Normal(chance)]);
            LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(1), new LearningOptions(), rows));
            Assert.Equal(TrainingReport.Degenerate, learned.Training.Status);
            Assert.All(learned.Parameters, value => Assert.True(double.IsFinite(value)));
        }
    }

    /// <summary>A count that never came in the first records comes once in a hundred: rare, and learned.</summary>
    [Fact]
    public void Learn_ACountComesToLifeRarely_ItsRateIsLearned()
    {
        var chance = new SplitMix64(30);
        var rows = new Minibatch(2);
        for (int row = 0; row < 20_000; row++)
            rows.Add([Math.Floor(4 * chance.NextDouble()), row >= 2000 && chance.NextDouble() < 0.01 ? 1 : 0]);
        LearnedModel learned =
            Streams.Snapshot(Streams.Learn(ModelCatalog.MixtureOf(new PoissonOptions(), 1), new LearningOptions(), rows));
        Assert.InRange(Block(learned, "rates")[1], 0.006, 0.014);
        Assert.Equal(0, learned.Training.Bounded);
    }

    [Theory]
    [InlineData(InitialKind.Numbers)]
    [InlineData(InitialKind.Counts)]
    [InlineData(InitialKind.Flags)]
    [InlineData(InitialKind.Levels)]
    public void Learn_TheFirstRecordsAreAllTheSame_StartsAnewWithThoseThatSaySomething(InitialKind kind)
    {
        var chance = new SplitMix64(24);
        Minibatch rows = new(2, 256, new TextTable(), kind == InitialKind.Levels ? [0, 1] : null), only = new(2, 256, rows.Texts);
        for (int row = 0; row < 12_000; row++)
        {
            int cluster = chance.NextDouble() < 0.5 ? 0 : 1;
            double[] values = [Value(kind, cluster, chance, rows.Texts!), Value(kind, cluster, chance, rows.Texts!)];
            if (row < 1600) values = kind == InitialKind.Levels ? [rows.Texts!.Number("off"), rows.Texts.Number("off")] : [0, 0];
            rows.Add(values);
            if (row >= 1600) only.Add(values);
        }
        LatentModelOptions model = kind switch
        {
            InitialKind.Numbers => Gaussians.Mixture(2),
            InitialKind.Counts => ModelCatalog.MixtureOf(new PoissonOptions(), 2),
            InitialKind.Flags => ModelCatalog.MixtureOf(new BernoulliOptions(), 2),
            _ => ModelCatalog.MixtureOf(new CategoricalOptions(), 2),
        };
        LearnedModel found = Streams.Snapshot(Streams.Learn(model, new LearningOptions(), rows)),
            direct = Streams.Snapshot(Streams.Learn(model, new LearningOptions(), only));
        Assert.Equal(Streams.MeanLogDensity(direct, only), Streams.MeanLogDensity(found, only), 0.05);
        Assert.Contains(found.Training.Warnings, warning => warning.Kind == ModelWarningKind.StartedAnew);
        Assert.Equal(TrainingReport.Ok, found.Training.Status);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Learn_RecordsThatSayNothingFirst_AreWaitedOut(int without)
    {
        var both = new Gaussians([0.5, 0.5], [[0], [8]], [[1], [1]]);
        Minibatch good = both.Draw(8000, 25), rows = new(1);
        for (int row = 0; row < 2000; row++) rows.Add([without == 0 ? 100 + row % 3 : double.NaN], weight: without);
        rows.Append(good, 0, good.Count);
        LearnedModel found = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(2), new LearningOptions(), rows)),
            direct = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(2), new LearningOptions(), good));
        Assert.Equal(Streams.MeanLogDensity(direct, good), Streams.MeanLogDensity(found, good), 0.02);
        Assert.Equal(2000, found.Training.Unlearned);
        Assert.Equal(good.Count, found.Training.Records);
    }

    [Fact]
    public void Learn_MostRecordsAreOfAnotherStream_IsNotOkUntilTheyAreLearned()
    {
        Minibatch rows = Gaussians.Three.Draw(4096, 26), moved = new(2);
        foreach (double[] row in Enumerable.Range(0, 6000).Select(n => rows.Row(n % 4096).ToArray())) moved.Add([1e6 + row[0], row[1]]);
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), new LearningOptions());
        Streams.Feed(learner, rows, 0, rows.Count);
        Assert.Equal(TrainingReport.Ok, Streams.Snapshot(learner).Training.Status);
        Streams.Feed(learner, moved, 0, 1024);
        LearnedModel blind = Streams.Snapshot(learner);
        Assert.Equal(TrainingReport.Degenerate, blind.Training.Status);
        Assert.Equal(4096, blind.Training.Records);
        Assert.Equal(1024, blind.Training.Bounded);
        Assert.Contains(blind.Training.Warnings, warning => warning.Kind == ModelWarningKind.NothingLearned);
        Streams.Feed(learner, moved, 1024, 1536);
        Assert.Equal(LearnerStatus.StartingAnew, learner.Status);
        Streams.Feed(learner, moved, 2560, 3440);
        Assert.Equal(LearnerStatus.Learning, learner.Status);
        LearnedModel again = Streams.Snapshot(learner);
        Assert.Equal(TrainingReport.Ok, again.Training.Status);
        Assert.InRange(Moments(again, 0).Mean, 1e6, 1e6 + 4);
    }

    /// <summary>Every kind of change, saved at every step: the same bytes as never stopped.</summary>
    [Fact]
    public void Load_AtAnyMomentOfAnyChange_GoesOnToTheSameBytes()
    {
        var chance = new SplitMix64(27);
        var rows = new Minibatch(2);
        for (int row = 0; row < 12_000; row++)
            rows.Add([(row > 7000 ? 1e4 : 0) + Gaussians.Normal(chance), row < 1500 ? row == 1000 ? 99 : 0 : Gaussians.Normal(chance)]);
        var options = new LearningOptions { MinibatchSize = 300, Initialization = new() { Buffer = 900 } };
        Learner whole = Streams.Learn(Gaussians.Mixture(2), options, rows), part = New();
        for (int first = 0, next; first < rows.Count; first = next)
        {
            next = Math.Min(rows.Count, first + 177);
            Streams.Feed(part, rows, first, next - first);
            Learner resumed = New();
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(part))));
            part = resumed;
        }
        while (part.TryUpdate(flush: true)) { }
        Assert.Equal(Streams.State(whole), Streams.State(part));
        Assert.Equal([ModelWarningKind.StartedAnew, ModelWarningKind.FeatureAwake],
            Streams.Snapshot(whole).Training.Warnings.Select(warning => warning.Kind).Order());

        Learner New() => new(Gaussians.Mixture(2), RecordSchema.OfNumbers(2), options);
    }

    private static double Value(InitialKind kind, int cluster, SplitMix64 chance, TextTable texts)
    {
        double u = chance.NextDouble();
        return kind switch
        {
            InitialKind.Numbers => (cluster == 0 ? 3 : 8) + 0.5 * Gaussians.Normal(chance),
            InitialKind.Counts => Math.Floor((cluster == 0 ? 5 : 40) + 6 * u),
            InitialKind.Flags => u < (cluster == 0 ? 0.9 : 0.2) ? 1 : 0,
            _ => texts.Number(u < (cluster == 0 ? 0.9 : 0.2) ? "up" : "down"),
        };
    }

    private static double[] Block(LearnedModel learned, string name) => [.. learned.Layout[name].Of(learned.Parameters)];

    private static (double Mean, double Deviation) Moments(LearnedModel learned, int feature)
    {
        var model = (ComponentModel)learned.Model;
        int dimension = model.Dimension, components = model.Components;
        double[] means = new double[components * dimension], variances = new double[means.Length], shares = new double[components];
        Assert.True(model.TryComponentMoments(learned.Parameters, means, variances));
        model.Shares(learned.Parameters, shares);
        double mean = 0, square = 0;
        for (int k = 0; k < components; k++) mean += shares[k] * means[k * dimension + feature];
        for (int k = 0; k < components; k++)
            square += shares[k] * (variances[k * dimension + feature] + Math.Pow(means[k * dimension + feature] - mean, 2));
        return (mean, Math.Sqrt(square));
    }
}

/// <summary>What the first records hold.</summary>
public enum InitialKind
{
    /// <summary>Numbers.</summary>
    Numbers,

    /// <summary>Counts.</summary>
    Counts,

    /// <summary>Yes or no.</summary>
    Flags,

    /// <summary>Texts.</summary>
    Levels,
}
