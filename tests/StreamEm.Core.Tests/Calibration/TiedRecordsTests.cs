using StreamEm.Core.Calibration;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>
/// Records that others equal score by definition, 1 less the share at least as improbable, while the model moves: what is expected is
/// computed from all records of the stream under the last parameters.
/// </summary>
public sealed class TiedRecordsTests
{
    /// <summary>Of all that is scored: within 1 %, as the shares are of the stream as the parameters remember it.</summary>
    private const double Tolerance = 0.01;

    public static TheoryData<double[], int, Recursion> Discrete
    {
        get
        {
            var data = new TheoryData<double[], int, Recursion>();
            foreach (Recursion recursion in Enum.GetValues<Recursion>())
            {
                data.Add([0.8, 0.19, 0.01], 1, recursion);
                data.Add([0.8, 0.19, 0.01], 3, recursion);
                data.Add([0.5, 0.3, 0.15, 0.04, 0.008, 0.002], 2, recursion);
                data.Add([0.97, 0.029, 0.001], 1, recursion);
                data.Add([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 2, recursion);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Discrete))]
    public void Score_DiscreteStream_IsTheShareByDefinition(double[] shares, int components, Recursion recursion)
    {
        Minibatch rows = Draw(shares, 10_000, 31);
        LearnedModel learned = Learn(Gaussians.Mixture(components), rows, recursion);
        AssertByDefinition(learned, rows);
    }

    [Fact]
    public void Score_CountsUnderAPoissonMixture_IsTheShareByDefinition()
    {
        Minibatch rows = Draw([0.4, 0.3, 0.2, 0.07, 0.02, 0.01], 10_000, 32);
        AssertByDefinition(Learn(ModelCatalog.MixtureOf(new PoissonOptions(), 2), rows, Recursion.Parameters), rows);
    }

    [Fact]
    public void Score_HalfTheRecordsLackAValue_IsTheShareOfTheirLike()
    {
        var chance = new SplitMix64(33);
        var rows = new Minibatch(2);
        for (int row = 0; row < 12_000; row++)
        {
            double level = chance.NextDouble() < 0.8 ? 0 : chance.NextDouble() < 0.9 ? 1 : 3;
            rows.Add([level, row % 2 == 0 ? double.NaN : chance.NextDouble() < 0.7 ? 2 : 5]);
        }
        LearnedModel learned = Learn(Gaussians.Mixture(1), rows, Recursion.Statistics);
        AssertByDefinition(learned, Where(rows, row => double.IsNaN(row[1])));
        AssertByDefinition(learned, Where(rows, row => !double.IsNaN(row[1])));
    }

    [Fact]
    public void Score_ZerosAmongMeasurements_BothAreTheShareByDefinition()
    {
        var chance = new SplitMix64(34);
        var rows = new Minibatch(1);
        for (int row = 0; row < 12_000; row++) rows.Add([chance.NextDouble() < 0.6 ? 0 : 5 + Gaussians.Normal(chance)]);
        LearnedModel learned = Learn(Gaussians.Mixture(2), rows, Recursion.Parameters);
        Assert.Equal(0, Scores(learned, [0])[0], 1e-3);
        // Of the others' log-densities some are those of earlier parameters.
        AssertByDefinition(learned, rows, 0.04);
    }

    [Fact]
    public void Score_MoreKindsThanAreKept_StaysNearTheDefinition()
    {
        var chance = new SplitMix64(35);
        var rows = new Minibatch(2);
        // Some 900 kinds, none of more than 1 %.
        for (int row = 0; row < 20_000; row++)
            rows.Add([Math.Round(5 * Gaussians.Normal(chance)), Math.Round(5 * Gaussians.Normal(chance))]);
        AssertByDefinition(Learn(Gaussians.Mixture(1), rows, Recursion.Parameters), rows, 0.02);
    }

    [Fact]
    public void Score_WeightedDiscreteStream_IsTheShareOfTheWeight()
    {
        Minibatch drawn = Draw([0.8, 0.15, 0.05], 20_000, 36), rows = new(1);
        // The rarest weighs ten times as much.
        for (int row = 0; row < drawn.Count; row++) rows.Add(drawn.Row(row), drawn.Row(row)[0] == 2 ? 10 : 1);
        LearnedModel learned = Learn(Gaussians.Mixture(1), rows, Recursion.Statistics);
        double[] scores = Scores(learned, [0, 1, 2]);
        (double zero, double one) = (0.8 / 1.45, 0.15 / 1.45);
        // 1 is nearer to the mean than 0 is to it, by the weight of 2.
        Assert.Equal([0, one, one + zero], scores.Order(), (expected, found) => Math.Abs(expected - found) < Tolerance);
    }

    [Fact]
    public void SaveAndLoad_AmidATiedStream_GoesOnToTheSameBytes()
    {
        Minibatch rows = Draw([0.8, 0.15, 0.05], 12_000, 37);
        LearningOptions options = Options(Recursion.Parameters);
        Learner whole = new(Gaussians.Mixture(2), RecordSchema.OfNumbers(1), options, threads: 1),
            first = new(Gaussians.Mixture(2), RecordSchema.OfNumbers(1), options, threads: 2),
            second = new(Gaussians.Mixture(2), RecordSchema.OfNumbers(1), options, threads: 2);
        Streams.Feed(whole, rows, 0, rows.Count);
        Streams.Feed(first, rows, 0, 7001);
        _ = first.CreateSnapshot();
        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        Streams.Feed(second, rows, 7001, rows.Count - 7001);
        Assert.Equal(Streams.State(whole), Streams.State(second));
        Assert.Equal(SnapshotText(whole), SnapshotText(second));
    }

    [Fact]
    public void Restore_FromTheSnapshotOfATiedStream_ScoresAsItDid()
    {
        Minibatch rows = Draw([0.8, 0.19, 0.01], 10_000, 38);
        AnomalyCalibration before = Learn(Gaussians.Mixture(1), rows, Recursion.Statistics).Calibration!;
        var calibration = new StreamCalibration(1);
        calibration.Restore(before);
        AnomalyCalibration after = calibration.Calibrate()!;
        for (int at = 1; at < before.LogDensities.Count; at++)
        {
            double density = 0.5 * (before.LogDensities[at - 1] + before.LogDensities[at]);
            Assert.Equal(before.Score(density), after.Score(density), 0.005);
        }
    }

    [Fact]
    public void Add_AFrequentRecordWhereAllPlacesAreTaken_GetsOneAndNothingIsLost()
    {
        var calibration = new StreamCalibration(1);
        var chance = new SplitMix64(39);
        Add(calibration, 20, () => Math.Floor(200 * chance.NextDouble()));
        Assert.Equal(20 * 1024.0, calibration.Calibrate()!.Records, 1e-6);
        Add(calibration, 10, () => chance.NextDouble() < 0.5 ? 1000 : Math.Floor(200 * chance.NextDouble()));
        Assert.Equal(30 * 1024.0, calibration.Calibrate()!.Records, 1e-6);
        var kept = new Minibatch(1);
        calibration.CopyFrequent(kept);
        Assert.InRange(kept.Count, 1, FrequentRecords.Capacity);
        Assert.Contains(1000, kept.Values.ToArray());
    }

    /// <summary>Minibatches of 1024 values, of which the log-density is less the value.</summary>
    private static void Add(StreamCalibration calibration, int minibatches, Func<double> draw)
    {
        for (; minibatches > 0; minibatches--)
        {
            var rows = new Minibatch(1, 1024);
            for (int row = 0; row < 1024; row++) rows.Add([draw()]);
            calibration.Add(rows, complete: true, [.. rows.Values.ToArray().Select(value => -value)], default, 1);
        }
    }

    private static LearningOptions Options(Recursion recursion) =>
        new() { Recursion = recursion, MinibatchSize = 500, Initialization = new() { Buffer = 1000 } };

    private static LearnedModel Learn(LatentModelOptions model, Minibatch rows, Recursion recursion) =>
        Streams.Snapshot(Streams.Learn(model, Options(recursion), rows));

    /// <summary>0, 1, 2, ... in these shares.</summary>
    private static Minibatch Draw(double[] shares, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(1, count);
        for (int row = 0; row < count; row++)
        {
            double at = chance.NextDouble();
            int kind = 0;
            for (; kind < shares.Length - 1 && at >= shares[kind]; kind++) at -= shares[kind];
            rows.Add([kind]);
        }
        return rows;
    }

    private static Minibatch Where(Minibatch rows, Func<double[], bool> condition)
    {
        var kept = new Minibatch(rows.Dimension);
        for (int row = 0; row < rows.Count; row++)
            if (condition(rows.Row(row).ToArray())) kept.Add(rows.Row(row));
        return kept;
    }

    private static double[] Scores(LearnedModel learned, double[] values)
    {
        var rows = new Minibatch(1);
        foreach (double value in values) rows.Add([value]);
        return Score(learned, rows).Scores;
    }

    private static (double[] Densities, double[] Scores) Score(LearnedModel learned, Minibatch rows)
    {
        double[] densities = new double[rows.Count], anomaly = new double[rows.Count];
        new Scorer(learned).Score(rows, densities, new double[rows.Count * learned.Model.ScoreLayout.Length], anomaly);
        return (densities, anomaly);
    }

    private static string SnapshotText(Learner learner)
    {
        AnomalyCalibration calibration = Streams.Snapshot(learner).Calibration!;
        return string.Join(' ', [.. calibration.LogDensities, .. calibration.Scores]);
    }

    private static void AssertByDefinition(LearnedModel learned, Minibatch rows, double tolerance = Tolerance)
    {
        double[] ordered = [.. Score(learned with { Calibration = null }, rows).Densities.Order()];
        Minibatch probes = new(rows.Dimension);
        for (int row = 0; row < rows.Count; row += 5) probes.Add(rows.Row(row));
        (double[] densities, double[] scores) = Score(learned, probes);
        for (int row = 0; row < probes.Count; row++)
        {
            // Records at least as improbable: up to rounding.
            int at = Array.BinarySearch(ordered, densities[row] + 1e-9);
            double expected = 1 - (double)(at < 0 ? ~at : at + 1) / rows.Count;
            Assert.True(Math.Abs(expected - scores[row]) <= tolerance,
                $"[{string.Join(' ', probes.Row(row).ToArray())}] scores {scores[row]:F4}; by definition {expected:F4}");
        }
    }
}
