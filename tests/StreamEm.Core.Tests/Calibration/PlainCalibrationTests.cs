using StreamEm.Core.Calibration;
using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>
/// <see cref="StreamCalibration"/> remembers what <see cref="PlainCalibration"/> does, bin by bin and record by record, over streams with
/// equal records, values missing, weights and fading, and of several streams together.
/// </summary>
public sealed class PlainCalibrationTests
{
    /// <summary>Minibatches about 256 and 1024 records: that many are looked at, of that many.</summary>
    private static readonly int[] Lengths = [300, 1024, 255, 1300, 2100, 1, 1281, 257, 1024, 2049];

    public static TheoryData<int, int, int, int> Pairs()
    {
        var pairs = new TheoryData<int, int, int, int>();
        foreach (int kinds in (int[])[0, 40])
            foreach (int sets in (int[])[0, 24])
                foreach (int otherKinds in (int[])[0, 40])
                    foreach (int otherSets in (int[])[0, 24]) pairs.Add(kinds, sets, otherKinds, otherSets);
        return pairs;
    }

    [Theory]
    [InlineData(1, 6, 40, 0)]
    [InlineData(2, 6, 40, 24)]
    [InlineData(3, 6, 300, 24)]
    [InlineData(4, 6, 300, 3, true)]
    [InlineData(5, 70, 300, 24, true)]
    [InlineData(6, 70, 40, 20, true, false)]
    [InlineData(7, 6, 300, 24, false, false)]
    [InlineData(8, 6, 0, 0, true)]
    public void Add_AnyStream_IsWhatThePlainWayRemembers(
        ulong seed, int dimension, int kinds, int sets, bool isWeighted = false, bool isOfRecords = true)
    {
        var stream = new Draws(seed, dimension, kinds, isWeighted);
        var calibration = new StreamCalibration(dimension, isOfRecords);
        var plain = new PlainCalibration(dimension, isOfRecords);
        for (int at = 0; at < Lengths.Length; at++)
        {
            // The first are complete, and one of the others.
            Feed(stream.Next(Lengths[at], at is < 5 or 8 ? 0 : sets), at % 3 == 2 ? 0.9 : 1,
                isWeighted && at % 4 == 3 ? 0.5 : 1, calibration, plain);
            if (at % 2 == 1) AssertSame(plain, calibration);
        }
        Assert.InRange(plain.SetCount, Math.Min(sets, 9), Math.Min(sets, 16));
        AssertCalibrates(plain, calibration);
        var copy = new StreamCalibration(dimension, isOfRecords);
        copy.CopyFrom(calibration);
        AssertSame(plain, copy);
        var kept = new Minibatch(dimension);
        calibration.CopyFrequent(kept);
        Assert.Equal(plain.Kinds, kept.Count);
    }

    [Fact]
    public void Add_TheFirstValueMissingWhereAllPlacesAreTaken_IsWhatThePlainWayRemembers()
    {
        StreamCalibration calibration = new(2);
        PlainCalibration plain = new(2);
        Minibatch full = new(2), missing = new(2);
        for (int n = 0; n < 256; n++) full.Add([n % 128, 1]);
        for (int n = 0; n < 100; n++) missing.Add([n % 2 == 0 ? n : 1000 + n, n % 2 == 0 ? 1 : double.NaN]);
        foreach (Minibatch rows in (Minibatch[])[full, missing])
        {
            double[] densities = [.. Enumerable.Range(0, rows.Count).Select(row => -Math.Sqrt(rows.Row(row)[0]))];
            Feed((rows, densities, densities), 1, 1, calibration, plain);
            AssertSame(plain, calibration);
            Assert.Equal(128, plain.Kinds);
        }
    }

