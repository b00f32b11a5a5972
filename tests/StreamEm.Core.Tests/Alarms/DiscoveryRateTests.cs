using StreamEm.Core.Alarms;
using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Growing;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.Alarms;

public sealed class DiscoveryRateTests
{
    private const double Alpha = 0.05;

    [Fact]
    public void Level_WhateverIsFound_NeverAddsUpToMoreThanTheRate()
    {
        var random = new Random(1);
        var rate = new DiscoveryRate(Alpha);
        double sum = 0;
        for (int test = 0; test < 200_000; test++)
        {
            bool isFound = random.Next(50) == 0;
            sum += rate.Level / (rate.Discoveries + 1);
            rate.Take(rate.Level, isFound);
        }
        // The sum is that of the levels by what was found before each; some of it is left for what is to come.
        Assert.InRange(sum, 0.4 * Alpha, Alpha);
    }

    [Fact]
    public void Take_NullStreams_AreMostlyWithoutAnAlarm()
    {
        const int Streams = 400, Records = 20_000;
        var random = new Random(2);
        int wrong = 0;
        for (int stream = 0; stream < Streams; stream++)
        {
            var rate = new DiscoveryRate(Alpha);
            for (int record = 0; record < Records; record++)
            {
                double level = rate.Level;
                rate.Take(level, random.NextDouble() <= level);
            }
            if (rate.Discoveries > 0) wrong++;
        }
        // At most 5 % of them, expected; 20 +- 4.4, and three of those.
        Assert.InRange(wrong, 1, 20 + 13);
    }

    [Theory]
    [InlineData(0.01, 1.0)]
    [InlineData(0.001, 1.0)]
    [InlineData(0.01, 0.8)]
    public void Take_WithAnomalies_FindsNineTenthsOfTheBestThresholdInHindsight(double share, double strength)
    {
        const int Records = 100_000;
        (double P, bool IsStrange)[] records = Anomalies(new Random(3), Records, share, strength);
        var rate = new DiscoveryRate(Alpha);
        int found = 0, wrong = 0;
        foreach ((double p, bool isStrange) in records)
        {
            double level = rate.Level;
            bool isFound = p <= level;
            rate.Take(level, isFound);
            if (isFound && isStrange) found++;
            else if (isFound) wrong++;
        }

        int best = BestInHindsight(records);
        Assert.True(found >= 0.9 * best, $"found {found}, the best threshold {best} of {records.Count(record => record.IsStrange)}");
        Assert.True(wrong <= Alpha * (found + wrong) + 3, $"{wrong} wrong beside {found}");
    }

