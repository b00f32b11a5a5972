using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>What an update makes of rows that count little or not at all, and of parameters with coordinates of their own.</summary>
public sealed class StepwiseEmTests
{
    private static readonly Mixture Model = Gaussians.Model(3, 2);
    private static readonly Minibatch Rows = Gaussians.Three.Draw(200, 1);

    [Fact]
    public void Update_RowsThatSayNothingOrWeighNothing_AreCountedAsNotLearnedFrom()
    {
        StepwiseState state = Start();
        var rows = new Minibatch(2);
        for (int row = 0; row < 20; row++) rows.Add([row, double.NaN], weight: row < 5 ? 0 : 1);
        rows.Add([1e200, -1e200], weight: 2);

        Em().Update(state, rows, new double[21]);

        Assert.Equal((21L, 6L, 0L), (state.Rows, state.Unlearned, state.Bounded));
    }

    [Fact]
    public void Update_EveryRowUsed_CountsNoneAsNotLearnedFrom()
    {
        StepwiseState state = Start();
        Em().Update(state, Rows, new double[200]);
        var weighted = new Minibatch(2);
        for (int row = 0; row < 100; row++) weighted.Add(Rows.Row(row), weight: 0.5 + row);
        Em().Update(state, weighted, new double[100]);

        Assert.Equal((300L, 0L), (state.Rows, state.Unlearned));
    }

    [Fact]
    public void Update_RowsHeldBack_AreCountedAndMakeTheStepLess()
    {
        StepwiseState state = Start(), plain = Start();
        var bound = new InfluenceBound(2);
        bound.Begin(200, 500);
        for (int row = 0; row < 50; row++) bound.HoldBefore(4 * row);

        Evidence evidence = Em().Update(state, Rows, new double[200], bound: bound);
        Em().Update(plain, Rows, new double[200]);

        Assert.Equal((150.0, 50.0), (evidence.Weight, evidence.Held));
        Assert.Equal((50L, 50L), (state.Unlearned, state.Bounded));
        Assert.Equal(0.75 * plain.LastStepSize, state.LastStepSize, 1e-15);
    }

    [Fact]
    public void Update_WeightsInAnotherUnit_TakesThePartOfAStepThatTheyAreWorth()
    {
        StepwiseState state = Start();
        StepwiseEm em = Em();
        em.Update(state, Rows, new double[200]);
        var heavy = new Minibatch(2);
        for (int row = 0; row < 50; row++) heavy.Add(Rows.Row(row), weight: 1000);

        em.Update(state, heavy, new double[50], unit: 0.001);

        // 50 of 200, at the step size of the second update.
        Assert.Equal(0.25 * new PowerLaw(new StepSizeOptions()).At(2), state.LastStepSize, 1e-15);
        Assert.Equal(250, state.Weight, 1e-9);
    }

    [Fact]
    public void Update_AfterANewBeginning_TakesTheFirstStepSize()
    {
        StepwiseState state = Start();
        StepwiseEm em = Em();
        for (int update = 0; update < 5; update++) em.Update(state, Rows, new double[200]);
        Assert.Equal(new PowerLaw(new StepSizeOptions()).At(5), state.LastStepSize);

        state.BeginAgain();
        em.Update(state, Rows, new double[200]);

        Assert.Equal(new PowerLaw(new StepSizeOptions()).At(1), state.LastStepSize);
    }

    [Fact]
    public void WorthOf_Weights_IsTheEffectiveSizeOfWhatWasLearned()
    {
        var rows = new Minibatch(1);
        foreach (double weight in (double[])[1, 1, 2, 4]) rows.Add([0], weight: weight);

        // (1 + 1 + 2 + 4)^2 / (1 + 1 + 4 + 16), and the part of it that was not held back.
        Assert.Equal(64.0 / 22, StepwiseEm.WorthOf(rows, new double[4], new Evidence(8, -1)), 1e-14);
        Assert.Equal(64.0 / 22 * 0.75, StepwiseEm.WorthOf(rows, new double[4], new Evidence(6, -1) { Held = 2 }), 1e-14);
        Assert.Equal(7, StepwiseEm.WorthOf(Rows, new double[200], new Evidence(7, -1)));
    }

