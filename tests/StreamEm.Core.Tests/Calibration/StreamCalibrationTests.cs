using StreamEm.Core.Calibration;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Calibration;

public sealed class StreamCalibrationTests
{
    [Fact]
    public void FadeOf_StepSizes_IsWhatTheRecursionLeavesAndNeverLessThanAMemory()
    {
        // 1 / t is a plain average: nothing fades.
        Assert.Equal(1, StreamCalibration.FadeOf(1.0 / 7, 1.0 / 8, 512), 1e-12);
        // A floor forgets by itself.
        Assert.Equal(0.95, StreamCalibration.FadeOf(0.05, 0.05, 1000), 1e-12);
        // So fast that no tail could be told.
        Assert.Equal(Math.Exp(-0.1), StreamCalibration.FadeOf(0.5, 0.5, 500), 1e-12);
    }

    [Fact]
    public void Score_RecordsWithValuesMissing_AreComparedWithTheirLike()
    {
        var calibration = new StreamCalibration(2);
        Minibatch rows = Rows(10_000);
        double[] densities = Densities(rows);
        // What the model says of rows with a value missing is wrong here: their own sketch is used.
        calibration.Add(rows, complete: false, densities, new double[rows.Count], 1);
        AnomalyCalibration all = calibration.Calibrate()!;

        Assert.Equal([[], [1]], all.Patterns.Select(pattern => pattern.Missing));
        Assert.Equal(0.5, all.Score([1, double.NaN], -150, 0), 0.03);
        Assert.Equal(0.5, all.Score([1, 1], -50, double.NaN), 0.03);
        Assert.True(all.Score([1, double.NaN], -250, 0) > 0.99);
        Assert.Equal(1, all.Score([1, double.NaN], double.NegativeInfinity, 0));
        Assert.True(double.IsNaN(all.Score([double.NaN, double.NaN], double.NaN, 0)));
    }

    [Fact]
    public void Add_MoreSetsThanThereIsRoomFor_KeepsTheFrequent()
    {
        var calibration = new StreamCalibration(12);
        var chance = new SplitMix64(4);
        for (int minibatch = 0; minibatch < 40; minibatch++)
        {
            var rows = new Minibatch(12);
            double[] row = new double[12];
            for (int n = 0; n < 500; n++)
            {
                for (int d = 0; d < 12; d++) row[d] = n % 5 == 0 ? d == 3 ? double.NaN : 0 : chance.NextDouble() < 0.5 ? double.NaN : 0;
                rows.Add(row);
            }
            double[] densities = new double[rows.Count];
            calibration.Add(rows, complete: false, densities, densities, 1);
        }
        PatternCalibration frequent = Assert.Single(calibration.Calibrate()!.Patterns);
        Assert.Equal([3], frequent.Missing);
        Assert.InRange(frequent.Calibration.Records, 3900, 4100);
    }

    [Fact]
    public void SaveAndLoad_AtAnyMinibatch_GoesOnToTheSameBytes()
    {
        StreamCalibration whole = new(2), first = new(2);
        foreach (StreamCalibration one in (StreamCalibration[])[whole, first]) Feed(one, 0, 5);
        var second = new StreamCalibration(2);
        second.Load(new BinaryReader(new MemoryStream(Bytes(first))), StateVersion.Current);
        Feed(whole, 5, 12);
        Feed(second, 5, 12);
        Assert.Equal(Bytes(whole), Bytes(second));
    }

    [Fact]
    public void Restore_FromACalibration_ScoresAsItDid()
    {
        StreamCalibration first = new(2), second = new(2);
        Minibatch rows = Rows(10_000);
        double[] densities = Densities(rows);
        for (int row = 0; row < rows.Count; row += 4) densities[row] = -150;
        first.Add(rows, complete: false, densities, densities, 1);
        AnomalyCalibration before = first.Calibrate()!;
        second.Restore(before);
        AnomalyCalibration after = second.Calibrate()!;
        Assert.Equal(before.Patterns.Select(pattern => pattern.Missing), after.Patterns.Select(pattern => pattern.Missing));
        for (double density = -199; density < 0; density += 7)
        {
            Assert.Equal(before.Score(density), after.Score(density), 0.01);
            double[] partial = [1, double.NaN];
            Assert.Equal(before.Score(partial, density, 0), after.Score(partial, density, 0), 0.01);
        }
        Assert.Equal(before.Score(-250), after.Score(-250), 1e-3);
    }

