using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Features;

public sealed class FeatureStreamTests
{
    private const double NaN = double.NaN;

    private static readonly RecordSchema Schema = new()
    {
        Features = ["x", "lag", "dx", "d2", "rate", "lx", "mean", "deviation", "dlx", "hour_sine", "hour_cosine"],
        Key = "key",
        Timestamp = "ts",
        Derived =
        [
            new("lag", FeatureFormula.Lag, "x"), new("dx", FeatureFormula.Difference, "x"),
            new("d2", FeatureFormula.Difference, "x") { Steps = 2 }, new("rate", FeatureFormula.Rate, "x"),
            new("lx", FeatureFormula.Log, "x") { Offset = 1 }, new("mean", FeatureFormula.RollingMean, "y") { Window = 3 },
            new("deviation", FeatureFormula.RollingDeviation, "y") { Window = 3 }, new("dlx", FeatureFormula.Difference, "lx"),
            new("hour", FeatureFormula.HourOfDay, "ts"),
        ],
    };

    [Fact]
    public void Read_OfASchema_HasEachFieldOnceAndNothingThatIsMade() => Assert.Equal(["x", "y"], Schema.Read.Features);

    [Fact]
    public void Definitions_HaveOneTextForEachEntryAndComeBackFromIt()
    {
        Assert.Equal(1 + Schema.Derived.Count, Schema.Definitions.Count);
        Assert.Equal("x", Schema.Definitions[0]);
        Assert.Equal(Schema.Derived, Schema.Definitions.Skip(1).Select(text =>
            DerivedFeatureJson.Read(System.Text.Json.JsonDocument.Parse(text).RootElement, out _)!));
    }

    [Fact]
    public void Make_OfTwoKeys_SaysOfEachWhatItsOwnRecordsSay()
    {
        var stream = FeatureStream.Of(Schema)!;
        var texts = new TextTable();
        var read = new Minibatch(2, 8, texts);
        // Key, seconds, x, y: what comes of the other key in between changes nothing.
        (string Key, double Seconds, double X, double Y)[] records =
        [
            ("a", 0, 0, 2), ("b", 1, 1000, 1000), ("a", 2, 3, 4), ("b", 3, 2000, 0), ("a", 6, 1, 6), ("a", 6, NaN, 8), ("a", 8, 5, 10),
        ];
        foreach ((string key, double seconds, double x, double y) in records)
            read.Add([x, y], key: texts.Number(key), timestamp: (long)(1000 * seconds));

        double[][] made = Rows(stream.Make(read, 0, read.Count)), ofA = [.. made.Where((_, row) => records[row].Key == "a")];

        Assert.Equal([NaN, 0, 3, 1, NaN], Column(ofA, 1));
        Assert.Equal([NaN, 3, -2, NaN, NaN], Column(ofA, 2));
        Assert.Equal([NaN, NaN, 1, NaN, 4], Column(ofA, 3));
        Assert.Equal([NaN, 1.5, -0.5, NaN, NaN], Column(ofA, 4));
        Assert.Equal([0, Math.Log(4), Math.Log(2), NaN, Math.Log(6)], Column(ofA, 5), Near);
        Assert.Equal([2, 3, 4, 6, 8], Column(ofA, 6));
        Assert.Equal([NaN, Math.Sqrt(2), 2, 2, 2], Column(ofA, 7), Near);
        Assert.Equal([NaN, Math.Log(4), -Math.Log(2), NaN, NaN], Column(ofA, 8), Near);
        Assert.Equal(1000, made[3][2]);
    }

    [Fact]
    public void Make_OfARunOfBadNumbers_SaysMissingAndNeverAnInfinity()
    {
        var schema = new RecordSchema
        {
            Features = ["d", "l", "m"],
            Derived =
            [
                new("d", FeatureFormula.Difference, "x"), new("l", FeatureFormula.Log, "x"), new("m", FeatureFormula.RollingMean, "x"),
            ],
        };
        var read = new Minibatch(1);
        foreach (double x in (double[])[double.MaxValue, double.MinValue, 0, -1]) read.Add([x]);

        double[][] made = Rows(FeatureStream.Of(schema)!.Make(read, 0, read.Count));

        Assert.DoesNotContain(made.SelectMany(row => row), double.IsInfinity);
        Assert.Equal([NaN, NaN], Column(made, 1)[2..]);
    }

