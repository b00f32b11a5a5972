using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Only ratios of weights mean anything.</summary>
public sealed class WeightedStreamTests
{
    private static readonly LearningOptions Options = new() { MinibatchSize = 200, Initialization = new() { Buffer = 600 } };

    public static TheoryData<double, Recursion, CovarianceType> Units()
    {
        var units = new TheoryData<double, Recursion, CovarianceType>();
        foreach (double unit in (double[])[1e-6, 0.001, 1000, 1e6])
            foreach (Recursion recursion in Enum.GetValues<Recursion>()) units.Add(unit, recursion, CovarianceType.Full);
        units.Add(1e-6, Recursion.Parameters, CovarianceType.Diag);
        units.Add(1e-6, Recursion.Parameters, CovarianceType.Spherical);
        units.Add(1e-6, Recursion.Parameters, CovarianceType.Tied);
        return units;
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void Learn_WeightsInAnotherUnit_GivesTheSameModelScoresAndWarnings(double unit, Recursion recursion, CovarianceType type)
    {
        LearningOptions options = Options with { Recursion = recursion };
        LearnedModel one = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3, type), options, Weighted(3000, 1)));
        LearnedModel other = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3, type), options, Weighted(3000, unit)));

        AssertClose(one.Parameters, other.Parameters);
        Assert.Equal(one.Training.EffectiveRecords, other.Training.EffectiveRecords, 1e-6);
        Assert.Equal(one.Training.LastStepSize, other.Training.LastStepSize, 1e-12);
        Assert.Equal(one.Training.Warnings.Select(warning => warning.Text), other.Training.Warnings.Select(warning => warning.Text));
        Assert.Equal(one.Calibration!.Records, other.Calibration!.Records, 1e-6 * one.Calibration.Records);
        Minibatch fresh = Gaussians.Three.Draw(200, 9);
        Assert.All(Anomalies(one, fresh).Zip(Anomalies(other, fresh)), pair => Assert.Equal(pair.First, pair.Second, 0.01));
    }

    [Theory]
    [InlineData(1e-6)]
    [InlineData(1e6)]
    public void RunBatch_WeightsInAnotherUnit_GivesTheSameModel(double unit)
    {
        BatchFit Fit(double scale) => BatchFit.Run(
            Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options, Weighted(1500, scale), new BatchEmOptions { MaxIterations = 50 });

        LearnedModel one = Fit(1).Learned, other = Fit(unit).Learned;

        AssertClose(one.Parameters, other.Parameters);
        Assert.Equal(one.Calibration!.Records, other.Calibration!.Records, 1e-6 * one.Calibration.Records);
    }

    [Fact]
    public void Learn_MinibatchOfHardlyAnyWeight_MovesTheModelAsLittle()
    {
        Minibatch rows = Gaussians.Three.Draw(2000, 3), light = new(2);
        for (int row = 0; row < 200; row++) light.Add([50, 50], row == 0 ? 1 : 0);
        Learner learner = Streams.Learn(Gaussians.Mixture(1), Options, rows);
        double before = Streams.Snapshot(learner).Layout["means"].Of((ReadOnlySpan<double>)Streams.Snapshot(learner).Parameters)[0];

        Streams.Feed(learner, light, 0, light.Count);

        double after = Streams.Snapshot(learner).Layout["means"].Of((ReadOnlySpan<double>)Streams.Snapshot(learner).Parameters)[0];
        Assert.Equal(11, learner.Updates);
        // One record of 50 among the 2 000 that came before, not one minibatch among eleven.
        Assert.InRange(after - before, 0, 0.1);
    }

    [Fact]
    public void Initialize_RowsOfNoWeight_AreNoCentres()
    {
        Minibatch drawn = Gaussians.Three.Draw(300, 5), rows = new(2);
        for (int row = 0; row < 600; row++)
        {
            if (row % 2 == 0) rows.Add([1000 + row, 1000], 0);
            else rows.Add(drawn.Row(row / 2), 1);
        }

        LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3), Options, rows));

        foreach (double mean in learned.Layout["means"].Of((ReadOnlySpan<double>)learned.Parameters)) Assert.InRange(mean, -2, 6);
    }

    private static Minibatch Weighted(int count, double unit)
    {
        var chance = new SplitMix64(17);
        Minibatch drawn = Gaussians.Three.Draw(count, 2), rows = new(2);
        for (int row = 0; row < count; row++) rows.Add(drawn.Row(row), unit * (0.5 + chance.NextDouble()));
        return rows;
    }

    private static double[] Anomalies(LearnedModel learned, Minibatch rows)
    {
        double[] scores = new double[rows.Count];
        new Scorer(learned).Score(rows, new double[rows.Count], new double[rows.Count * learned.Model.ScoreLayout.Length], scores);
        return scores;
    }

    private static void AssertClose(double[] expected, double[] found)
    {
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], found[at], 1e-6 * Math.Max(1, Math.Abs(expected[at])));
    }
}
