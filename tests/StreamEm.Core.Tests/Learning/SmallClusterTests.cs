using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>A cluster of a hundredth of the stream is learned; a number that stands for something else never is.</summary>
public sealed class SmallClusterTests
{
    private static readonly double[] Covariance = [1, 0, 0, 25];
    private static readonly Gaussians Cloud = new([1], [[30, 50]], [Covariance]);
    private static readonly Gaussians Pair = new([0.5, 0.5], [[20, 50], [40, 50]], [Covariance, Covariance]);

    public static TheoryData<int, CovarianceType, Recursion> Models(int fewest)
    {
        var cases = new TheoryData<int, CovarianceType, Recursion>();
        for (int components = fewest; components <= 3; components++)
            foreach (CovarianceType type in Enum.GetValues<CovarianceType>())
                foreach (Recursion recursion in Enum.GetValues<Recursion>()) cases.Add(components, type, recursion);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Models), 2)]
    public void Learn_AFarClusterOfOnePercent_GetsAComponent(int components, CovarianceType type, Recursion recursion)
    {
        // The third component may begin wide, over both clusters, and would reach a nearer one.
        double far = components == 2 ? 60 : 400;
        double[] covariance = type == CovarianceType.Spherical ? [1, 0, 0, 1] : Covariance;
        Gaussians truth = components == 2
            ? new([0.99, 0.01], [[30, 50], [far, 50]], [covariance, covariance])
            : new([0.495, 0.495, 0.01], [[20, 20], [40, 80], [far, 50]], [covariance, covariance, covariance]);
        Gaussians before = components == 2
            ? new([1], [[30, 50]], [covariance])
            : new([0.5, 0.5], [[20, 20], [40, 80]], [covariance, covariance]);
        Minibatch rows = new(2), then = truth.Draw(40_000, 41);
        rows.Append(before.Draw(3000, 40), 0, 3000);
        rows.Append(then, 0, then.Count);
        LearnedModel found = Learn(components, type, recursion, rows);
        // Of 400 records, those that it takes to make a cluster: eight stretches of 512.
        string said = $"{string.Join(' ', found.Parameters)}, {found.Training.Bounded} held back, {string.Join(' ', found.Training.Warnings)}";
        Assert.True(found.Training.Bounded is >= 32 and < 100, said);
        double[] means = found.Model.ParameterLayout["means"].Of((ReadOnlySpan<double>)found.Parameters).ToArray();
        int there = Array.FindIndex(means, mean => Math.Abs(mean - far) < 1) / 2;
        Assert.True(Math.Abs(means[2 * there] - far) < 1 && found.Parameters[there] is > 0.004 and < 0.03, said);
        for (int k = 0; k < components; k++)
            if (k != there) Assert.Contains((double[])(components == 2 ? [30.0] : [20.0, 40.0]), mean => Math.Abs(mean - means[2 * k]) < 0.3);
    }

    /// <summary>With no component to spare for it, the cluster is held back and the model says so.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Learn_NoComponentToSpare_ItIsHeldBackAndSaid(int components, bool isLabelled)
    {
        Gaussians truth = components == 1 ? Cloud : Pair;
        Minibatch clean = truth.Draw(20_000, 42), few = new Gaussians([1], [[90, 50]], [Covariance]).Draw(400, 43);
        var rows = new Minibatch(2);
        for (int row = 0; row < clean.Count; row++)
        {
            rows.Add(clean.Row(row), label: isLabelled ? clean.Row(row)[0] < 30 ? 0 : 1 : Minibatch.Unlabelled);
            if (row % 100 == 99 && row >= 3000) rows.Add(few.Row(row / 100));
        }
        LearnedModel found = Learn(components, CovarianceType.Full, Recursion.Statistics, rows),
            good = Learn(components, CovarianceType.Full, Recursion.Statistics, clean);
        Assert.Equal(170, found.Training.Bounded);
        Assert.Equal(Streams.MeanLogDensity(good, clean), Streams.MeanLogDensity(found, clean), 0.02);
        ModelWarning said = Assert.Single(found.Training.Warnings, warning => warning.Kind == ModelWarningKind.ClusterHeld);
        Assert.Contains("--accept-model-change", said.Text);
        Assert.Equal(TrainingReport.Degenerate, found.Training.Status);
    }

    [Theory]
    [MemberData(nameof(Models), 1)]
    public void Learn_ANumberThatStandsForNothing_IsNeverLearnedAndNamed(int components, CovarianceType type, Recursion recursion)
    {
        Minibatch clean = (components == 1 ? Cloud : Pair).Draw(30_000, 44);
        foreach ((int every, double value) in (ReadOnlySpan<(int, double)>)[(100, 65535), (33, -9999)])
        {
            Minibatch spoilt = WithTies(clean, every, value);
            LearnedModel good = Learn(components, type, recursion, clean), found = Learn(components, type, recursion, spoilt);
            Assert.Equal(Streams.MeanLogDensity(good, clean), Streams.MeanLogDensity(found, clean), 0.03);
            Assert.Equal(clean.Count / every, found.Training.Bounded);
            ModelWarning said = Assert.Single(found.Training.Warnings, warning => warning.Kind == ModelWarningKind.TiedValues);
            Assert.Equal("x0", said.Subject);
            Assert.DoesNotContain(found.Training.Warnings, warning => warning.Kind == ModelWarningKind.ClusterHeld);
        }
    }

    /// <summary>A number that is a tenth of the stream is a part of it: a machine that is off.</summary>
    [Fact]
    public void Learn_ANumberThatIsATenthOfTheStream_IsLearned()
    {
        var rows = new Minibatch(2);
        rows.Append(Pair.Draw(4000, 45), 0, 4000);
        Minibatch then = WithTies(Pair.Draw(30_000, 46), 9, 0);
        rows.Append(then, 0, then.Count);
        LearnedModel found = Learn(3, CovarianceType.Full, Recursion.Statistics, rows);
        string said = $"{string.Join(' ', found.Parameters)}, {found.Training.Bounded} held back, {string.Join(' ', found.Training.Warnings)}";
        Assert.True(Enumerable.Range(0, 3).Any(k => Math.Abs(found.Parameters[3 + 2 * k]) < 0.5), said);
        Assert.InRange(found.Training.Bounded, 0, 1000);
    }

    [Fact]
    public void Learn_TheTailOfAComponent_IsNoCluster()
    {
        var chance = new SplitMix64(47);
        var rows = new Minibatch(1);
        for (int row = 0; row < 40_000; row++)
        {
            double spread = chance.NextDouble() < 0.02 ? -2.5 * Math.Log(1 - chance.NextDouble()) : 0;
            rows.Add([(1 + spread) * Gaussians.Normal(chance)]);
        }
        LearnedModel found = Learn(2, CovarianceType.Full, Recursion.Statistics, rows);
        Assert.DoesNotContain(found.Training.Warnings, warning => warning.Kind == ModelWarningKind.ClusterHeld);
        Assert.All((double[])[found.Parameters[2], found.Parameters[3]], mean => Assert.InRange(mean, -1.5, 1.5));
    }

    [Fact]
    public void Load_WithRowsHeldBack_GoesOnToTheSameBytes()
    {
        Gaussians truth = new([0.985, 0.015], [[30, 50], [70, 50]], [Covariance, Covariance]);
        Minibatch rows = WithTies(truth.Draw(16_000, 48), 150, 65535);
        var options = new LearningOptions { MinibatchSize = 100 };
        Learner whole = Streams.Learn(Gaussians.Mixture(2), options, rows);
        Learner learner = new(Gaussians.Mixture(2), RecordSchema.OfNumbers(2), options);
        for (int first = 0; first < rows.Count; first += 777)
        {
            Streams.Feed(learner, rows, first, Math.Min(777, rows.Count - first));
            var next = new Learner(Gaussians.Mixture(2), RecordSchema.OfNumbers(2), options);
            next.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
            learner = next;
        }
        while (learner.TryUpdate(flush: true)) { }
        Assert.Equal(Streams.State(whole), Streams.State(learner));
        Assert.InRange(whole.CreateSnapshot()!.Training.Bounded, 100, 300);
    }

    private static Minibatch WithTies(Minibatch rows, int every, double value)
    {
        var result = new Minibatch(2, rows.Count);
        for (int row = 0; row < rows.Count; row++)
        {
            result.Add(rows.Row(row));
            if (row % every == every - 1) result.Add([value, rows.Row(row)[1]]);
        }
        return result;
    }

    private static LearnedModel Learn(int components, CovarianceType type, Recursion recursion, Minibatch rows) =>
        Streams.Snapshot(Streams.Learn(Gaussians.Mixture(components, type), new LearningOptions { Recursion = recursion }, rows));
}