    [Theory]
    [InlineData("2026-03-29T00:59:00Z", 1.983333333333333)]
    [InlineData("2026-03-29T01:01:00Z", 3.016666666666667)]
    [InlineData("2026-10-25T00:30:00Z", 2.5)]
    [InlineData("2026-10-25T01:30:00Z", 2.5)]
    [InlineData("1969-12-31T23:00:00Z", 0)]
    public void HourOfDay_IsLocalAndFollowsDaylightSaving(string instant, double hour)
    {
        (double sine, double cosine) = TimeOf(instant, new("h", FeatureFormula.HourOfDay, "ts") { TimeZone = "Europe/Berlin" });
        Assert.Equal(Math.Sin(2 * Math.PI * hour / 24), sine, 1e-12);
        Assert.Equal(Math.Cos(2 * Math.PI * hour / 24), cosine, 1e-12);
    }

    [Theory]
    [InlineData("2026-11-23T00:00:00Z", 0)]
    [InlineData("2026-11-29T12:00:00Z", 6.5)]
    [InlineData("1960-01-04T06:00:00Z", 0.25)]
    public void DayOfWeek_CountsFromMonday(string instant, double day)
    {
        (double sine, double cosine) = TimeOf(instant, new("d", FeatureFormula.DayOfWeek, "ts"));
        Assert.Equal(Math.Sin(2 * Math.PI * day / 7), sine, 1e-12);
        Assert.Equal(Math.Cos(2 * Math.PI * day / 7), cosine, 1e-12);
    }

    [Fact]
    public void Turn_OfAnyPart_IsSineAndCosine()
    {
        // What it is compared with has an argument of up to 2 pi that is rounded three times.
        for (int at = 0; at <= 10_000; at++)
        {
            (double sine, double cosine) = ScalarMath.Turn(at / 10_000.0);
            Assert.Equal(Math.Sin(Math.PI * at / 5000), sine, 2e-15);
            Assert.Equal(Math.Cos(Math.PI * at / 5000), cosine, 2e-15);
        }
    }

    [Fact]
    public void RollingMoments_AfterAnAbsurdValueIsGone_AreThoseOfTheWindow()
    {
        var schema = new RecordSchema
        {
            Features = ["mean", "deviation"],
            Derived =
            [
                new("mean", FeatureFormula.RollingMean, "x") { Window = 50 },
                new("deviation", FeatureFormula.RollingDeviation, "x") { Window = 50 },
            ],
        };
        var random = new Random(3);
        double[] values = [.. Enumerable.Range(0, 5000).Select(at => at == 1000 ? 1e12 : 20 + random.NextDouble())];
        var read = new Minibatch(1);
        foreach (double value in values) read.Add([value]);

        double[][] made = Rows(FeatureStream.Of(schema)!.Make(read, 0, read.Count));

        double[] last = values[^50..];
        double mean = last.Average(), deviation = Math.Sqrt(last.Sum(value => (value - mean) * (value - mean)) / 49);
        Assert.Equal([mean, deviation], made[^1], Near);
    }

    [Fact]
    public void Make_MoreKeysThanAreRemembered_BeginsTheOneNotMetForLongestAnew()
    {
        var stream = FeatureStream.Of(new RecordSchema
        {
            Features = ["d"],
            Derived = [new("d", FeatureFormula.Difference, "x")],
            FeatureKeys = 2,
        })!;
        var texts = new TextTable();
        var read = new Minibatch(1, 8, texts);
        foreach (string key in (string[])["a", "b", "b", "c", "b", "a"]) read.Add([1], key: texts.Number(key));

        Assert.Equal([NaN, NaN, 0, NaN, 0, NaN], Column(Rows(stream.Make(read, 0, read.Count)), 0));
    }

