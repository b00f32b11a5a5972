using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>What the anomaly score remembers of the stream: by its half-life, and by the records' weights.</summary>
public sealed class MemoryOfScoresTests
{
    private const int Minibatch = 100;

    private static readonly LearningOptions Options = new() { MinibatchSize = Minibatch, Recursion = Core.Estimation.Recursion.Statistics };

    [Fact]
    public void Fade_Sketch_KeepsThatShareOfTheTotal()
    {
        var sketch = new LogDensitySketch();
        for (int n = 0; n < 4000; n++) sketch.Add(-n * 1e-3);

        sketch.Fade(0.25);
        Assert.Equal(1000, sketch.Total, 1e-9);
        Assert.Equal(1000, sketch.Calibrate()!.Records, 1e-9);
        Assert.InRange(sketch.Calibrate()!.Score(-2), 0.48, 0.52);

        // As many new records of another kind as are remembered: half of the memory.
        for (int n = 0; n < 1000; n++) sketch.Add(-20 - n * 1e-3);
        Assert.InRange(sketch.Calibrate()!.Score(-10), 0.48, 0.52);
        Assert.InRange(sketch.Calibrate()!.Score(-20.5), 0.72, 0.78);
    }

    [Theory]
    [InlineData(500.0)]
    [InlineData(2000.0)]
    public void Learn_HalfLife_IsWhatTheCalibrationRemembers(double halfLife)
    {
        AnomalyCalibration calibration = Streams.Snapshot(Learned(halfLife)).Calibration!;

        // Minibatches of m fade as whole ones: m + m 2^(-m/h) + m 2^(-2m/h) + ...
        double expected = Minibatch * (1 - Math.Pow(2, -10_000 / halfLife)) / (1 - Math.Pow(2, -Minibatch / halfLife));
        Assert.Equal(expected, calibration.Records, 1e-6 * expected);
    }

    [Fact]
    public void Learn_NoHalfLife_RemembersWhatTheParametersRemember()
    {
        AnomalyCalibration calibration = Streams.Snapshot(Learned(null)).Calibration!;

        // At steps of 5e-7 next to nothing is forgotten.
        Assert.InRange(calibration.Records, 9_999, 10_000);
    }

    [Fact]
    public void Learn_StreamThatWidens_IsRankedAmongItsRecentRecordsWhereThereIsAHalfLife()
    {
        // The wide part stands for 5000 of 10 000 records; at a half-life of 500 for all but a thousandth.
        Assert.InRange(MedianScore(Learned(500)), 0.45, 0.55);
        Assert.True(MedianScore(Learned(null)) > 0.6);
    }

    [Fact]
    public void Learn_WeightTwo_CalibratesAsTheRowTwice()
    {
        Minibatch rows = Gaussians.Three.Draw(300, 5), weighted = new(2), twice = new(2);
        for (int row = 0; row < rows.Count; row++)
        {
            weighted.Add(rows.Row(row), row % 3 == 0 ? 2 : 1);
            twice.Add(rows.Row(row));
        }
        // Apart from the first, so that they are not kept as equal records, which are scored anew.
        for (int row = 0; row < rows.Count; row += 3) twice.Add(rows.Row(row));

        // One update, scored under the same start.
        IReadOnlyList<double> Quantiles(Minibatch of) => Streams.Snapshot(Streams.Learn(
            Gaussians.Mixture(3), Options with { MinibatchSize = of.Count }, of, from: Gaussians.Three.Exact())).Calibration!.Quantiles;
        Assert.Equal(Quantiles(twice), Quantiles(weighted), (expected, found) => Math.Abs(expected - found) < 1e-9);
        Assert.NotEqual(Quantiles(rows), Quantiles(weighted));
    }

    /// <summary>5000 records of the plane's three clouds, then 5000 of them nine times as wide; the model stays as it was.</summary>
    private static Learner Learned(double? halfLife)
    {
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2),
            Options with { AnomalyHalfLife = halfLife, StepSize = new() { T0 = 1e9 } }, Gaussians.Three.Exact());
        Minibatch narrow = Gaussians.Three.Draw(5000, 3);
        Streams.Feed(learner, narrow, 0, narrow.Count);
        Streams.Feed(learner, Wide(4), 0, 5000);
        return learner;
    }

    private static double MedianScore(Learner learner)
    {
        LearnedModel learned = Streams.Snapshot(learner);
        Minibatch probes = Wide(6);
        double[] anomalies = new double[probes.Count];
        new Scorer(learned).Score(probes, new double[probes.Count], new double[probes.Count * learned.Model.ScoreLayout.Length], anomalies);
        return anomalies.Order().ElementAt(anomalies.Length / 2);
    }

    private static Minibatch Wide(ulong seed)
    {
        Gaussians wide = Gaussians.Three with
        {
            Covariances = [.. Gaussians.Three.Covariances.Select(covariance => covariance.Select(value => 9 * value).ToArray())],
        };
        return wide.Draw(5000, seed);
    }
}