    /// <summary>Of streams with no equal records or some, and no values missing or some: any two of them.</summary>
    [Theory]
    [MemberData(nameof(Pairs))]
    public void Add_OfAnother_IsWhatThePlainWayRemembersOfBoth(int kinds, int sets, int otherKinds, int otherSets)
    {
        Draws first = new(11, 6, kinds, isWeighted: true), second = new(12, 6, otherKinds, isWeighted: false);
        (StreamCalibration Calibration, PlainCalibration Plain) one = (new(6), new(6)), other = (new(6), new(6));
        foreach (int at in (int[])[0, 1])
        {
            Feed(first.Next(700, at * sets), 1, 1, one.Calibration, one.Plain);
            Feed(second.Next(900, at * otherSets), 1, 1, other.Calibration, other.Plain);
        }
        one.Calibration.Add(other.Calibration);
        one.Plain.Add(other.Plain);
        AssertSame(one.Plain, one.Calibration);
        Feed(first.Next(400, 2), 1, 1, one.Calibration, one.Plain);
        AssertSame(one.Plain, one.Calibration);
    }

    [Fact]
    public void LoadClearAndCopy_IntoOneThatRemembersOthers_LeaveNothingOfThem()
    {
        Draws stream = new(21, 6, 40, isWeighted: false), strange = new(22, 6, 40, isWeighted: true);
        StreamCalibration calibration = new(6), used = new(6), cleared = new(6);
        PlainCalibration plain = new(6), anew = new(6), ignored = new(6);
        for (int at = 0; at < 3; at++)
        {
            Feed(stream.Next(600, at * 10), 1, 1, calibration, plain);
            Feed(strange.Next(500, 20), 1, 1, used, ignored);
            Feed(strange.Next(500, 20), 1, 1, cleared, ignored);
        }
        used.CopyFrom(calibration);
        AssertSame(plain, used);
        cleared.Clear();
        AssertSame(anew, cleared);
        foreach (int sets in (int[])[0, 24, 24])
        {
            (Minibatch, double[], double[]) drawn = stream.Next(600, sets);
            Feed(drawn, 0.9, 1, cleared, anew);
            Feed(drawn, 0.9, 1, used, plain);
            AssertSame(plain, used);
            AssertSame(anew, cleared);
        }
    }

    private static void Feed((Minibatch Rows, double[] LogDensities, double[] Comparable) drawn, double fade, double unit,
        StreamCalibration calibration, PlainCalibration plain)
    {
        calibration.Fade(fade);
        plain.Fade(fade);
        bool isComplete = !drawn.Rows.Values.Contains(double.NaN);
        calibration.Add(drawn.Rows, isComplete, drawn.LogDensities, isComplete ? default : drawn.Comparable, unit);
        plain.Add(drawn.Rows, drawn.LogDensities, drawn.Comparable, unit);
    }

