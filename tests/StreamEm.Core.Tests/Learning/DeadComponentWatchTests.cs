using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>A component that nothing speaks for is put where the model explains least, and stays there.</summary>
public sealed class DeadComponentWatchTests
{
    private const int UpdatesUntilDead = 50;

    private static readonly Mixture Model = Gaussians.Model(3, 2);

    [Fact]
    public void Look_TwoComponentsStarved_StartAnewAtTheTwoWorstRowsInTheirOrder()
    {
        StepwiseState state = Starved(0, 2);
        Minibatch rows = Gaussians.Three.Draw(40, 1);
        double[] logDensities = LogDensities(state, rows);
        int[] worst = [.. Enumerable.Range(0, rows.Count).OrderBy(row => logDensities[row])];
        var watch = new DeadComponentWatch(Model, DeadComponents.Reseed);

        for (int update = 1; update < UpdatesUntilDead; update++) watch.Look(state, rows, logDensities, bound: null);
        Assert.Empty(state.Events.All);
        double[] before = [.. logDensities];
        watch.Look(state, rows, logDensities, bound: null);

        Assert.Equal([0, 2], state.Events.All.Select(item => item.Component));
        Assert.All(state.Events.All, item => Assert.Equal(ModelEventKind.Reseeded, item.Kind));
        Assert.Equal(rows.Row(worst[0]).ToArray(), Mean(state, 0));
        Assert.Equal(rows.Row(worst[1]).ToArray(), Mean(state, 2));
        Assert.Equal(before, logDensities);
        Assert.Equal(1, state.Parameters.Take(3).Sum(), 1e-12);
        Assert.Equal(1, state.Shares.Sum(), 1e-12);
    }

    [Fact]
    public void Look_RowsThatSayNothing_AreNotStartedAt()
    {
        StepwiseState state = Starved(1);
        var rows = new Minibatch(2);
        rows.Add([1e300, 0]);
        rows.Add([double.NaN, double.NaN]);
        rows.Add([3, 3]);
        var watch = new DeadComponentWatch(Model, DeadComponents.Reseed);

        for (int update = 0; update < UpdatesUntilDead; update++)
            watch.Look(state, rows, [double.NegativeInfinity, double.NaN, -5], bound: null);

        Assert.Equal([3, 3], Mean(state, 1));
    }

    [Fact]
    public void Look_EvidenceNowAndThen_StartsCountingAnew()
    {
        var watch = new DeadComponentWatch(Model, DeadComponents.Reseed);
        Minibatch rows = Gaussians.Three.Draw(10, 1);
        StepwiseState state = Starved(1), fed = Starved();
        for (int update = 0; update < 3 * UpdatesUntilDead; update++)
            watch.Look(update % UpdatesUntilDead == UpdatesUntilDead - 1 ? fed : state, rows, new double[10], bound: null);

        Assert.Empty(state.Events.All);
    }

    [Fact]
    public void Look_ReseededAndStillWithoutEvidence_WaitsAsLongAgain()
    {
        // So little is known that no component's share is worth enough rows.
        StepwiseState state = Starved();
        state.EffectiveRows = 4;
        Minibatch rows = Gaussians.Three.Draw(10, 1);
        double[] logDensities = LogDensities(state, rows);
        var watch = new DeadComponentWatch(Model, DeadComponents.Reseed);
        var reseeded = new List<int>();
        for (int update = 1; update <= 3 * UpdatesUntilDead; update++)
        {
            state.Events.Clear();
            watch.Look(state, rows, logDensities, bound: null);
            if (state.Events.All.Any(item => item.Component == 1)) reseeded.Add(update);
        }

        Assert.Equal([UpdatesUntilDead, 2 * UpdatesUntilDead, 3 * UpdatesUntilDead], reseeded);
    }

    [Fact]
    public void Update_AfterAReseedWithASmallStep_LeavesTheComponentWhereItWasPut()
    {
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
        {
            var state = new StepwiseState(Model, Gaussians.Three.Exact().Flatten(Model), 10_000);
            var em = new StepwiseEm(Model, recursion, new PowerLaw(new StepSizeOptions { T0 = 800 }), 1);
            Minibatch rows = Gaussians.Three.Draw(500, 4);
            em.Update(state, rows, new double[500]);
            StepwiseEm.Reseed(state, Model, 1, [-6, 7]);
            Assert.Equal(1, state.Parameters.Take(3).Sum(), 1e-12);

            em.Update(state, rows, new double[500]);

            Assert.InRange(state.LastStepSize, 0.005, 0.015);
            // One update moves weight and mean by no more than the step allows: 1 % of the way to where the rows are.
            Assert.Equal(1.0 / 3, state.Parameters[1], 0.01);
            Assert.Equal([-6.0, 7], Mean(state, 1), (expected, found) => Math.Abs(expected - found) < 0.3);
        }
    }

    [Fact]
    public void SaveAndLoad_StarvingAndAfterGlitches_GoesOnToTheSameBytesAndWarnings()
    {
        var both = new Gaussians([0.5, 0.5], [[0], [50]], [[1], [1]]);
        Minibatch first = both.Draw(1000, 2), later = new Gaussians([1], [[0]], [[1]]).Draw(6000, 3), rows = new(1);
        for (int row = 0; row < 1000; row++) rows.Add(first.Row(row));
        for (int row = 0; row < 6000; row++) rows.Add(row % 700 == 0 ? [1e300] : later.Row(row));
        var options = new LearningOptions { Recursion = Recursion.Statistics, MinibatchSize = 50, StepSize = new() { Floor = 0.2 } };
        Learner Start() => new(Gaussians.Mixture(2), RecordSchema.OfNumbers(1), options, both.Start(1));
        Learner whole = Start();
        Streams.Feed(whole, rows, 0, rows.Count);
        Assert.Contains(Streams.Snapshot(whole).Training.Warnings, warning => warning.Kind == ModelWarningKind.ImpossibleRecords);

        bool hasReseeded = false;
        foreach (int stop in (int[])[1025, 2000, 3111, 4000, 5555])
        {
            Learner before = Start(), after = Start();
            Streams.Feed(before, rows, 0, stop);
            after.Load(new BinaryReader(new MemoryStream(Streams.State(before))));
            for (int row = stop; row < rows.Count; row++)
            {
                Streams.Feed(after, rows, row, 1);
                hasReseeded |= Streams.Snapshot(after).ComponentStatus.Contains("reseeded");
            }

            Assert.Equal(Streams.State(whole), Streams.State(after));
            Assert.Equal(Streams.Snapshot(whole).Training.Warnings, Streams.Snapshot(after).Training.Warnings);
        }

        Assert.True(hasReseeded, "No component ever starved.");
    }

    /// <summary>A state of which some components have no share.</summary>
    private static StepwiseState Starved(params int[] components)
    {
        var state = new StepwiseState(Model, Gaussians.Three.Exact().Flatten(Model), 10_000);
        foreach (int k in components) state.Shares[k] = 0;
        double total = state.Shares.Sum();
        for (int k = 0; k < state.Shares.Length; k++) state.Shares[k] /= total;
        return state;
    }

    private static double[] LogDensities(StepwiseState state, Minibatch rows)
    {
        double[] result = new double[rows.Count];
        new ShardedEStep(Model, 1)
            .Accumulate(Model.Prepare(state.Parameters), rows, new double[Model.StatisticsLayout.Length], result);
        return result;
    }

    private static double[] Mean(StepwiseState state, int component) => state.Parameters[(3 + 2 * component)..(5 + 2 * component)];
}
