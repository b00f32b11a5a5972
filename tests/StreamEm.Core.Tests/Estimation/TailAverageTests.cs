using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>The average of the iterates over the last half of the stream.</summary>
public sealed class TailAverageTests
{
    private static readonly VectorLayout Layout = new VectorLayout().Add("means", 1)
        .Add(new VectorBlock("degrees_of_freedom", 0, [1], Coordinates.Logarithm));

    [Fact]
    public void Average_OfSoManyIterates_IsOfTheLastHalfToThreeQuartersAndNeverOfTheFirst()
    {
        var average = new TailAverage(Layout);
        for (int t = 1; t <= 1000; t++)
        {
            average.Take([t, Math.Exp(t)]);
            if (t < 3)
            {
                Assert.Null(average.Average());
                continue;
            }
            long first = t - average.Count + 1;
            Assert.InRange(first, 2, Math.Max(2, t / 2 + 1));
            Assert.InRange(first, t / 4, t);
            // The mean of first .. t, and of the logarithms.
            double expected = 0.5 * (first + t);
            Assert.Equal(expected, average.Average()![0], 1e-9 * t);
            Assert.Equal(expected, Math.Log(average.Average()![1]), 1e-6 * t);
            if (t > 700) return;
        }
    }

    [Theory]
    [InlineData(Recursion.Statistics)]
    [InlineData(Recursion.Parameters)]
    public void AveragedParameters_OfAStationaryStream_VaryLessThanTheIterates(Recursion recursion)
    {
        const int streams = 24;
        var options = new LearningOptions
        {
            Recursion = recursion,
            StepSize = new StepSizeOptions { Kappa = 0.6 },
            MinibatchSize = 100,
            Standardize = false,
            Averaging = Averaging.Tail,
        };
        double[] raw = new double[15], averaged = new double[15];
        double[][] last = new double[streams][], tails = new double[streams][];
        for (int stream = 0; stream < streams; stream++)
        {
            Learner learner = Streams.Learn(
                Gaussians.Mixture(3), options, Gaussians.Three.Draw(20_000, 300 + (ulong)stream), from: Gaussians.Three.Start(5));
            LearnedModel learned = Streams.Snapshot(learner);
            (last[stream], tails[stream]) = (learned.Parameters, learned.AveragedParameters!);
            Assert.InRange(learned.Training.Averaged, 100, 150);
        }
        // Weights and means: six numbers and three.
        for (int at = 0; at < 9; at++)
        {
            raw[at] = Variance([.. last.Select(theta => theta[at])]);
            averaged[at] = Variance([.. tails.Select(theta => theta[at])]);
            Assert.True(averaged[at] < 0.8 * raw[at], $"entry {at}: {averaged[at]:R} of {raw[at]:R}");
        }
        Assert.True(averaged.Sum() < 0.5 * raw.Sum(), $"{averaged.Sum():R} of {raw.Sum():R}");
    }

    [Fact]
    public void AveragedParameters_OfAResumedStream_AreThoseOfOneThatNeverStopped()
    {
        var options = new LearningOptions { MinibatchSize = 50, Averaging = Averaging.Tail, Initialization = new() { Buffer = 500 } };
        Minibatch rows = Gaussians.Three.Draw(3000, 9);
        Learner whole = Streams.Learn(Gaussians.Mixture(3), options, rows);
        Learner first = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), options),
            second = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), options);
        Streams.Feed(first, rows, 0, 1777);
        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        Streams.Feed(second, rows, 1777, rows.Count - 1777);
        while (second.TryUpdate(flush: true)) { }
        Assert.Equal(Streams.State(whole), Streams.State(second));
        Assert.Equal(Streams.Snapshot(whole).AveragedParameters, Streams.Snapshot(second).AveragedParameters);
        Assert.NotNull(Streams.Snapshot(whole).AveragedParameters);
    }

    [Fact]
    public void State_OfAnAveragedStream_IsReadWhereNoneIsWanted()
    {
        var options = new LearningOptions { MinibatchSize = 50, Averaging = Averaging.Tail, Initialization = new() { Buffer = 500 } };
        Minibatch rows = Gaussians.Three.Draw(1000, 9);
        byte[] state = Streams.State(Streams.Learn(Gaussians.Mixture(3), options, rows));
        var plain = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), options with { Averaging = Averaging.None });
        plain.Load(new BinaryReader(new MemoryStream(state)));
        Assert.Null(Streams.Snapshot(plain).AveragedParameters);
    }

    [Fact]
    public void Load_AverageThatNoIteratesHave_IsRefused()
    {
        Assert.Equal(2.5, Loaded(4, 2, 1, [2.5, 1], [3, 1]).Average()![0]);
        Loaded(0, 0, 0, [0, 0], [0, 0]);
        Loaded(2, 2, 2, [1, 1], [1, 1]);
        foreach ((long updates, long current, long next) in (ReadOnlySpan<(long, long, long)>)[(1, 2, 1), (4, 1, 2), (4, 2, -1)])
            Refused(updates, current, next, [1, 1], [1, 1]);
        Refused(4, 2, 1, [1], [1, 1]);
        Refused(4, 2, 1, [1, 1], [1, 1, 1]);
        Refused(4, 2, 1, [1, double.NaN], [1, 1]);
        Refused(4, 2, 1, [1, 1], [1, double.PositiveInfinity]);

        static void Refused(long updates, long current, long next, double[] first, double[] second) =>
            Assert.Equal("The state is damaged: the average of the iterates is none of these parameters.",
                Assert.Throws<InvalidDataException>(() => Loaded(updates, current, next, first, second)).Message);
    }

    [Fact]
    public void BeginAgain_AfterMany_IsAsAtTheStart()
    {
        TailAverage average = new(Layout), fresh = new(Layout);
        for (int t = 1; t <= 13; t++) average.Take([-t, 7]);

        average.BeginAgain();

        Assert.Equal(Saved(fresh), Saved(average));
        for (int t = 1; t <= 9; t++)
        {
            average.Take([t, 1 + t]);
            fresh.Take([t, 1 + t]);
        }
        Assert.Equal(Saved(fresh), Saved(average));
    }

    private static TailAverage Loaded(long updates, long current, long next, double[] first, double[] second)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        foreach (long count in (ReadOnlySpan<long>)[updates, current, next]) writer.Write(count);
        foreach (double[] part in (double[][])[first, second]) writer.WriteDoubles(part);
        stream.Position = 0;
        var average = new TailAverage(Layout);
        average.Load(new BinaryReader(stream));
        return average;
    }

    private static byte[] Saved(TailAverage average)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        average.Save(writer);
        return stream.ToArray();
    }

    private static double Variance(double[] values)
    {
        double mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
    }
}
