using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>What workers learned apart, put together.</summary>
public sealed class LearnerMergeTests
{
    private const int Size = 100;

    private static readonly RecordSchema Schema = RecordSchema.OfNumbers(2);
    private static readonly LatentModelOptions One = Gaussians.Mixture(1), Three = Gaussians.Mixture(3);
    private static readonly InitialParameters OneStart = new(new Dictionary<string, double[]>(StringComparer.Ordinal)
    {
        ["weights"] = [1],
        ["means"] = [1, 1],
        ["covariances"] = [3, 0, 0, 3],
    });

    private static readonly Minibatch Rows = Gaussians.Three.Draw(2400, 11);

    /// <summary>Of one component every record is, whatever the parameters: nothing is left of the order but rounding.</summary>
    [Theory]
    [InlineData(Recursion.Statistics, 0)]
    [InlineData(Recursion.Statistics, 1)]
    [InlineData(Recursion.Statistics, 7)]
    [InlineData(Recursion.Parameters, 1)]
    public void Merge_StepsOfOneOverT_EqualsOneLearnerOfTheInterleavedStream(Recursion recursion, double t0)
    {
        LearningOptions options = Options(recursion, kappa: 1, t0);
        // Minibatches 0, 2, 3, 5, 6, ... to one, 1, 4, 7, ... to the other: two thirds and one third.
        Learner whole = Begin(One, options, OneStart), one = Begin(One, options, OneStart), other = Begin(One, options, OneStart);
        for (int at = 0; at < Rows.Count / Size; at++)
        {
            Streams.Feed(whole, Rows, at * Size, Size);
            Streams.Feed(at % 3 == 1 ? other : one, Rows, at * Size, Size);
        }

        LearnedModel expected = Streams.Snapshot(whole), merged = Streams.Snapshot(Learner.Merge([one, other]));

        Near(expected.Parameters, merged.Parameters, 1e-12);
        Assert.Equal((expected.Version, expected.Training.Records), (merged.Version, merged.Training.Records));
        Assert.Equal(expected.Training.LastStepSize, merged.Training.LastStepSize);
        Assert.Equal(expected.Training.EffectiveRecords, merged.Training.EffectiveRecords, 1e-9 * expected.Training.EffectiveRecords);
    }

