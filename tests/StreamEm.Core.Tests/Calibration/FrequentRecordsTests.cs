using StreamEm.Core.Calibration;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>The records that others equal, and the sets of missing features: found, dropped, kept and refused.</summary>
public sealed class FrequentRecordsTests
{
    [Fact]
    public void Find_RowsThatAreKept_FindsEachAndNoOther()
    {
        var records = new FrequentRecords(2);
        Assert.Equal(-1, records.Find([0, 0]));
        for (int at = 0; at < FrequentRecords.Capacity; at++)
        {
            Assert.False(records.IsFull);
            Assert.Equal(at, records.Add([at, -at]));
        }
        Assert.True(records.IsFull);
        for (int at = 0; at < FrequentRecords.Capacity; at++)
        {
            Assert.Equal(at, records.Find([at, -at]));
            Assert.Equal([at, -at], records.Row(at).ToArray());
            Assert.Equal(-1, records.Find([at, 1 + at]));
        }
    }

    [Fact]
    public void Find_NaNAndZeros_AreOneEach()
    {
        var records = new FrequentRecords(2);
        records.Add([double.NaN, 0.0]);
        Assert.Equal(0, records.Find([BitConverter.UInt64BitsToDouble(0xFFF8_0000_0000_0007), -0.0]));
        Assert.Equal(-1, records.Find([0.0, double.NaN]));
        Assert.Equal(-1, records.Find([double.NaN, double.NaN]));
    }

    [Theory]
    [InlineData(1.0, 1)]
    [InlineData(0.5, 1)]
    [InlineData(0.1, 1)]
    [InlineData(1.0, 12)]
    public void SlotOf_RoundNumbers_AreAsFarApartAsOthers(double unit, int columns)
    {
        int slots = Enumerable.Range(0, FrequentRecords.Capacity)
            .Select(at => FrequentRecords.SlotOf([at % columns * unit, at / columns * unit])).Distinct().Count();
        // At random 113 of 512.
        Assert.InRange(slots, 95, FrequentRecords.Capacity);
    }

    [Fact]
    public void Remove_AnyOfMany_KeepsTheOthersWithWhatIsKnownOfThem()
    {
        var records = new FrequentRecords(1);
        for (int at = 0; at < 40; at++) records[records.Add([at])].Weight = 100 + at;
        foreach (int gone in (int[])[0, 39, 17, 20])
        {
            records.Remove(records.Find([gone]));
            Assert.Equal(-1, records.Find([gone]));
        }
        Assert.Equal(36, records.Count);
        foreach (int kept in Enumerable.Range(0, 40).Except([0, 39, 17, 20]))
            Assert.Equal(100 + kept, records[records.Find([kept])].Weight);
    }

    [Fact]
    public void FindTwins_RowsThatEqualAnEarlierOne_AreFoundOnce()
    {
        Assert.Equal([2, 5], Twins([1, 2, 1, 1, 3, 2, 4]));
        Assert.Equal([], Twins([1, 2, 3, 4]));
        // Of equal log-density and not equal.
        Assert.Equal([3], Twins([1, 2, 3, 2, 4, 5], sameDensity: true));
        Assert.Equal([], Twins([1, 1], density: double.NegativeInfinity));
        Assert.Equal([], Twins([1, 1], density: double.NaN));
        // Only the first 256 of a stretch are looked at, and what is kept is not found again.
        Assert.Equal([255], Twins([7, .. Enumerable.Range(1000, 254).Select(at => (double)at), 7, 1000]));
        Assert.Equal([], Twins([.. Enumerable.Range(1000, 256).Select(at => (double)at), 1000]));
        // Of those of one log-density the first sixteen.
        double[] sixteen = [.. Enumerable.Range(1, 16).Select(at => (double)at)];
        Assert.Equal([16], Twins([.. sixteen, 16], sameDensity: true));
        Assert.Equal([], Twins([.. sixteen, 17, 17], sameDensity: true));
        var records = new FrequentRecords(1);
        records.Add([5]);
        Assert.Equal([3], Twins([5, 6, 5, 6], records: records));
        Assert.Equal([6], Twins([1, 1, 9, 8, 7, 9, 8], first: 3));
    }

    [Fact]
    public void Fade_ByAFactor_IsThatOfWeightsAndNotOfLogDensities()
    {
        var records = new FrequentRecords(1);
        records[records.Add([4])] = Sound() with { Weight = 8, OfItsPattern = 4, Counter = 2, LogDensity = -3, Comparable = -5 };
        records.Fade(0.5);
        FrequentRecords.Entry entry = records[0];
        Assert.Equal((4.0, 2.0, 1.0, -3.0, -5.0), (entry.Weight, entry.OfItsPattern, entry.Counter, entry.LogDensity, entry.Comparable));
        records.Clear();
        Assert.Equal((0, -1), (records.Count, records.Find([4])));
    }