    [Fact]
    public void Add_OfAnother_IsOneOfBothStreams()
    {
        foreach ((bool first, bool second) in (ReadOnlySpan<(bool, bool)>)[(true, true), (true, false), (false, true), (false, false)])
        {
            StreamCalibration sum = Fed(first, 0), other = Fed(second, 5000);
            sum.Add(other);
            AnomalyCalibration all = sum.Calibrate()!;
            Assert.Equal(8000, all.Records, 1e-6);
            int[][] missing = first || second ? [[], [1]] : [];
            Assert.Equal(missing, all.Patterns.Select(pattern => pattern.Missing));
            foreach (double density in (double[])[-5, -50, -95]) Assert.Equal(-density / 100, all.Score([1, 1], density, double.NaN), 0.03);
            if (first || second) Assert.Equal(0.5, all.Score([1, double.NaN], -150, 0), 0.03);
        }

        static StreamCalibration Fed(bool isPartial, int first)
        {
            var calibration = new StreamCalibration(2);
            var rows = new Minibatch(2);
            for (int n = 0; n < 4000; n++) rows.Add([first + n, isPartial && n % 2 == 0 ? double.NaN : 1]);
            double[] densities = [.. Enumerable.Range(0, 4000).Select(
                row => -100 * ((0.618 * row % 1) + (double.IsNaN(rows.Row(row)[1]) ? 1 : 0)))];
            calibration.Add(rows, !isPartial, densities, [.. densities.Select(density => density < -100 ? density + 100 : density)], 1);
            return calibration;
        }
    }

    [Fact]
    public void Restore_IntoOneThatRemembersOthers_LeavesNothingOfThem()
    {
        StreamCalibration first = new(3), fresh = new(3), used = new(3);
        Minibatch rows = new(3), strange = new(3);
        for (int n = 0; n < 6000; n++) rows.Add([n, n % 3 == 1 ? double.NaN : 1, n % 3 == 2 ? double.NaN : 1]);
        for (int n = 0; n < 1000; n++) strange.Add([n % 2 == 0 ? double.NaN : 7, 1, 1]);
        double[] densities = [.. Enumerable.Range(0, 6000).Select(at => -0.618 * at % 100)];
        first.Add(rows, complete: false, densities, densities, 1);
        used.Add(strange, complete: false, densities.AsSpan(0, 1000), densities.AsSpan(0, 1000), 1);
        AnomalyCalibration before = first.Calibrate()!;
        Assert.Equal([[], [1], [2]], before.Patterns.Select(pattern => pattern.Missing));
        fresh.Restore(before);
        used.Restore(before);
        Assert.Equal([[], [1], [2]], fresh.Calibrate()!.Patterns.Select(pattern => pattern.Missing));
        Assert.All(fresh.Calibrate()!.Patterns, pattern => Assert.Equal(2000, pattern.Calibration.Records, 1e-6));
        Assert.Equal(Bytes(fresh), Bytes(used));
    }

    [Fact]
    public void Calibrate_ASetOfMissingFeatures_IsToldApartFromFiveHundredRecordsOn()
    {
        var calibration = new StreamCalibration(2);
        double[] densities = [.. Enumerable.Range(0, 999).Select(at => -0.618 * at % 100)];
        calibration.Add(Rows(99), complete: false, densities, densities, 1);
        Assert.Null(calibration.Calibrate());
        calibration.Clear();
        calibration.Add(Rows(999), complete: false, densities, densities, 1);
        // 500 rows lack their second value, 499 do not.
        Assert.Equal([1], Assert.Single(calibration.Calibrate()!.Patterns).Missing);
    }