    [Fact]
    public void Cautious_OfAFewExcesses_IsThePValueOfAnEstimatedExponential()
    {
        // The mean of 20 excesses is estimated, a new one compared: its predictive p-value is uniform, the plain one too often small.
        const int Trials = 200_000, Excesses = 20;
        const double Share = 0.02, Records = Excesses / Share, Below = 0.1 * Share;
        var random = new Random(4);
        double Exponential() => -Math.Log(1 - random.NextDouble());
        int plain = 0, cautious = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            double mean = 0;
            for (int at = 0; at < Excesses; at++) mean += Exponential() / Excesses;
            double p = Share * Math.Exp(-Exponential() / mean);
            if (p < Below) plain++;
            if (DiscoveryRate.Cautious(p, Records, Share, isOfGrowing: true) < Below) cautious++;
        }
        // A tenth, +- 134.
        Assert.InRange(cautious, 19_500, 20_500);
        Assert.True(plain > 22_000, $"plain {plain}, cautious {cautious}");
        Assert.Equal(0.3, DiscoveryRate.Cautious(0.3, Records, Share, isOfGrowing: true));
        Assert.Equal(1e-6, DiscoveryRate.Cautious(1e-6, 1e12, Share, isOfGrowing: true), 1e-12);
        Assert.Equal(1e-30, DiscoveryRate.Cautious(1e-30, double.PositiveInfinity, Share, isOfGrowing: true));
    }

    [Fact]
    public void Cautious_BeyondTheSampleOfAMixtureThatGrows_IsValidForATailTwiceAsHeavyAsFitted()
    {
        const double Share = 0.02, Records = 1e9, Rarest = 1 / (Records + 1);
        double last = 1;
        for (double truth = 1e-3; truth > 1e-40; truth /= 3)
        {
            double fitted = truth < Rarest ? Rarest * Math.Pow(truth / Rarest, 2) : truth;
            double cautious = DiscoveryRate.Cautious(fitted, Records, Share, isOfGrowing: true);
            Assert.True(cautious >= truth * (1 - 1e-9), $"{cautious} of a record whose p-value is {truth}");
            Assert.True(cautious < last, "a rarer record's p-value is smaller");
            last = cautious;
        }
    }

    /// <summary>A tail of which one score in twenty goes on ten times as far as the others.</summary>
    [Fact]
    public void Cautious_OfATailThatEndsElsewhere_FollowsItsLastScores()
    {
        var random = new Random(9);
        var histogram = new ScoreHistogram();
        const int Scores = 200_000;
        for (int at = 0; at < Scores; at++)
            histogram.Add(random.NextDouble() < 0.98 ? random.NextDouble() : 1 - Math.Log(random.NextDouble()) * (at % 20 == 0 ? 2 : 0.2));
        AnomalyCalibration calibration = histogram.Calibrate()!;
        double last = 1;
        for (double y = 1.5; y < 24; y += 0.25)
        {
            double truth = 0.02 * (0.05 * Math.Exp(-(y - 1) / 2) + 0.95 * Math.Exp(-(y - 1) / 0.2)), fitted = histogram.PValue(y),
                cautious = DiscoveryRate.Cautious(fitted, Scores, 0.02, isOfGrowing: true, calibration.Far);
            Assert.True(cautious >= 0.3 * truth, $"{cautious} at {y}, where it is {truth}");
            Assert.True(cautious <= last, $"{cautious} at {y} after {last}");
            if (y > 10) Assert.True(fitted < 0.01 * truth && cautious < 100 * truth, $"{fitted}, {cautious} at {y} of {truth}");
            last = cautious;
        }
    }

    [Fact]
    public void Far_OfFewScores_IsNotKnown()
    {
        var histogram = new ScoreHistogram();
        for (int at = 0; at < 4000; at++) histogram.Add(-Math.Log((at + 0.5) / 4000));
        Assert.Null(histogram.Calibrate()!.Far);
        for (int at = 0; at < 8000; at++) histogram.Add(-Math.Log((at + 0.5) / 8000));
        Assert.NotNull(histogram.Calibrate()!.Far);
    }

    [Fact]
    public void Watch_WithARate_GoesOnAfterALoadWithTheSameMarks()
    {
        var random = new Random(5);
        double[] values = [.. Enumerable.Range(0, 3000).Select(at => at % 100 == 99 ? 1e-12 : random.NextDouble())];
        var options = new AlarmOptions { FalseDiscoveryRate = Alpha, Rest = 10 };
        AlarmMark[] expected = Marks(new AlarmWatch(options, ["x"]), values);
        AlarmWatch first = new(options, ["x"]), second = new(options, ["x"]);
        AlarmMark[] before = Marks(first, values[..1234]);
        using var state = new MemoryStream();
        using (var writer = new BinaryWriter(state, System.Text.Encoding.UTF8, leaveOpen: true)) first.Save(writer);
        state.Position = 0;
        second.Load(new BinaryReader(state));

        Assert.Equal(expected, [.. before, .. Marks(second, values[1234..])]);
        Assert.Contains(AlarmMark.Raised, expected);
    }

    [Fact]
    public void Watch_WhileItRests_TestsOnlyForOneTwiceAsImprobable()
    {
        var watch = new AlarmWatch(new AlarmOptions { FalseDiscoveryRate = Alpha, Rest = 100 }, ["x"]);
        AlarmMark[] marks = Marks(watch, [0.5, 1e-300, 1e-299, 0.5]);
        Assert.Equal([AlarmMark.Quiet, AlarmMark.Raised, AlarmMark.Lasting, AlarmMark.Cleared], marks);
    }

    private static AlarmMark[] Marks(AlarmWatch watch, double[] values) =>
        [.. values.Select(p => watch.Take(null, Minibatch.NoTimestamp, p, p, -1, [0]))];

    /// <summary>p-values: uniform, and of the strange ones those of a normal mean of 8 deviations times the strength.</summary>
    private static (double P, bool IsStrange)[] Anomalies(Random random, int count, double share, double strength)
    {
        var records = new (double, bool)[count];
        for (int at = 0; at < count; at++)
        {
            bool isStrange = random.NextDouble() < share;
            double z = 8 * strength + Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            // Mills' ratio: the upper tail of a normal.
            records[at] = (isStrange ? Math.Min(1, ScalarMath.Exp(-z * z / 2) / (Math.Max(0.4, z) * 2.5)) : random.NextDouble(), isStrange);
        }
        return records;
    }

    /// <summary>The most that a fixed threshold finds with at most 5 % wrong among what it finds.</summary>
    private static int BestInHindsight((double P, bool IsStrange)[] records)
    {
        int best = 0, found = 0, wrong = 0;
        foreach ((_, bool isStrange) in records.OrderBy(record => record.P))
        {
            if (isStrange) found++;
            else wrong++;
            if (wrong <= Alpha * (found + wrong)) best = Math.Max(best, found);
        }
        return best;
    }
}
