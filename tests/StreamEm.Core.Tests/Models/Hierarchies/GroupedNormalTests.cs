using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Hierarchies;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Hierarchies;

/// <summary>Polls of states by houses.</summary>
public sealed class GroupedNormalTests
{
    private const int States = 12, Houses = 4;

    private static readonly RecordSchema Schema = new() { Features = ["share", "se", "state", "house"] };

    private static readonly HierarchicalNormalOptions Polls = HierarchicalNormalTests.Options() with { Group = "state", House = "house" };

    private static readonly LearningOptions Learning = new()
    {
        MinibatchSize = 50,
        StepSize = new() { Kappa = 1 },
        Initialization = new() { Buffer = 150, NInit = 1 },
    };

    [Fact]
    public void BatchFit_Polls_EndsWhereTheMarginalLikelihoodIsLargest()
    {
        Minibatch polls = Draw(1, 300, out _, out _);
        LearningOptions learning = Learning with { Learn = LearnMode.Always, Initialization = new() { Buffer = 300 } };
        LearnedModel learned = BatchFit.Run(Polls, Schema, learning, polls, new BatchEmOptions()).Learned;
        double mean = learned.Parameters[0], variance = learned.Parameters[1], house = learned.Parameters[2];

        // All 300 polls are one normal vector: N(mu, tau^2 Z Z' + omega^2 W W' + diag(s^2)).
        double best = Marginal(polls, mean, variance, house);
        foreach ((double dm, double dv, double dh) in ((double, double, double)[])
            [(0.002, 1, 1), (-0.002, 1, 1), (0, 1.02, 1), (0, 0.98, 1), (0, 1, 1.02), (0, 1, 0.98)])
            Assert.True(best > Marginal(polls, mean + dm, variance * dv, house * dh), $"{dm} {dv} {dh}");
    }

    [Fact]
    public void Learn_StreamOfStepsOfOneOverT_IsTheBatchFit()
    {
        // With steps of 1 / t the averages are those of all records, and n_eff is their number.
        Minibatch polls = Draw(2, 600, out _, out _);
        LearningOptions learning = Learning with { Learn = LearnMode.Always, StepSize = new() { Kappa = 1, T0 = 0 } };
        LearningOptions whole = learning with { Initialization = new() { Buffer = 600 } };
        LearnedModel stream = Streams.Snapshot(Streams.Learn(Polls, learning, polls, schema: Schema)),
            batch = BatchFit.Run(Polls, Schema, whole, polls, new BatchEmOptions()).Learned;
        Dictionary<string, double> Effects(LearnedModel learned) => learned.Layout["effects"].Entries!
            .Zip(learned.Layout["effects"].Of(learned.Parameters.ToArray().AsSpan()).ToArray())
            .ToDictionary(pair => pair.First, pair => pair.Second);
        Assert.Equal(batch.Parameters[0], stream.Parameters[0], 1e-6);
        Assert.Equal(batch.Parameters[1], stream.Parameters[1], 1e-6);
        foreach ((string name, double effect) in Effects(batch)) Assert.Equal(effect, Effects(stream)[name], 1e-6);
    }

