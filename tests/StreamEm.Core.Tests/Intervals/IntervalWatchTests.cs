using System.Buffers;
using System.Text;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Intervals;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Intervals;

/// <summary>How sure parameters are, from their stream.</summary>
public sealed class IntervalWatchTests(ITestOutputHelper output)
{
    private static readonly LearningOptions Learning = new()
    {
        Intervals = true,
        MinibatchSize = 50,
        StepSize = new StepSizeOptions { Kappa = 0.6 },
        Learn = LearnMode.Always,
        Standardize = false,
    };

    /// <summary>
    /// By the level at most 3 of 60 streams on average have a value outside at some look; of 21 values that go together one has more than 9
    /// with probability 0.01. What standard errors are compared with has itself an error of 1 / sqrt(120).
    /// </summary>
    [Fact]
    public void Report_AtEveryLook_HoldsTheTruthAndIsAsWideAsItSays()
    {
        const int streams = 60;
        double[] truth = [0.5, 0.3, 0.2, 0, 0, 4, 0, 0, 4, 1, 0.3, 0.3, 1, 0.5, 0, 0, 1.5, 1.5, -0.4, -0.4, 0.6];
        double[] squares = new double[truth.Length], errors = new double[truth.Length];
        int[] outside = new int[truth.Length];
        double wide = 0;
        for (int stream = 0; stream < streams; stream++)
        {
            var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Learning, Gaussians.Three.Start(5));
            Minibatch rows = Gaussians.Three.Draw(20_000, 1000 + (ulong)stream);
            bool[] isOutside = new bool[truth.Length];
            ParameterIntervals? last = null;
            for (int row = 0; row < rows.Count; row += 100)
            {
                Streams.Feed(learner, rows, row, 100);
                if (Streams.Snapshot(learner).Intervals is not { } found) continue;
                last = found;
                for (int at = 0; at < truth.Length; at++)
                {
                    isOutside[at] |= truth[at] < found.Lower[at] || truth[at] > found.Upper[at];
                    wide = Math.Max(wide, (found.Upper[at] - found.Lower[at]) / (2 * 1.96 * found.StandardErrors[at]));
                }
            }
            Assert.NotNull(last);
            for (int at = 0; at < truth.Length; at++)
            {
                outside[at] += isOutside[at] ? 1 : 0;
                errors[at] += last.StandardErrors[at] / streams;
                squares[at] += (last.Estimates[at] - truth[at]) * (last.Estimates[at] - truth[at]) / streams;
            }
        }
        output.WriteLine($"outside {string.Join(" ", outside)}; widest {wide:F3}");
        Assert.True(wide <= 1.8, $"{wide:F3} times as wide as at one look");
        Assert.True(outside.Average() <= 0.05 * streams && outside.Max() <= 9, $"outside: {string.Join(", ", outside)} of {streams}");
        output.WriteLine($"error / standard error {string.Join(" ", squares.Zip(errors, (a, b) => $"{Math.Sqrt(a) / b:F2}"))}");
        for (int at = 0; at < truth.Length; at++)
            Assert.InRange(Math.Sqrt(squares[at]) / errors[at], 0.7, 1.4);
    }

    /// <summary>In thousands, and far from 0: what the user sees is in his units.</summary>
    [Fact]
    public void Report_InOtherUnits_IsTheSameInThem()
    {
        Minibatch rows = Gaussians.Three.Draw(20_000, 3), moved = new(2, rows.Count);
        for (int row = 0; row < rows.Count; row++) moved.Add([5000 + 1000 * rows.Row(row)[0], -20 + 0.1 * rows.Row(row)[1]]);
        LearningOptions options = Learning with { Standardize = true };
        ParameterIntervals plain = Of(Streams.Learn(Gaussians.Mixture(3), options, rows)),
            scaled = Of(Streams.Learn(Gaussians.Mixture(3), options, moved));
        double[] factors = [1, 1, 1, 1000, 0.1, 1000, 0.1, 1000, 0.1, 1e6, 100, 100, 0.01, 1e6, 100, 100, 0.01, 1e6, 100, 100, 0.01];
        for (int at = 0; at < factors.Length; at++)
        {
            Assert.Equal(1, scaled.StandardErrors[at] / (factors[at] * plain.StandardErrors[at]), 1e-6);
            Assert.Equal(plain.Upper[at] - plain.Lower[at], (scaled.Upper[at] - scaled.Lower[at]) / factors[at], 1e-6);
        }
    }

    [Fact]
    public void SaveAndLoad_AtAnyRecord_GoesOnToTheSameBytes()
    {
        Minibatch rows = Gaussians.Three.Draw(9000, 4);
        Learner whole = New(), stopped = New();
        for (int first = 0; first < rows.Count; first += 1130)
        {
            int count = Math.Min(1130, rows.Count - first);
            Streams.Feed(whole, rows, first, count);
            Streams.Feed(stopped, rows, first, count);
            Learner resumed = New();
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(stopped))));
            stopped = resumed;
            Assert.Equal(Streams.State(whole), Streams.State(stopped));
        }
        Assert.NotNull(Streams.Snapshot(whole).Intervals);
        Assert.Equal(Json(whole), Json(stopped));

        static Learner New() => new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Learning, Gaussians.Three.Start(5));
    }

    [Fact]
    public void Load_StateOfTheOtherKind_IsReadAndCountsFromThereOn()
    {
        Minibatch rows = Gaussians.Three.Draw(12_000, 5);
        foreach (bool isOn in (bool[])[true, false])
        {
            Learner before = New(!isOn), after = New(isOn);
            Streams.Feed(before, rows, 0, 6000);
            after.Load(new BinaryReader(new MemoryStream(Streams.State(before))));
            Streams.Feed(after, rows, 6000, 6000);
            Assert.Equal(isOn, Streams.Snapshot(after).Intervals is not null);
            Assert.InRange(Streams.Snapshot(after).Intervals?.Records ?? 1, 1, 6000);
        }

        static Learner New(bool isOn) =>
            new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Learning with { Intervals = isOn }, Gaussians.Three.Start(5));
    }

    [Fact]
    public void Snapshot_WithIntervals_IsReadBackAndWithoutThemHasNoWordOfThem()
    {
        Minibatch rows = Gaussians.Three.Draw(9000, 6);
        LatentModelOptions held = Gaussians.Mixture(3) with { Fixed = new BlockNames(["weights"]) };
        Learner learner = Streams.Learn(held, Learning, rows, from: Gaussians.Three.Start(5));
        ParameterIntervals written = Of(learner);
        ParameterIntervals read = SnapshotReader.Read(Encoding.UTF8.GetBytes(Json(learner))).Intervals!;

        Assert.Equal(written.Records, read.Records);
        Assert.Equal(written.Estimates, read.Estimates);
        Assert.Equal(written.StandardErrors, read.StandardErrors);
        Assert.Equal(written.Lower, read.Lower);
        Assert.Equal(written.Upper, read.Upper);
        Assert.All(read.StandardErrors[..3], value => Assert.True(double.IsNaN(value)));
        Assert.All(read.StandardErrors[3..], value => Assert.True(value > 0));
        Learner plain = Streams.Learn(held, Learning with { Intervals = false }, rows, from: Gaussians.Three.Start(5));
        Assert.DoesNotContain("intervals", Json(plain), StringComparison.Ordinal);
        Assert.Equal(Streams.Snapshot(plain).Parameters, Streams.Snapshot(learner).Parameters);
    }

    [Fact]
    public void Report_ComponentsBeginAnew_KnowsNothingAnyMore()
    {
        LatentModel model = Gaussians.Model(3, 2);
        var watch = new IntervalWatch(model);
        Feed(watch, model, 8000);
        Assert.NotNull(watch.Report(FeatureSpace.Unscaled(2)));
        watch.BeginAgain();
        Assert.Null(watch.Report(FeatureSpace.Unscaled(2)));
    }

    [Fact]
    public void Take_MoreFreeParametersThanAMatrixHas_SaysSo()
    {
        Learner learner = Streams.Learn(
            Gaussians.Mixture(90), Learning with { MinibatchSize = 500 }, Gaussians.Three.Draw(3000, 8));
        Assert.Null(Streams.Snapshot(learner).Intervals);
        Assert.Contains(
            Streams.Snapshot(learner).Training.Warnings, warning => warning.Kind == ModelWarningKind.TooManyForIntervals);
    }

    /// <summary>A count that never comes has its rate at the end of what rates can be: the others have intervals all the same.</summary>
    [Fact]
    public void Report_ParameterAtTheEndOfItsDomain_IsLeftOut()
    {
        var draws = new RandomDraws(9);
        var rows = new Minibatch(2, 30_000);
        for (int row = 0; row < 30_000; row++) rows.Add([draws.Uniform() < 0.4 ? draws.Poisson(2) : draws.Poisson(12), 0]);
        LatentModelOptions options = ModelCatalog.Find("poisson_mixture")!.Read(
            new Dictionary<string, string> { ["components"] = "2", ["prior"] = "none" });
        var from = new InitialParameters(new Dictionary<string, double[]>
        {
            ["weights"] = [0.5, 0.5],
            ["rates"] = [3, 0.01, 10, 0.01],
        });
        ParameterIntervals found = Of(Streams.Learn(options, Learning, rows, from: from));
        Assert.True(double.IsNaN(found.StandardErrors[3]) && double.IsNaN(found.StandardErrors[5]));
        Assert.True(found.Lower[2] < 2 && 2 < found.Upper[2] && found.Lower[4] < 12 && 12 < found.Upper[4]);
        Assert.True(found.Lower[0] < 0.4 && 0.4 < found.Upper[0]);
    }

    [Fact]
    public void Choose_LargestOfEverySimplex_IsLeftOutAndRestored()
    {
        LatentModel model = ModelCatalog.Find("hidden_markov")!
            .Read(new Dictionary<string, string> { ["states"] = "3" }).Create(FeatureSpace.Unscaled(1));
        var entries = new FreeEntries(model);
        double[] theta = new double[model.ParameterLayout.Length];
        double[] gradient = [.. Enumerable.Range(1, theta.Length).Select(at => (double)at)];
        model.Neutral(theta);
        double[][] rows = [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0, 0.6, 0.4]];
        rows.SelectMany(row => row).ToArray().CopyTo(theta, 0);
        double[] before = Projected(entries), after = new double[before.Length];
        entries.Choose(theta);
        after = Projected(entries);
        // Startprob leaves out entry 1, the rows of transmat 3, 8 and 10.
        Assert.Equal([1 - 2, 3 - 2, 5 - 4, 6 - 4, 7 - 9, 8 - 9, 0, 12 - 11], after[..8]);
        Assert.NotEqual(before, after);
        var stream = new MemoryStream();
        entries.Save(new BinaryWriter(stream));
        var loaded = new FreeEntries(model);
        loaded.Load(new BinaryReader(new MemoryStream(stream.ToArray())));
        Assert.Equal(after, Projected(loaded));

        double[] Projected(FreeEntries of)
        {
            double[] result = new double[of.Count];
            of.Project(gradient, theta, result);
            return result;
        }
    }

    [Theory]
    [InlineData(1, 1.8)]
    [InlineData(7, 1.56)]
    [InlineData(500, 1.8)]
    public void StandardErrors_OfTheSequence_AreAtMostSoManyOfThoseOfOneLook(double times, double most)
    {
        double ratio = ConfidenceSequence.StandardErrors(1000 * times, 1000) / 1.959963984540054;
        Assert.InRange(ratio, 1.5, most);
    }

    private static void Feed(IntervalWatch watch, LatentModel model, int count)
    {
        double[] theta = [.. Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3), Learning, Gaussians.Three.Draw(5000, 1))).Parameters];
        var executor = new ShardedEStep(model, 1);
        double[] averages = new double[model.StatisticsLayout.Length];
        Minibatch rows = Gaussians.Three.Draw(count, 11);
        for (int row = 0; row < count; row += 50)
        {
            var part = new Minibatch(2, 50);
            part.Append(rows, row, 50);
            executor.Average(model.Prepare(theta), theta, part, averages, new double[50]);
            watch.Take(averages, theta, 50, FeatureSpace.Unscaled(2));
        }
    }

    private static ParameterIntervals Of(Learner learner) =>
        Streams.Snapshot(learner).Intervals ?? throw new InvalidOperationException("none");

    private static string Json(Learner learner)
    {
        var bytes = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(Streams.Snapshot(learner), new SnapshotOrigin("m", "run", "hash", DateTimeOffset.UnixEpoch)),
            bytes);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
