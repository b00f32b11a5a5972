using StreamEm.Core.Calibration;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>The histogram of log-densities: what it holds, sums, forgets, keeps and refuses.</summary>
public sealed class LogDensitySketchTests
{
    [Fact]
    public void LogDensity_OfABinsNumber_IsInsideThatBin()
    {
        foreach (double logDensity in (double[])[3, 2.9, 3.1, 0, -5, -1e6, 40, 1e9])
        {
            double[] bin = new double[1];
            LogDensitySketch.Bins([logDensity], bin);
            double high = LogDensitySketch.LogDensity(bin[0] / 256), low = LogDensitySketch.LogDensity((bin[0] + 1) / 256);
            Assert.InRange(logDensity, low - (1e-12 * Math.Abs(low)), high + (1e-12 * Math.Abs(high)));
        }
    }

    [Fact]
    public void Add_Records_CountsTheirWeightsAndNoneThatAreNone()
    {
        var sketch = new LogDensitySketch();
        sketch.Add(-4);
        sketch.Add(-900, 2.5);
        sketch.Add(double.NegativeInfinity, 3);
        sketch.Add(double.NaN);
        sketch.Add(-4, 0);
        sketch.Add(-4, -1);
        sketch.Add(-4, double.NaN);
        Assert.Equal(6.5, sketch.Total);

        var several = new LogDensitySketch();
        several.AddRange([-4, -900, double.NegativeInfinity, double.NaN, -4], [1, 2.5, 3, 1, 0]);
        Assert.Equal(Saved(sketch), Saved(several));
    }

    [Theory]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    public void AddRange_MoreThanABlock_AddsEachOnceWithItsWeight(int count)
    {
        var chance = new SplitMix64(2);
        double[] densities = [.. Enumerable.Range(0, count).Select(_ => -50 * chance.NextDouble())];
        double[] weights = [.. Enumerable.Range(0, count).Select(at => (double)(1 + at % 4))];
        LogDensitySketch one = new(), all = new(), unweighted = new();
        for (int at = 0; at < count; at++) one.Add(densities[at], weights[at]);
        all.AddRange(densities, weights);
        unweighted.AddRange(densities, default);

        Assert.Equal(Saved(one), Saved(all));
        Assert.Equal(count, unweighted.Total);
    }

    [Fact]
    public void Merge_OfTwo_IsOneOfBothWhateverTheirRanges()
    {
        foreach ((double[] first, double[] second) in (ReadOnlySpan<(double[], double[])>)
            [([-1, -2], [-3000, 8]), ([-3000, 8], [-1, -2]), ([], [-7]), ([-7], []), ([-1e200], [2.99])])
        {
            LogDensitySketch sum = new(), other = new(), both = new();
            sum.AddRange(first, default);
            other.AddRange(second, default);
            both.AddRange([.. first, .. second], default);
            sum.Merge(other);
            Assert.Equal(Saved(both), Saved(sum));
        }
    }

    [Fact]
    public void Fade_ByAFactor_IsThatOfEveryWeight()
    {
        LogDensitySketch faded = new(), light = new();
        faded.AddRange([-1, -20, -300], default);
        light.AddRange([-1, -20, -300], [0.25, 0.25, 0.25]);
        faded.Fade(0.25);
        Assert.Equal(Saved(light), Saved(faded));
    }

    [Fact]
    public void Clear_Sketch_IsAsNew()
    {
        var sketch = new LogDensitySketch();
        sketch.AddRange([-1, -20], default);
        sketch.Clear();
        Assert.Equal(0, sketch.Total);
        Assert.Null(sketch.Calibrate());
        sketch.Add(-5);
        var fresh = new LogDensitySketch();
        fresh.Add(-5);
        Assert.Equal(Saved(fresh), Saved(sketch));
    }

    [Fact]
    public void Calibrate_FewerThanAHundred_IsNone()
    {
        var sketch = new LogDensitySketch();
        sketch.Add(-4, 99.9);
        Assert.Null(sketch.Calibrate());
        Assert.Null(sketch.Calibrate([new Tie(-9, 0.05)]));
        Assert.NotNull(sketch.Calibrate([new Tie(-9, 0.1)]));
        sketch.Add(-4, 0.1);
        Assert.Equal(100, sketch.Calibrate()!.Records, 1e-9);
    }

    [Fact]
    public void Calibrate_TiesBeside_AreAsIfTheyWereInIt()
    {
        LogDensitySketch beside = new(), inside = new();
        for (int at = 0; at < 5000; at++)
        {
            double density = -30 * (at + 0.5) / 5000;
            beside.Add(density);
            inside.Add(density);
        }
        inside.Add(-12.345, 1000);
        inside.Add(double.NegativeInfinity, 5);
        AnomalyCalibration apart = beside.Calibrate([new Tie(double.NegativeInfinity, 5), new Tie(-12.345, 1000)])!,
            whole = inside.Calibrate()!;
        Assert.Equal(6005, apart.Records, 1e-9);
        Assert.Equal(whole.Quantiles, apart.Quantiles);
        for (double density = -29.5; density < 0; density += 1)
            Assert.Equal(whole.Score(density), apart.Score(density), 0.004);
        // A tie is as improbable as itself: what is more probable is what it scores by.
        Assert.Equal(12.345 / 30 * 5000 / 6005, apart.Score(-12.345), 0.01);
    }