    [Fact]
    public void SaveAndLoad_Records_AreTheSame()
    {
        var records = new FrequentRecords(2);
        for (int at = 0; at < 5; at++) records[records.Add([at, double.NaN])] = Sound() with { Weight = 10 + at };
        var loaded = new FrequentRecords(2);
        loaded.Add([77, 77]);
        loaded.Load(new BinaryReader(new MemoryStream(Saved(records))));
        Assert.Equal((5, -1, 14.0), (loaded.Count, loaded.Find([77, 77]), loaded[loaded.Find([4, double.NaN])].Weight));
        Assert.Equal(Saved(records), Saved(loaded));
    }

    [Fact]
    public void Load_WhatNoStreamLeaves_IsRefusedWithASentence()
    {
        const string size = "The state remembers {0} frequent records of another size.",
            weight = "The weight of a frequent record is not a number of at least 0.";
        Assert.Equal(string.Format(null, size, -1), Refusal(-1, [], []));
        Assert.Equal(string.Format(null, size, 129), Refusal(129, new double[129], new double[129 * 5]));
        Assert.Equal(string.Format(null, size, 1), Refusal(1, [1, 2], new double[5]));
        Assert.Equal(string.Format(null, size, 1), Refusal(1, [1], new double[6]));
        Assert.Equal("The state remembers a frequent record twice.", Refusal(2, [1, 1], new double[10]));
        FrequentRecords.Entry[] unsound =
        [
            Sound() with { Weight = -1, OfItsPattern = -1 }, Sound() with { Weight = double.PositiveInfinity },
            Sound() with { OfItsPattern = -1 }, Sound() with { OfItsPattern = 11 }, Sound() with { Counter = double.NaN },
            Sound() with { LogDensity = double.NegativeInfinity }, Sound() with { Comparable = double.NaN },
        ];
        foreach (FrequentRecords.Entry entry in unsound)
            Assert.Equal(weight, Refusal(1, [1], [entry.Weight, entry.OfItsPattern, entry.Counter, entry.LogDensity, entry.Comparable]));
        Load(1, [1], [0, 0, -4, -3, double.NegativeInfinity]);
        Load(1, [1], [10, 10, 4, -3, -3]);
        Load(128, [.. Enumerable.Range(0, 128).Select(at => at / 7.0)], new double[128 * 5]);

        static string Refusal(int count, double[] values, double[] entries) =>
            Assert.Throws<InvalidDataException>(() => Load(count, values, entries)).Message;
    }

    [Fact]
    public void MissingSketch_Set_IsKeptAndFadesAndWhatIsNoneIsRefused()
    {
        var sketch = new MissingSketch(2);
        sketch.Begin([5, 1UL << 3], 6);
        sketch.Sketch.Add(-4, 8);
        sketch.Fade(0.5);
        Assert.Equal((3.0, 4.0), (sketch.Counter, sketch.Sketch.Total));
        Assert.Equal([0, 2, 67], sketch.Missing(128));
        Assert.Equal([0, 2], sketch.Missing(64));
        Assert.True(sketch.Is([5, 8]));
        Assert.False(sketch.Is([5, 9]));

        byte[] saved = Saved(sketch.Save);
        MissingSketch loaded = MissingSketch.Load(new BinaryReader(new MemoryStream(saved)), 2);
        Assert.Equal(saved, Saved(loaded.Save));
        Assert.Equal("A set of missing features has 2 words; expected 1.",
            Assert.Throws<InvalidDataException>(() => MissingSketch.Load(new BinaryReader(new MemoryStream(saved)), 1)).Message);
        sketch.Counter = double.NaN;
        Assert.Equal("The counter of a set of missing features is not finite.", Assert.Throws<InvalidDataException>(
            () => MissingSketch.Load(new BinaryReader(new MemoryStream(Saved(sketch.Save))), 2)).Message);

        sketch.Begin([1, 0], 9);
        Assert.Equal((9.0, 0.0), (sketch.Counter, sketch.Sketch.Total));
        var all = new LogDensitySketch();
        all.Add(-1, 7);
        MissingSketch complete = MissingSketch.OfComplete(1, all);
        Assert.Equal((7.0, 7.0), (complete.Counter, complete.Sketch.Total));
        Assert.Empty(complete.Missing(64));
    }

    private static FrequentRecords.Entry Sound() => new() { Weight = 10, OfItsPattern = 5, Counter = 3, LogDensity = -2, Comparable = -2 };

    private static int[] Twins(
        double[] values, bool sameDensity = false, double density = 1, FrequentRecords? records = null, int first = 0)
    {
        var rows = new Minibatch(1);
        foreach (double value in values) rows.Add([value]);
        double[] densities = [.. values.Select(value => sameDensity ? -1 : -value * density)];
        int[] twins = new int[FrequentRecords.Sample / 2];
        return twins[..(records ?? new FrequentRecords(1)).FindTwins(rows, densities, first, twins)];
    }

    private static void Load(int count, double[] values, double[] entries) => new FrequentRecords(1).Load(new BinaryReader(new MemoryStream(
        Saved(writer =>
        {
            writer.Write(count);
            writer.WriteDoubles(values);
            writer.WriteDoubles(entries);
        }))));

    private static byte[] Saved(FrequentRecords records) => Saved(records.Save);

    private static byte[] Saved(Action<BinaryWriter> save)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        save(writer);
        return stream.ToArray();
    }
}