    [Fact]
    public void Load_WhatSaveWroteInTheMiddle_GoesOnToTheSameBytes()
    {
        (Minibatch read, FeatureStream whole) = (Series(3000), FeatureStream.Of(Schema)!);
        double[][] expected = Rows(whole.Make(read, 0, read.Count));

        foreach (int cut in (int[])[0, 1, 7, 1234])
        {
            FeatureStream first = FeatureStream.Of(Schema)!, second = FeatureStream.Of(Schema)!;
            double[][] before = Rows(first.Make(read, 0, cut));
            using var state = new MemoryStream();
            using (var writer = new BinaryWriter(state, System.Text.Encoding.UTF8, leaveOpen: true)) first.Save(writer);
            state.Position = 0;
            second.Load(new BinaryReader(state));
            Assert.Equal(expected, [.. before, .. Rows(second.Make(read, cut, read.Count - cut))]);
        }
    }

    [Fact]
    public void Load_OfADamagedPlace_SaysSo()
    {
        FeatureStream stream = FeatureStream.Of(Schema)!;
        stream.Make(Series(10), 0, 10);
        using var state = new MemoryStream();
        using (var writer = new BinaryWriter(state)) stream.Save(writer);
        byte[] bytes = state.ToArray();
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 0x40;
            try
            {
                FeatureStream other = FeatureStream.Of(Schema)!;
                other.Load(new BinaryReader(new MemoryStream(damaged)));
                other.Make(Series(10), 0, 10);
            }
            catch (Exception failure) when (failure is InvalidDataException or IOException)
            {
                // What cannot be worked with was told.
            }
        }
    }

    [Fact]
    public void Learner_SavedInTheMiddle_EndsInTheStateOfOneNeverStopped()
    {
        Minibatch read = Series(2000);
        byte[] expected = Streams.State(Learned(NewLearner(), read, 0, read.Count));

        Learner first = Learned(NewLearner(), read, 0, 777), second = NewLearner();
        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));

        Assert.Equal(expected, Streams.State(Learned(second, read, 777, read.Count)));
    }

    [Fact]
    public void Make_InSteadyState_AllocatesNothing()
    {
        (Minibatch read, FeatureStream stream) = (Series(500), FeatureStream.Of(Schema)!);
        for (int i = 0; i < 3; i++) stream.Make(read, 0, read.Count);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) stream.Make(read, 0, read.Count);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static bool Near(double one, double other) =>
        double.IsNaN(one) ? double.IsNaN(other) : Math.Abs(one - other) <= 1e-9 * Math.Max(1, Math.Abs(one));

    private static Learner NewLearner() => new(
        ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = CovarianceType.Diag }, components: 2), Schema,
        new LearningOptions { MinibatchSize = 64, Initialization = new() { Buffer = 128, NInit = 1 } });

    private static Learner Learned(Learner learner, Minibatch read, int first, int end)
    {
        for (int row = first; row < end; row++)
        {
            learner.Add(learner.Features!.Make(read, row, 1), 0, 1);
            while (learner.TryUpdate()) { }
        }
        return learner;
    }

    private static Minibatch Series(int count)
    {
        var (random, texts) = (new Random(1), new TextTable());
        var read = new Minibatch(2, count, texts);
        for (int row = 0; row < count; row++)
            read.Add([random.NextDouble(), random.Next(10) == 0 ? NaN : random.NextDouble()],
                key: texts.Number($"k{random.Next(5)}"), timestamp: 60_000L * row);
        return read;
    }

    private static (double Sine, double Cosine) TimeOf(string instant, DerivedFeature feature)
    {
        var schema = new RecordSchema { Features = ["x", .. feature.Outputs], Timestamp = "ts", Derived = [feature] };
        var read = new Minibatch(1);
        read.Add([1], timestamp: DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds());
        double[] made = Rows(FeatureStream.Of(schema)!.Make(read, 0, 1))[0];
        return (made[1], made[2]);
    }

    private static double[][] Rows(Minibatch rows) => [.. Enumerable.Range(0, rows.Count).Select(row => rows.Row(row).ToArray())];

    private static double[] Column(double[][] rows, int column) => [.. rows.Select(row => row[column])];
}