    /// <summary>0.1.0 wrote the sketch alone, later ones the sets of missing features, and then the records that are kept.</summary>
    [Fact]
    public void Load_StateOfAnEarlierRelease_ReadsWhatItRemembers()
    {
        StreamCalibration whole = new(2), loaded = new(2);
        whole.Add(Rows(400), complete: false, Densities(Rows(400)), new double[400], 0.5);
        byte[] state = Bytes(whole);
        var sketch = new LogDensitySketch();
        using var reader = new BinaryReader(new MemoryStream(state));
        sketch.Load(reader);
        long sketchLength = reader.BaseStream.Position;
        using var frequent = new MemoryStream();
        using (var writer = new BinaryWriter(frequent)) new FrequentRecords(2).Save(writer);
        int frequentLength = frequent.ToArray().Length;

        // The weights are then as many as the records.
        LoadFrom(state[..(int)sketchLength], StateVersion.Levels);
        Assert.Equal(sketch.Total, BitConverter.ToDouble(Bytes(loaded), (int)sketchLength));
        Assert.Equal(sketch.Total, BitConverter.ToDouble(Bytes(loaded), (int)sketchLength + 8));
        LoadFrom(state[..^frequentLength], StateVersion.Patterns);
        Assert.Equal(state, Bytes(loaded));
        LoadFrom(state, StateVersion.Frequent);
        Assert.Equal(state, Bytes(loaded));

        void LoadFrom(byte[] bytes, StateVersion version)
        {
            var stream = new MemoryStream(bytes);
            loaded.Load(new BinaryReader(stream), version);
            Assert.Equal(bytes.Length, stream.Position);
        }
    }

    [Fact]
    public void AddAt_LogDensities_AreCounted()
    {
        var calibration = new StreamCalibration(2);
        for (int at = 0; at < 1000; at++) calibration.AddAt(-at / 10.0, 0.5);
        Assert.Equal(500, calibration.Calibrate()!.Records, 1e-9);
        Assert.Equal(0.5, calibration.Calibrate()!.Score(-50), 0.02);
        // They weighed as much as they were worth, as these do.
        calibration.Add(Rows(100), complete: true, new double[100], default, 1);
        Assert.Equal(600, calibration.Calibrate()!.Records, 1e-9);
        calibration.Clear();
        Assert.Null(calibration.Calibrate());
    }

    [Theory]
    [InlineData(-1.0, 1.0, 0, "The weight of the records remembered is not a number of at least 0.")]
    [InlineData(1.0, -1.0, 0, "The weight of the records remembered is not a number of at least 0.")]
    [InlineData(double.NaN, 1.0, 0, "The weight of the records remembered is not a number of at least 0.")]
    [InlineData(1.0, double.PositiveInfinity, 0, "The weight of the records remembered is not a number of at least 0.")]
    [InlineData(0.0, 0.0, -1, "-1 sets of missing features are remembered; expected 0 to 16.")]
    [InlineData(0.0, 0.0, 17, "17 sets of missing features are remembered; expected 0 to 16.")]
    public void Load_WhatNoStreamLeaves_IsRefusedWithASentence(double weight, double worth, int patterns, string reason)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        new LogDensitySketch().Save(writer);
        writer.Write(weight);
        writer.Write(worth);
        writer.Write(patterns);
        stream.Position = 0;

        Assert.Equal(reason, Assert.Throws<InvalidDataException>(
            () => new StreamCalibration(2).Load(new BinaryReader(stream), StateVersion.Current)).Message);
    }

    private static void Feed(StreamCalibration calibration, int first, int end)
    {
        for (int minibatch = first; minibatch < end; minibatch++)
        {
            Minibatch rows = Rows(300 + minibatch);
            double[] densities = Densities(rows);
            calibration.Fade(0.9);
            calibration.Add(rows, complete: false, densities, densities, 1);
        }
    }

    private static byte[] Bytes(StreamCalibration calibration)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        calibration.Save(writer);
        return stream.ToArray();
    }

    /// <summary>Every other row lacks its second value.</summary>
    private static Minibatch Rows(int count)
    {
        var rows = new Minibatch(2, count);
        for (int n = 0; n < count; n++) rows.Add([n, n % 2 == 0 ? double.NaN : 1]);
        return rows;
    }

    /// <summary>Uniform in [-100, 0] for complete rows and [-200, -100] for others.</summary>
    private static double[] Densities(Minibatch rows)
    {
        var chance = new SplitMix64(11);
        return [.. Enumerable.Range(0, rows.Count).Select(row => -100 * (chance.NextDouble() + (double.IsNaN(rows.Row(row)[1]) ? 1 : 0)))];
    }
}
