using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Growing;

/// <summary>What is kept of a mixture that grows, and what readers of its versions make of it.</summary>
public sealed class GrowingStateTests
{
    public static TheoryData<CovarianceType> Forms() => [.. Enum.GetValues<CovarianceType>()];

    [Theory]
    [InlineData(37)]
    [InlineData(250)]
    [InlineData(1999)]
    public void Load_WhatSaveWrote_GoesOnToTheSameBytes(int stop)
    {
        Minibatch rows = Rows(2500);
        Learner whole = Learner(), first = Learner();
        Streams.Feed(whole, rows, 0, rows.Count);
        Streams.Feed(first, rows, 0, stop);

        Learner second = Learner();
        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        Streams.Feed(second, rows, stop, rows.Count - stop);

        Assert.Equal(Streams.State(whole), Streams.State(second));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Snapshot_OfEveryForm_IsAMixtureOfAsManyComponentsAsThereAre(CovarianceType form)
    {
        Learner learner = Learner(form);
        Streams.Feed(learner, Rows(2000), 0, 2000);
        LearnedModel learned = learner.CreateSnapshot()!;

        ModelSnapshot read = RoundTrip(learned);

        Assert.Equal(learned.ComponentIds.Count, ((ComponentModel)read.Model).Components);
        Assert.InRange(learned.ComponentIds.Count, 2, 40);
        Assert.Equal(1, learned.Layout["weights"].Of((ReadOnlySpan<double>)learned.Parameters).ToArray().Sum(), 12);
        Assert.Equal(learned.Parameters, read.Parameters);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Scorer_OfASnapshotThatWasRead_SaysWhatTheStreamWouldSay(CovarianceType form)
    {
        Minibatch rows = Rows(2200), next = new(3, 200);
        Learner learner = Learner(form);
        Streams.Feed(learner, rows, 0, 2000);
        next.Append(rows, 2000, 200);
        double[] p = new double[200], streamed = new double[200], densities = new double[200], streamedDensities = new double[200];

        new Scorer(RoundTrip(learner.CreateSnapshot()!)).Score(next, densities, [], new double[200], p);
        // Each as if it were the next.
        for (int row = 0; row < 200; row++)
        {
            var one = new Minibatch(3, 1);
            one.Append(next, row, 1);
            learner.CreateScoreSession()!.Score(
                one, streamedDensities.AsSpan(row, 1), [], new double[1], streamed.AsSpan(row, 1));
        }

        for (int row = 0; row < 200; row++)
        {
            Assert.Equal(streamed[row], p[row], 1e-9 * Math.Max(1e-3, streamed[row]));
            Assert.Equal(streamedDensities[row], densities[row], 1e-9 * (1 + Math.Abs(streamedDensities[row])));
        }
    }

    [Fact]
    public void Score_OfAStream_IsTheSameHoweverManyRowsComeTogether()
    {
        Minibatch rows = Rows(150);
        double[] together = new double[50], alone = new double[50];
        Learner learner = Learner();
        Streams.Feed(learner, rows, 0, 100);
        var next = new Minibatch(3, 50);
        next.Append(rows, 100, 50);

        learner.CreateScoreSession()!.Score(next, new double[50], [], together, new double[50]);
        ScoreSession one = learner.CreateScoreSession()!;
        for (int row = 0; row < 50; row++)
        {
            var single = new Minibatch(3, 1);
            single.Append(next, row, 1);
            one.Score(single, new double[1], [], alone.AsSpan(row, 1), new double[1]);
        }

        Assert.Equal(together, alone);
    }

    [Fact]
    public void Training_OfAVersion_HasTheRunningMeanAndWhatItIsMadeOf()
    {
        Learner learner = Learner();
        Minibatch rows = Rows(3000);
        double sum = 0;
        int versions = 0;
        for (int row = 0; row < rows.Count; row += 100)
        {
            LearnedModel? before = learner.CreateSnapshot();
            Streams.Feed(learner, rows, row, 100);
            TrainingReport training = learner.CreateSnapshot()!.Training;
            Assert.InRange(training.Entropy, 0, Math.Log(64));
            Assert.Equal(training.MeanLogLikelihood, training.Energy + training.Entropy, 1e-12 * Math.Abs(training.Energy));
            if (before is null) continue;
            versions++;
            sum += training.MeanLogLikelihood;
        }
        Assert.True(versions > 20);
        TrainingReport last = learner.CreateSnapshot()!.Training;
        // Before the first version a record has nothing to be likely under.
        Assert.Equal(sum / versions, last.RunningMeanLogLikelihood, 0.05 * Math.Abs(sum / versions));
        Assert.True(double.IsFinite(last.RecentMeanLogLikelihood));
    }

    [Fact]
    public void Events_OfAVersion_NameComponentsThatKeepTheirIds()
    {
        Learner learner = Learner();
        var born = new HashSet<int>();
        var gone = new HashSet<int>();
        Minibatch rows = Rows(3000);
        for (int row = 0; row < rows.Count; row += 100)
        {
            Streams.Feed(learner, rows, row, 100);
            LearnedModel learned = learner.CreateSnapshot()!;
            foreach (GrowthEvent item in learned.GrowthEvents)
            {
                if (item.Kind == GrowthEventKind.Born) Assert.True(born.Add(item.Component));
                if (item.Kind == GrowthEventKind.Merged) Assert.True(gone.Add(item.Other));
                if (item.Kind == GrowthEventKind.Forgotten) Assert.True(gone.Add(item.Component));
            }
            string[] there = [.. born.Except(gone).Order().Select(number => $"c{number}")];
            Assert.Equal(there.Order(StringComparer.Ordinal), learned.ComponentIds.Order(StringComparer.Ordinal));
        }
        Assert.NotEmpty(gone);
    }

    [Fact]
    public void Learn_Frozen_LeavesVersionAndScoresWhatTheyWereThen()
    {
        Minibatch rows = Rows(3000);
        Learner learner = Learner(learn: LearnMode.Frozen, freezeAfter: 500);
        Streams.Feed(learner, rows, 0, 1000);
        LearnedModel then = learner.CreateSnapshot()!;
        Streams.Feed(learner, rows, 1000, 2000);

        Assert.Equal(then.Parameters, learner.CreateSnapshot()!.Parameters);
        Assert.Equal(500, learner.Records);
        Assert.Equal(2500, learner.Unlearned);
    }

    [Fact]
    public void HalfLife_OfAPlaceNobodyVisits_ForgetsIt()
    {
        var rows = new Minibatch(1, 6000);
        var random = new Random(5);
        for (int row = 0; row < 6000; row++) rows.Add([(row < 1000 ? -20 : 20) + random.NextDouble()]);
        int Left(double? halfLife)
        {
            Learner learner = Learner(halfLife: halfLife, dimension: 1);
            Streams.Feed(learner, rows, 0, rows.Count);
            LearnedModel learned = learner.CreateSnapshot()!;
            return learned.Layout["means"].Of((ReadOnlySpan<double>)learned.Parameters).ToArray().Count(mean => mean < 0);
        }

        Assert.NotEqual(0, Left(null));
        Assert.Equal(0, Left(200));
    }

    private static Minibatch Rows(int count)
    {
        var random = new Random(7);
        var rows = new Minibatch(3, count);
        for (int row = 0; row < count; row++)
        {
            double shift = random.Next(4) * 5, x = random.NextDouble(), y = random.NextDouble();
            rows.Add([shift + x, random.Next(10) == 0 ? double.NaN : 100 * (x + y - shift), random.Next(200) == 0 ? 1000 * y : y * y]);
        }
        return rows;
    }

    private static ModelSnapshot RoundTrip(LearnedModel learned)
    {
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned, new SnapshotOrigin("m", "run", "sha256:0", DateTimeOffset.UnixEpoch)), written);
        return SnapshotReader.Read(written.WrittenMemory);
    }

    private static Learner Learner(
        CovarianceType form = CovarianceType.Full, LearnMode learn = LearnMode.Bounded, int? freezeAfter = null, double? halfLife = null,
        int dimension = 3) => new(
        Gaussians.Mixture(8, form) with { Growing = new GrowthOptions { HalfLife = halfLife } }, RecordSchema.OfNumbers(dimension),
        new LearningOptions { Learn = learn, MinibatchSize = 100, FreezeAfter = freezeAfter }, threads: 1);
}