    [Fact]
    public void Reseed_Component_MovesItAndSaysSo()
    {
        StepwiseState state = Start();
        double before = state.Shares[1];
        state.Events.Clear();

        StepwiseEm.Reseed(state, Model, 1, [40, -40]);

        Assert.Equal([new ModelEvent(ModelEventKind.Reseeded, 1, before)], state.Events.All);
        Assert.Equal(1.0 / 3, state.Shares[1], 1e-15);
        Assert.Equal(1, state.Shares.Sum(), 1e-14);
        Assert.Equal([40, -40], Model.ParameterLayout["means"].Of((ReadOnlySpan<double>)state.Parameters)[2..4].ToArray());
    }

    [Fact]
    public void Update_EventsOfTheOneBefore_AreForgotten()
    {
        StepwiseState state = Start();
        state.Events.Add(ModelEventKind.Reseeded, 2, 0.1);

        Em().Update(state, Rows, new double[200]);

        Assert.Empty(state.Events.All);
    }

    /// <summary>Degrees of freedom are combined as logarithms, everything else as it is.</summary>
    [Fact]
    public void Update_ParametersWithLogarithmicCoordinates_IsTheGeometricMeanThere()
    {
        var model = new Mixture("test", new StudentT(1, 1, new CovarianceRegularization([0], 1e-12), null));
        var chance = new SplitMix64(3);
        var rows = new Minibatch(1);
        for (int row = 0; row < 400; row++) rows.Add([Math.Tan(Math.PI * (0.98 * chance.NextDouble() - 0.49))]);
        double[] theta = Start(model);
        var state = new StepwiseState(model, theta, 1000);
        double[] averages = new double[model.StatisticsLayout.Length], maximiser = [.. theta];
        var em = new StepwiseEm(model, Recursion.Parameters, new PowerLaw(new StepSizeOptions()), 1);
        Evidence evidence = em.Expect(theta, rows, averages, new double[400], default);
        model.Maximize(averages, new RowsWorth(400, Worth()), theta, maximiser, new ModelEvents());

        em.Update(state, rows, new double[400]);

        double gamma = state.LastStepSize;
        Assert.Equal(400, evidence.Weight);
        foreach (string block in (string[])["means", "scale_matrices"])
        {
            int at = model.ParameterLayout[block].Offset;
            Assert.Equal(((1 - gamma) * theta[at]) + (gamma * maximiser[at]), state.Parameters[at], 1e-12);
        }
        int freedom = model.ParameterLayout["degrees_of_freedom"].Offset;
        Assert.NotEqual(theta[freedom], maximiser[freedom], 0.1);
        Assert.Equal(Math.Pow(theta[freedom], 1 - gamma) * Math.Pow(maximiser[freedom], gamma), state.Parameters[freedom], 1e-12);

        double Worth()
        {
            double first = new PowerLaw(new StepSizeOptions()).At(1);
            return 1 / (((1 - first) * (1 - first) / 1000) + (first * first / 400));
        }
    }

    private static double[] Start(Mixture model)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        theta[model.ParameterLayout["weights"].Offset] = 1;
        theta[model.ParameterLayout["means"].Offset] = 0.5;
        theta[model.ParameterLayout["scale_matrices"].Offset] = 2;
        theta[model.ParameterLayout["degrees_of_freedom"].Offset] = 9;
        return theta;
    }

    private static StepwiseState Start() => new(Model, Gaussians.Three.Start(1).Flatten(Model), 500);

    private static StepwiseEm Em() => new(Model, Recursion.Statistics, new PowerLaw(new StepSizeOptions()), 1);
}