    [Fact]
    public void Quantiles_OfAUniformStream_AreEquallySpaced()
    {
        var sketch = new LogDensitySketch();
        for (int at = 0; at < 10_000; at++) sketch.Add(-(at + 0.5) / 100);
        IReadOnlyList<double> quantiles = sketch.Calibrate()!.Quantiles;
        Assert.Equal(50, quantiles.Count);
        for (int at = 0; at < 50; at++) Assert.Equal(-98.0 * at / 49, quantiles[at], 0.5);
    }

    /// <summary>Of 50 records each in two bins: 98 % of all in 49 steps, evenly within a bin.</summary>
    [Fact]
    public void Quantiles_OfTwoBins_AreInThemByTheirRanks()
    {
        var sketch = new LogDensitySketch();
        sketch.Add(LogDensitySketch.LogDensity(300.5 / 256), 50);
        sketch.Add(LogDensitySketch.LogDensity(400.5 / 256), 50);
        IReadOnlyList<double> quantiles = sketch.Calibrate()!.Quantiles;
        for (int at = 0; at < 50; at++)
        {
            double place = at <= 25 ? 300 + at / 25.0 : 400 + (at - 25) / 25.0;
            Assert.Equal(LogDensitySketch.LogDensity(place / 256), quantiles[at], 1e-12);
        }
    }

    /// <summary>Between knots evenly, at a tie in the middle of its bin, beyond the last by the tail.</summary>
    [Fact]
    public void Restore_OfKnots_HasTheirRecordsInTheirPlaces()
    {
        var calibration = new AnomalyCalibration(1000, [2, -10, -20, -30], Math.Log(34), 0.5)
        {
            LogDensities = [2, -10, -20, -20, -30],
            Scores = [0, 0.3, 0.5, 0.8, 0.98],
        };
        LogDensitySketch expected = new(), restored = new();
        foreach ((double high, double low, double weight) in (ReadOnlySpan<(double, double, double)>)
            [(2, -10, 300), (-10, -20, 200), (-20, -30, 180)])
            for (int step = 0; step < 16; step++) expected.Add(high - (high - low) * (2 * step + 1) / 32, weight / 16);
        expected.Add(-15, 300);
        // Of 20 records beyond: u - u0 is exponential of mean 1/2, at its 64 middle ranks.
        for (int rank = 0; rank < 64; rank++) expected.Add(4 - 34 * Math.Pow((rank + 0.5) / 64, -0.5), 20.0 / 64);
        restored.Add(-3, 77);
        restored.Restore(calibration);
        (int First, double[] Bins, double Total) one = Read(expected), other = Read(restored);
        Assert.Equal(one.First, other.First);
        Assert.Equal(one.Bins, other.Bins, (wanted, found) => Math.Abs(wanted - found) < 1e-9);
        Assert.Equal(1000, other.Total, 1e-9);
    }

    [Fact]
    public void SaveAndLoad_AnySketch_IsTheSameAndGoesOn()
    {
        foreach (double[] densities in (double[][])[[], [-4], [-1e300, 5, -2]])
        {
            LogDensitySketch sketch = new(), loaded = new();
            sketch.AddRange(densities, default);
            loaded.Load(new BinaryReader(new MemoryStream(Saved(sketch))));
            Assert.Equal(sketch.Total, loaded.Total);
            Assert.Equal(Saved(sketch), Saved(loaded));
            sketch.Add(-77);
            loaded.Add(-77);
            Assert.Equal(Saved(sketch), Saved(loaded));
        }
    }

    [Fact]
    public void Load_WhatIsNoSketch_IsRefusedWithASentence()
    {
        const int most = 40 * 256, room = 128;
        const string weight = "A sketch has a weight that is not a number of at least 0.",
            sum = "The weights of a sketch do not add up to its sum.";
        Load(-most - room, [1], 1);
        Load(most + room, [1], 1);
        Load(0, [1, 2], 3 * (1 + 5e-7));
        (int First, double[] Bins, double Total, string Reason)[] damages =
        [
            (-most - room - 1, [1], 1, "A sketch has bins from -10369 to -10369; expected +-10240."),
            (most + room, [1, 1], 2, "A sketch has bins from 10368 to 10369; expected +-10240."),
            (int.MaxValue, [1, 1], 2, "A sketch has bins from 2147483647 to 2147483648; expected +-10240."),
            (0, [1, -1], 0, weight),
            (0, [double.NaN], 1, weight),
            (0, [double.PositiveInfinity], double.PositiveInfinity, sum),
            (0, [1, 2], 3.1, sum),
            (0, [1, 2], 2.9, sum),
            (0, [1, 2], double.NaN, sum),
        ];
        foreach ((int first, double[] bins, double total, string reason) in damages)
            Assert.Equal(reason, Assert.Throws<InvalidDataException>(() => Load(first, bins, total)).Message);

        static void Load(int first, double[] bins, double total)
        {
            var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(first);
            writer.WriteDoubles(bins);
            writer.Write(total);
            stream.Position = 0;
            new LogDensitySketch().Load(new BinaryReader(stream));
        }
    }

    private static (int First, double[] Bins, double Total) Read(LogDensitySketch sketch)
    {
        using var reader = new BinaryReader(new MemoryStream(Saved(sketch)));
        return (reader.ReadInt32(), reader.ReadDoubles(), reader.ReadDouble());
    }

    private static byte[] Saved(LogDensitySketch sketch)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        sketch.Save(writer);
        return stream.ToArray();
    }
}