    [Fact]
    public void Learn_Polls_FindsStatesAndHousesWithinTheirErrors()
    {
        Minibatch polls = Draw(3, 2000, out double[] states, out double[] houses);
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Polls, Learning, polls, schema: Schema));
        int all = States + Houses;
        double[] effects = learned.Layout["effects"].Of(learned.Parameters.ToArray().AsSpan()).ToArray(),
            covariance = learned.Layout["covariance"].Of(learned.Parameters.ToArray().AsSpan()).ToArray();
        IReadOnlyList<string> names = learned.Layout["effects"].Entries!;
        for (int at = 0; at < all; at++)
        {
            double truth = at < States ? states[int.Parse(names[at][1..], null)] : houses[int.Parse(names[at][1..], null)];
            Assert.True(
                Math.Abs(effects[at] - truth) < 4 * Math.Sqrt(covariance[at * (all + 1)]), $"{names[at]}: {effects[at]} for {truth}");
        }
    }

    [Fact]
    public void SaveAndLoad_AtAnyRecord_ContinuesToTheSameBytes()
    {
        Minibatch polls = Draw(4, 400, out _, out _);
        byte[] uninterrupted = [];
        foreach (int stop in (int[])[0, 149, 150, 151, 333, 399])
        {
            Learner learner = new(Polls, Schema, Learning), resumed = new(Polls, Schema, Learning);
            Streams.Feed(learner, polls, 0, stop);
            resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
            Streams.Feed(resumed, polls, stop, polls.Count - stop);
            while (resumed.TryUpdate(flush: true)) { }
            if (stop == 0) uninterrupted = Streams.State(resumed);
            Assert.Equal(uninterrupted, Streams.State(resumed));
        }
    }

    [Fact]
    public void Maximize_ImpliedStatistics_GivesTheParametersBack()
    {
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Polls, Learning, Draw(5, 1000, out _, out _), schema: Schema));
        LatentModel model = learned.Model;
        double[] theta = [.. learned.Parameters], implied = new double[model.StatisticsLayout.Length], result = new double[theta.Length];
        model.ImpliedStatistics(theta, 700, implied);
        model.Maximize(implied, 700, theta, result, new ModelEvents());
        for (int at = 0; at < theta.Length; at++) Assert.Equal(theta[at], result[at], 1e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    public void Sample_AllGroups_AreDrawnTogetherWithTheErrorTheyShare(double shared)
    {
        HierarchicalNormalOptions options = Polls with { SharedDeviation = shared };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(options, Learning, Draw(6, 1000, out _, out _), schema: Schema));
        const int times = 20_000;
        var sampler = new Sampler(learned, 5);
        Minibatch drawn = sampler.Draw(times * States);
        int all = States + Houses;
        double[] effects = learned.Layout["effects"].Of(learned.Parameters.ToArray().AsSpan()).ToArray(),
            covariance = learned.Layout["covariance"].Of(learned.Parameters.ToArray().AsSpan()).ToArray();
        for (int g = 0; g < States; g += 5)
            for (int other = 0; other < States; other += 4)
            {
                double product = 0, mean = 0;
                for (int time = 0; time < times; time++)
                {
                    double a = drawn.Row(time * States + g)[0] - effects[g], b = drawn.Row(time * States + other)[0] - effects[other];
                    (product, mean) = (product + a * b / times, mean + a / times);
                }
                double expected = covariance[g * all + other] + shared * shared,
                    size = Math.Sqrt((covariance[g * (all + 1)] + shared * shared) * (covariance[other * (all + 1)] + shared * shared));
                // Five standard errors of a product of two correlated normals, which are at most sqrt(2) times their size.
                Assert.Equal(expected, product, 5 * size * Math.Sqrt(2.0 / times));
                Assert.Equal(0, mean, 5 * Math.Sqrt((covariance[g * (all + 1)] + shared * shared) / times));
            }
        Assert.Equal(learned.Space.Features[2].Levels[1], drawn.Texts![(int)drawn.Row(States + 1)[2]]);
        Assert.Equal(0, drawn.Row(7)[1]);
        Assert.True(double.IsNaN(drawn.Row(7)[3]));
    }

    [Fact]
    public void Score_Polls_SaysTheStatesEstimateAndTheUnknownStatesPrior()
    {
        HierarchicalNormalOptions options = Polls with { SharedDeviation = 0.02 };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(options, Learning, Draw(7, 1000, out _, out _), schema: Schema));
        Minibatch rows = new(4, 4, new TextTable(), [2, 3]);
        int first = rows.Texts!.Number(learned.Space.Features[2].Levels[0]);
        rows.Add([0.5, 0.03, first, double.NaN]);
        rows.Add([0.5, 0.03, rows.Texts.Number("nowhere"), double.NaN]);
        double[] scores = new double[4], densities = new double[2];
        new Scorer(learned).Score(rows, densities, scores, new double[2]);
        Assert.Equal(learned.Layout["effects"].Of(learned.Parameters.ToArray().AsSpan())[0], scores[0], 1e-12);
        Assert.Equal(learned.Layout["covariance"].Of(learned.Parameters.ToArray().AsSpan())[0] + 0.0004, scores[1], 1e-12);
        Assert.Equal([learned.Parameters[0], learned.Parameters[1] + 0.0004], [scores[2], scores[3]], (a, b) => Math.Abs(a - b) < 1e-12);
        // What has no probability is as a record without any value.
        Assert.True(double.IsFinite(densities[0]) && densities[0] != 0);
        Assert.Equal(0, densities[1]);
    }

    private static Minibatch Draw(ulong seed, int count, out double[] states, out double[] houses)
    {
        var chance = new SplitMix64(seed);
        states = [.. Enumerable.Range(0, States).Select(_ => 0.5 + 0.06 * Gaussians.Normal(chance))];
        houses = [.. Enumerable.Range(0, Houses).Select(_ => 0.03 * Gaussians.Normal(chance))];
        var rows = new Minibatch(4, count, new TextTable(), [2, 3]);
        for (int row = 0; row < count; row++)
        {
            int state = chance.NextInt32(States), house = chance.NextInt32(Houses);
            double error = 0.02 + 0.03 * chance.NextDouble();
            rows.Add([
                states[state] + houses[house] + error * Gaussians.Normal(chance), error, rows.Texts!.Number($"s{state}"),
                rows.Texts.Number($"h{house}")]);
        }
        return rows;
    }

    private static double Marginal(Minibatch polls, double mean, double variance, double house)
    {
        int count = polls.Count;
        Matrix<double> covariance = Matrix<double>.Build.Dense(count, count, (i, j) =>
            (polls.Row(i)[2] == polls.Row(j)[2] ? variance : 0) + (polls.Row(i)[3] == polls.Row(j)[3] ? house : 0)
                + (i == j ? polls.Row(i)[1] * polls.Row(i)[1] : 0));
        Vector<double> off = Vector<double>.Build.Dense(count, i => polls.Row(i)[0] - mean);
        var cholesky = covariance.Cholesky();
        return -0.5 * (cholesky.DeterminantLn + off * cholesky.Solve(off) + count * Math.Log(2 * Math.PI));
    }
}