    /// <summary>All that is in the state, by the same names.</summary>
    private static SortedDictionary<string, double> Describe(StreamCalibration calibration)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        calibration.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        var all = new SortedDictionary<string, double>(StringComparer.Ordinal);
        Read(all, "all", reader);
        (all["weight"], all["worth"]) = (reader.ReadDouble(), reader.ReadDouble());
        int dimension = calibration.Dimension;
        for (int sets = reader.ReadInt32(); sets > 0; sets--)
        {
            ulong[] mask = reader.ReadArray<ulong>();
            Assert.Equal((dimension + 63) / 64, mask.Length);
            string missing = string.Concat(
                Enumerable.Range(0, 64 * mask.Length).Select(d => (mask[d / 64] & (1UL << (d % 64))) != 0 ? '-' : '1'));
            Assert.DoesNotContain('-', missing[dimension..]);
            all.Add($"set {missing[..dimension]} counter", reader.ReadDouble());
            Read(all, $"set {missing[..dimension]}", reader);
        }
        int count = reader.ReadInt32();
        double[] values = reader.ReadDoubles(), entries = reader.ReadDoubles();
        for (int at = 0; at < count; at++)
        {
            string row = PlainCalibration.Name(values.AsSpan(at * dimension, dimension));
            foreach ((string name, int of) in (ReadOnlySpan<(string, int)>)
                [("weight", 0), ("of its set", 1), ("counter", 2), ("log-density", 3), ("comparable", 4)])
                all.Add($"record {row} {name}", entries[5 * at + of]);
        }
        Assert.Equal(stream.Length, stream.Position);
        return all;
    }

    private static void Read(SortedDictionary<string, double> all, string name, BinaryReader reader)
    {
        int first = reader.ReadInt32();
        double[] bins = reader.ReadDoubles();
        all.Add($"{name} total", reader.ReadDouble());
        for (int at = 0; at < bins.Length; at++)
            if (bins[at] > 0) all.Add($"{name} bin {first + at}", bins[at]);
    }

    private static void AssertSame(PlainCalibration plain, StreamCalibration calibration)
    {
        SortedDictionary<string, double> expected = plain.Describe(), found = Describe(calibration);
        Assert.Equal(expected.Keys, found.Keys);
        // Sums in another order.
        foreach ((string name, double value) in expected)
            Assert.True(value.Equals(found[name]) || Math.Abs(value - found[name]) <= 1e-9 * (1 + Math.Abs(value)),
                $"{name}: {found[name]}; expected {value}");
    }

    /// <summary>The score functions are those of the bins, with what is kept as it is as ties.</summary>
    private static void AssertCalibrates(PlainCalibration plain, StreamCalibration calibration)
    {
        AnomalyCalibration found = calibration.Calibrate()!;
        AssertSame(plain.Calibrate()!, found);
        (int[] Missing, AnomalyCalibration Calibration)[] sets = [.. plain.CalibrateSets()];
        Assert.Equal(sets.Length, found.Patterns.Count);
        foreach ((int[] missing, AnomalyCalibration expected) in sets)
            AssertSame(expected, Assert.Single(found.Patterns, pattern => pattern.Missing.SequenceEqual(missing)).Calibration);
    }

    private static void AssertSame(AnomalyCalibration expected, AnomalyCalibration found)
    {
        Assert.Equal(expected.Records, found.Records, 1e-6);
        Assert.Equal(expected.LogDensities, found.LogDensities, (one, other) => Math.Abs(one - other) <= 1e-9 * (1 + Math.Abs(one)));
        Assert.Equal(expected.Scores, found.Scores, (one, other) => Math.Abs(one - other) <= 1e-9);
        Assert.Equal(expected.TailScale, found.TailScale, 1e-9);
    }

    /// <summary>A stream: records of so many kinds among others that are like no other, a density for each that drifts.</summary>
    private sealed class Draws(ulong seed, int dimension, int kinds, bool isWeighted)
    {
        private static readonly int[] Near = [1, 2, 3, 4, 5], Far = [1, 31, 63, 64, 69];

        private readonly SplitMix64 _chance = new(seed);
        private int _minibatch;

        /// <summary>Rows, some with one of so many sets of values missing.</summary>
        public (Minibatch Rows, double[] LogDensities, double[] Comparable) Next(int count, int sets)
        {
            var rows = new Minibatch(dimension, count);
            double[] densities = new double[count], comparable = new double[count], row = new double[dimension];
            _minibatch++;
            for (int n = 0; n < count; n++)
            {
                bool isOfAKind = kinds > 0 && _chance.NextDouble() < 0.8;
                double value = isOfAKind ? Math.Floor(kinds * Math.Pow(_chance.NextDouble(), 2)) : 1000 * _chance.NextDouble();
                int set = (int)(sets * Math.Pow(_chance.NextDouble(), 1.5));
                Array.Fill(row, 1);
                row[0] = value == 0 && n % 2 == 0 ? -0.0 : value;
                for (int bit = 0; bit < 5; bit++)
                    if ((set >> bit & 1) != 0) row[(dimension > 64 ? Far : Near)[bit]] = double.NaN;
                densities[n] = Density(value, isOfAKind) - 0.013 * set;
                comparable[n] = value == 9 ? double.NegativeInfinity : densities[n] - 5 * set;
                rows.Add(row, isWeighted && _minibatch % 3 != 0 ? Math.Floor(4 * _chance.NextDouble()) : 1);
            }
            return (rows, densities, comparable);
        }

        /// <summary>Of some impossible, of others unknown, and of two kinds only at times.</summary>
        private double Density(double value, bool isOfAKind) => value switch
        {
            3 when _minibatch > 6 => double.NegativeInfinity,
            5 when _minibatch > 6 => double.NaN,
            7 => double.NegativeInfinity,
            < 30 when !isOfAKind => double.NegativeInfinity,
            > 970 when !isOfAKind => double.NaN,
            _ => 5 - 0.37 * value + 0.01 * _minibatch,
        };
    }
}
