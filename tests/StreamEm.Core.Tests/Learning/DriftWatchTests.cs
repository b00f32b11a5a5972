using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

public sealed class DriftWatchTests
{
    [Theory]
    [InlineData("normal")]
    [InlineData("skewed")]
    [InlineData("constant")]
    [InlineData("rising")]
    public void Take_OfAStreamThatDoesNotFall_IsFalseAtLeastAsRarelyAsItSays(string kind)
    {
        const int Updates = 200_000;
        const double RunLength = 1000;
        (Random random, DriftWatch watch, int alarms) = (new(1), new(RunLength), 0);
        for (int update = 0; update < Updates; update++)
            if (watch.Take(Mean(kind, random, update))) alarms++;
        // At most 200, expected; the times between them are about exponential: +- 14.
        Assert.InRange(alarms, 0, (int)(Updates / RunLength) + 3 * 14);
    }

    [Theory]
    [InlineData(1.0, 60)]
    [InlineData(3.0, 15)]
    public void Take_OfAFallThatStays_IsNoticedSoon(double deviations, int within)
    {
        (Random random, DriftWatch watch) = (new(2), new(100_000));
        for (int update = 0; update < 1000; update++) Assert.False(watch.Take(Normal(random)));

        int noticed = 0;
        while (!watch.Take(Normal(random) - deviations)) noticed++;
        Assert.InRange(noticed, 0, within);
        // It has been told; what is lower now is what comes from now on.
        for (int update = 0; update < 1000; update++) Assert.False(watch.Take(Normal(random) - deviations));
    }

    [Fact]
    public void Load_WhatSaveWrote_GoesOnToTheSameEvidence()
    {
        (Random random, DriftWatch whole, DriftWatch second) = (new(3), new(1e9), new(1e9));
        for (int update = 0; update < 2500; update++) whole.Take(Math.Round(Normal(random), 1));
        using var state = new MemoryStream();
        using (var writer = new BinaryWriter(state, System.Text.Encoding.UTF8, leaveOpen: true)) whole.Save(writer);
        state.Position = 0;
        second.Load(new BinaryReader(state));
        for (int update = 0; update < 2500; update++)
        {
            double mean = Math.Round(Normal(random), 1);
            whole.Take(mean);
            second.Take(mean);
            Assert.Equal(whole.Evidence, second.Evidence);
        }
    }

    [Theory]
    [InlineData(DriftPolicy.Nothing)]
    [InlineData(DriftPolicy.RaiseStepSize)]
    [InlineData(DriftPolicy.RestartComponent)]
    public void Learner_WhoseStreamDrifts_SaysSoAndAnswers(DriftPolicy then)
    {
        Learner learner = LearnerOf(then);
        Streams.Feed(learner, Rows(0, 20_000), 0, 20_000);
        Assert.DoesNotContain(learner.CreateSnapshot()!.Training.Warnings, warning => warning.Kind == ModelWarningKind.Drifted);

        double before = learner.CreateSnapshot()!.Training.LastStepSize, largest = 0;
        bool isTold = false, isRestarted = false;
        Minibatch moved = Rows(1.5, 6000);
        for (int first = 0; first < moved.Count; first += 100)
        {
            Streams.Feed(learner, moved, first, 100);
            LearnedModel learned = learner.CreateSnapshot()!;
            isTold |= learned.Training.Warnings.Any(warning => warning.Kind == ModelWarningKind.Drifted);
            isRestarted |= learned.Events.Any(item => item.Kind == ComponentEventKind.Reseeded);
            largest = Math.Max(largest, learned.Training.LastStepSize);
        }

        Assert.True(isTold);
        Assert.Equal(then == DriftPolicy.RestartComponent, isRestarted);
        if (then == DriftPolicy.RaiseStepSize) Assert.True(largest > 5 * before, $"{largest} after {before}");
        else Assert.True(largest <= 1.01 * before, $"{largest} after {before}");
    }

    [Fact]
    public void Learner_SavedInTheMiddle_EndsInTheStateOfOneNeverStopped()
    {
        Minibatch rows = new(1);
        rows.Append(Rows(0, 5000), 0, 5000);
        rows.Append(Rows(1.5, 3000), 0, 3000);
        Learner whole = LearnerOf(DriftPolicy.RaiseStepSize), first = LearnerOf(DriftPolicy.RaiseStepSize),
            second = LearnerOf(DriftPolicy.RaiseStepSize), without = LearnerOf(null);
        Streams.Feed(whole, rows, 0, rows.Count);
        Streams.Feed(first, rows, 0, 4321);
        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        without.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        Streams.Feed(second, rows, 4321, rows.Count - 4321);

        Assert.Equal(Streams.State(whole), Streams.State(second));
        Assert.Equal(first.Updates, without.Updates);
    }

    private static Learner LearnerOf(DriftPolicy? then) => new(
        Gaussians.Mixture(2), RecordSchema.OfNumbers(1),
        new LearningOptions { MinibatchSize = 100, Drift = then is { } policy ? new DriftOptions { Then = policy } : null }, threads: 1);

    /// <summary>Two clusters at -4 and 4, moved.</summary>
    private static Minibatch Rows(double moved, int count)
    {
        var random = new Random(4);
        var rows = new Minibatch(1, count);
        for (int row = 0; row < count; row++) rows.Add([(random.Next(2) == 0 ? -4 : 4) + moved + Normal(random)]);
        return rows;
    }

    private static double Mean(string kind, Random random, int update) => kind switch
    {
        "skewed" => -Math.Exp(Normal(random)),
        "constant" => -3,
        "rising" => Normal(random) + update / 1000.0,
        _ => Normal(random),
    };

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
