using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>First records that are few, or wider than their family says, are no reason to learn nothing.</summary>
public sealed class OverdispersedTests
{
    /// <summary>Bytes in a second: spread by a third of their mean, 300 times as wide as Poisson counts of that mean are.</summary>
    [Theory]
    [InlineData(1e3, 0.3, 4)]
    [InlineData(1e6, 0.3, 1)]
    [InlineData(1e6, 0.3, 4)]
    [InlineData(1e12, 0.5, 3)]
    public void Learn_CountsSpreadWiderThanTheirFamily_AreLearnedAndTold(double mean, double variation, int components)
    {
        var chance = new SplitMix64(31);
        var rows = new Minibatch(1);
        for (int row = 0; row < 12_000; row++)
            rows.Add([Math.Round(mean * Math.Max(0, 1 + variation * Gaussians.Normal(chance)))]);
        LearnedModel learned = Streams.Snapshot(
            Streams.Learn(ModelCatalog.MixtureOf(new PoissonOptions(), components), new LearningOptions(), rows));
        Assert.Equal(TrainingReport.Ok, learned.Training.Status);
        Assert.InRange(learned.Training.Bounded, 0, 120);
        Assert.DoesNotContain(learned.Training.Warnings, warning => warning.Kind == ModelWarningKind.StartedAnew);
        Assert.Contains(learned.Training.Warnings, warning => warning.Kind == ModelWarningKind.Overdispersed);
        double average = Block(learned, "weights").Zip(Block(learned, "rates"), (weight, rate) => weight * rate).Sum();
        Assert.InRange(average / mean, 0.98, 1.02);
    }

    [Fact]
    public void Learn_CountsAsTheirFamilySays_AreNotToldOf()
    {
        var draws = new RandomDraws(32);
        var rows = new Minibatch(1);
        for (int row = 0; row < 6_000; row++) rows.Add([draws.Poisson(row % 2 == 0 ? 1e6 : 1.1e6)]);
        LearnedModel learned = Streams.Snapshot(
            Streams.Learn(ModelCatalog.MixtureOf(new PoissonOptions(), 2), new LearningOptions(), rows));
        Assert.DoesNotContain(learned.Training.Warnings, warning => warning.Kind == ModelWarningKind.Overdispersed);
    }

    [Fact]
    public void Learn_TwoOrThreeRecords_IsFromAllOfThem()
    {
        foreach (int count in (int[])[2, 3])
        {
            var rows = new Minibatch(2);
            for (int row = 0; row < count; row++) rows.Add([row * row, 5 - 3 * row]);
            LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(1), new LearningOptions(), rows));
            Assert.Equal((count, TrainingReport.Ok), (learned.Training.Records, learned.Training.Status));
        }
    }

    private static double[] Block(LearnedModel learned, string name) => [.. learned.Layout[name].Of(learned.Parameters)];
}
