using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

public sealed class StepwiseStateTests
{
    private static readonly Mixture Model = Gaussians.Model(3, 2);
    private static readonly Minibatch Rows = Gaussians.Three.Draw(600, 1);

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void SaveAndLoad_BetweenUpdates_GoesOnToTheSameBytes(Recursion recursion)
    {
        StepwiseState state = Start(), saved = Start();
        StepwiseEm em = Em(recursion);
        for (int update = 0; update < 6; update++)
        {
            em.Update(state, Part(update), new double[100]);
            em.Update(saved, Part(update), new double[100]);
            saved = StepwiseState.Load(new BinaryReader(new MemoryStream(Bytes(saved))), Model);
            Assert.Equal(Bytes(state), Bytes(saved));
        }
        Assert.Equal((6L, 600L), (saved.Updates, saved.Rows));
    }

    /// <summary>With step sizes 1 / t a stream ends where all its rows together do, also where the last minibatch is short.</summary>
    [Theory]
    [InlineData(600)]
    [InlineData(537)]
    [InlineData(101)]
    public void Update_StepSizesOneOverT_WeighsEveryRowTheSame(int count)
    {
        Mixture one = Gaussians.Model(1, 2, regCovar: 0);
        double[] theta = new double[one.ParameterLayout.Length], all = new double[one.StatisticsLayout.Length];
        one.Neutral(theta);
        var state = new StepwiseState(one, theta);
        var em = new StepwiseEm(one, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 1, T0 = 0 }), 1);
        var part = new Minibatch(2, 100);
        for (int first = 0; first < count; first += 100)
        {
            part.Clear();
            part.Append(Rows, first, Math.Min(100, count - first));
            em.Update(state, part, new double[100]);
        }
        var whole = new Minibatch(2, count);
        whole.Append(Rows, 0, count);
        new ShardedEStep(one, 1).Average(one.Prepare(theta), theta, whole, all, new double[count]);
        for (int at = 0; at < all.Length; at++) Assert.Equal(all[at], state.Statistics[at], 1e-13);
    }

    [Fact]
    public void Update_OneMachineForManyStates_TakesEachAsItsOwn()
    {
        StepwiseState a = Start(), b = Start(), alone = Start();
        StepwiseEm shared = Em(Recursion.Statistics), own = Em(Recursion.Statistics);
        for (int update = 0; update < 5; update++)
        {
            shared.Update(a, Part(update), new double[100]);
            shared.Update(b, Part(5 - update), new double[100]);
            own.Update(alone, Part(update), new double[100]);
        }
        Assert.Equal(Bytes(alone), Bytes(a));
        Assert.NotEqual(Bytes(a), Bytes(b));
    }

    [Fact]
    public void Save_EventsOfTheLastUpdate_AreKept()
    {
        StepwiseState state = Start();
        state.Events.Add(ModelEventKind.Reseeded, 2, 0.125);
        StepwiseState loaded = StepwiseState.Load(new BinaryReader(new MemoryStream(Bytes(state))), Model);
        Assert.Equal([new ModelEvent(ModelEventKind.Reseeded, 2, 0.125)], loaded.Events.All);
    }

    [Fact]
    public void Load_StateOfAnotherModel_IsRefused()
    {
        InvalidDataException exception = Assert.Throws<InvalidDataException>(
            () => StepwiseState.Load(new BinaryReader(new MemoryStream(Bytes(Start()))), Gaussians.Model(2, 2)));
        Assert.Equal("The state has 21 parameters, 18 statistics and 3 shares; the model has 14, 12 and 2.", exception.Message);
    }

    [Fact]
    public void Update_OfShares_IsTheRunningAverageOfTheMasses()
    {
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
        {
            StepwiseState state = Start();
            double[] shares = [.. state.Shares];
            Assert.Equal(state.Parameters.Take(3), shares);
            StepwiseEm em = Em(recursion);
            for (int update = 0; update < 4; update++)
            {
                double[] averages = new double[Model.StatisticsLayout.Length];
                new ShardedEStep(Model, 1)
                    .Average(Model.Prepare(state.Parameters), state.Parameters, Part(update), averages, new double[100]);
                em.Update(state, Part(update), new double[100]);
                for (int k = 0; k < 3; k++)
                {
                    shares[k] += state.LastStepSize * (averages[k] - shares[k]);
                    Assert.Equal(shares[k], state.Shares[k], 1e-13);
                }
            }
        }
    }

    [Fact]
    public void Update_RowsThatSayNothing_CountAsBarrenUntilOneSaysSomething()
    {
        StepwiseState state = Start();
        byte[] parameters = Bytes(state.Parameters);
        Minibatch nothing = new(2);
        for (int row = 0; row < 100; row++) nothing.Add(row % 2 == 0 ? [double.NaN, double.NaN] : [1e100, 0]);
        StepwiseEm em = Em(Recursion.Statistics);
        for (int update = 1; update <= 3; update++)
        {
            em.Update(state, nothing, new double[100]);
            Assert.Equal((update, (long)update), (state.BarrenUpdates, state.Updates));
        }
        Assert.Equal(parameters, Bytes(state.Parameters));
        StepwiseState loaded = StepwiseState.Load(new BinaryReader(new MemoryStream(Bytes(state))), Model);
        Assert.Equal(3, loaded.BarrenUpdates);
        em.Update(loaded, Part(0), new double[100]);
        Assert.Equal(0, loaded.BarrenUpdates);
        Assert.NotEqual(parameters, Bytes(loaded.Parameters));
    }

    [Fact]
    public void RowsWorth_OfANumber_IsThatNumberInBothSenses()
    {
        RowsWorth worth = 12.5;
        Assert.Equal(new RowsWorth(12.5, 12.5), worth);
    }

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void Update_ModelWithAPrior_WeighsItAgainstTheWholeMemory(Recursion recursion)
    {
        // Ten imaginary rows per level; one feature of two levels, one component.
        var model = new Mixture("test", new Levels(1, 1, 2, prior: 10));
        var state = new StepwiseState(model, [1, 0.25, 0.75], 1000);
        var em = new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions()), 1);
        Minibatch rows = new(1);
        for (int row = 0; row < 20; row++) rows.Add([row < 5 ? 1 : 0]);
        double before = state.EffectiveRows, s = state.Statistics[1], t = state.Statistics[2];
        Assert.Equal(0.25 * (1 + 20 / 1000.0) - 10 / 1000.0, s, 1e-15);
        em.Update(state, rows, new double[20]);
        double gamma = state.LastStepSize, n = state.EffectiveRows;
        Assert.Equal(1 / ((1 - gamma) * (1 - gamma) / before + gamma * gamma / 20), n, 1e-9);
        (s, t) = recursion == Recursion.Statistics ? ((1 - gamma) * s + gamma * 0.75, (1 - gamma) * t + gamma * 0.25) : (0.75, 0.25);
        double maximum = (s + 10 / n) / (s + t + 20 / n);
        double expected = recursion == Recursion.Statistics ? maximum : (1 - gamma) * 0.25 + gamma * maximum;
        Assert.Equal(expected, state.Parameters[1], 1e-13);
    }

    private static Minibatch Part(int update)
    {
        var part = new Minibatch(2);
        part.Append(Rows, 100 * update, 100);
        return part;
    }

    private static StepwiseState Start() => new(Model, Gaussians.Three.Start(1).Flatten(Model), 500);

    private static StepwiseEm Em(Recursion recursion) => new(Model, recursion, new PowerLaw(new StepSizeOptions()), 1);

    private static byte[] Bytes(StepwiseState state)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        state.Save(writer);
        return stream.ToArray();
    }

    private static byte[] Bytes(double[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