    /// <summary>Of records whose components are known the same holds for a mixture of several.</summary>
    [Fact]
    public void Merge_LabelledMixture_EqualsOneLearnerOfTheInterleavedStream()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 1, t0: 1);
        InitialParameters start = Gaussians.Three.Start(4);
        Minibatch labelled = Labelled(Rows);
        Learner whole = Begin(Three, options, start), one = Begin(Three, options, start), other = Begin(Three, options, start);
        for (int at = 0; at < labelled.Count / Size; at++)
        {
            Streams.Feed(whole, labelled, at * Size, Size);
            Streams.Feed(at % 2 == 0 ? one : other, labelled, at * Size, Size);
        }

        Near(Streams.Snapshot(whole).Parameters, Streams.Snapshot(Learner.Merge([one, other])).Parameters, 1e-11);
    }

    /// <summary>Without labels E-steps are under other parameters: what is left is that, and the order of the records.</summary>
    [Fact]
    public void Merge_MixtureAtTheDefaults_IsAsGoodAsOneLearner()
    {
        var options = new LearningOptions { MinibatchSize = Size };
        InitialParameters start = Gaussians.Three.Start(4);
        Minibatch many = Gaussians.Three.Draw(24_000, 12), test = Gaussians.Three.Draw(4000, 13);
        Learner whole = Begin(Three, options, start);
        Streams.Feed(whole, many, 0, many.Count);
        Learner[] parts = [.. Enumerable.Range(0, 4).Select(_ => Begin(Three, options, start))];
        for (int part = 0; part < 4; part++) Streams.Feed(parts[part], many, part * 6000, 6000);

        LearnedModel merged = Streams.Snapshot(Learner.Merge(parts));

        double expected = Streams.MeanLogDensity(Streams.Snapshot(whole), test), found = Streams.MeanLogDensity(merged, test);
        // A hundredth of a nat is what 4 000 records can tell apart: the standard deviation of log p over the root of their number.
        Assert.InRange(found, expected - 0.01, double.PositiveInfinity);
        Assert.Equal((240L, 24_000L), (merged.Version, merged.Training.Records + merged.Training.Unlearned));
        Assert.NotNull(merged.Calibration);
    }

    [Fact]
    public void Merge_InSteps_IsMergingAllAtOnce()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 1, t0: 2);
        Learner[] Parts() => [.. Enumerable.Range(0, 3).Select(part =>
        {
            Learner learner = Begin(One, options, OneStart);
            Streams.Feed(learner, Rows, part * 600, 400 + 100 * part);
            return learner;
        })];
        Learner[] parts = Parts(), again = Parts();

        Learner site = Learner.Merge([parts[0], parts[1]]), all = Learner.Merge(again);

        Near(Streams.Snapshot(all).Parameters, Streams.Snapshot(Learner.Merge([site, parts[2]])).Parameters, 1e-12);
    }

    [Theory]
    [InlineData(0.7)]
    [InlineData(1)]
    public void Merge_WithOneThatLearnedNothing_ChangesNothing(double kappa)
    {
        LearningOptions options = Options(Recursion.Statistics, kappa, t0: 1);
        Learner learned = Begin(Three, options, Gaussians.Three.Start(4));
        Streams.Feed(learned, Rows, 0, Rows.Count);
        LearnedModel before = Streams.Snapshot(learned);

        LearnedModel merged = Streams.Snapshot(Learner.Merge([learned, Begin(Three, options, Gaussians.Three.Start(4))]));

        Near(before.Parameters, merged.Parameters, 1e-12);
        Assert.Equal(before.Training.EffectiveRecords, merged.Training.EffectiveRecords, 1e-9 * before.Training.EffectiveRecords);
    }

    [Fact]
    public void Merge_RecordsPending_AreLearnedFrom()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 0.7, t0: 1);
        Learner one = Begin(One, options, OneStart), other = Begin(One, options, OneStart);
        Streams.Feed(one, Rows, 0, 330);
        Streams.Feed(other, Rows, 330, 270);

        Assert.Equal(600, Streams.Snapshot(Learner.Merge([one, other])).Training.Records);
    }

    [Fact]
    public void Merge_OfALearnerThatWasSaved_IsTheSameToTheByte()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 0.7, t0: 1);
        Learner Fed(int first)
        {
            Learner learner = Begin(Three, options, Gaussians.Three.Start(4));
            Streams.Feed(learner, Rows, first, 650);
            return learner;
        }

        Learner resumed = new(Three, Schema, options), fed = Fed(0);
        resumed.Load(new BinaryReader(new MemoryStream(Streams.State(fed))));

        Assert.Equal(Streams.State(Learner.Merge([fed, Fed(700)])), Streams.State(Learner.Merge([resumed, Fed(700)])));
    }

    [Fact]
    public void Merge_LearnersThatFoundTheirOwnStart_IsRefused()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 0.7, t0: 1);
        options = options with { Initialization = new() { Buffer = 300, NInit = 1 } };
        Learner[] parts = [Streams.Learn(Three, options, Rows), Streams.Learn(Three, options, Rows)];

        AssertRefused(0, "its own records", parts);
    }

    [Fact]
    public void Merge_OtherStart_IsRefused()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 0.7, t0: 1);

        AssertRefused(1, "other parameters",
            Begin(Three, options, Gaussians.Three.Start(4)), Begin(Three, options, Gaussians.Three.Start(5)));
    }

    [Fact]
    public void Merge_AComponentThatBeganAnew_IsRefusedAndNamed()
    {
        LearningOptions options = Options(Recursion.Statistics, kappa: 0.7, t0: 1);
        InitialParameters far = new(new Dictionary<string, double[]>(Gaussians.Three.Start(4).Blocks, StringComparer.Ordinal)
        {
            ["means"] = [0, 0, 4, 0, 4000, 4000],
        });
        Learner one = Begin(Three, options, far), other = Begin(Three, options, far);
        // Its weight has to be gone for 50 updates.
        for (int pass = 0; pass < 8; pass++) Streams.Feed(other, Rows, 0, Rows.Count);

        AssertRefused(1, "component c2 began anew at version", one, other);
    }

    [Fact]
    public void Merge_GrowingMixtures_IsRefused()
    {
        LatentModelOptions grows = Gaussians.Mixture(8) with { Growing = new GrowthOptions { Max = 8 } };
        LearningOptions options = new() { MinibatchSize = Size };

        AssertRefused(0, "no statistics of a fixed length", Streams.Learn(grows, options, Rows), Streams.Learn(grows, options, Rows));
    }

    private static void AssertRefused(int part, string reason, params Learner[] parts)
    {
        MergeException refusal = Assert.Throws<MergeException>(() => Learner.Merge(parts));
        Assert.Equal(part, refusal.Part);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    private static LearningOptions Options(Recursion recursion, double kappa, double t0) => new()
    {
        Recursion = recursion,
        StepSize = new() { Kappa = kappa, T0 = t0 },
        MinibatchSize = Size,
        Learn = LearnMode.Always,
    };

    private static Learner Begin(LatentModelOptions model, LearningOptions options, InitialParameters start) =>
        new(model, Schema, options, start);

    /// <summary>Each with the label of the nearest mean.</summary>
    private static Minibatch Labelled(Minibatch rows)
    {
        var labelled = new Minibatch(2, rows.Count, new TextTable());
        for (int row = 0; row < rows.Count; row++)
        {
            double[] distances = [.. Gaussians.Three.Means.Select(mean =>
                Math.Pow(rows.Row(row)[0] - mean[0], 2) + Math.Pow(rows.Row(row)[1] - mean[1], 2))];
            int nearest = Array.IndexOf(distances, distances.Min());
            labelled.Add(rows.Row(row), label: labelled.Texts!.Number($"{nearest}"));
        }
        return labelled;
    }

    private static void Near(double[] expected, double[] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int at = 0; at < expected.Length; at++)
            Assert.Equal(expected[at], found[at], tolerance * Math.Max(1, Math.Abs(expected[at])));
    }
}
