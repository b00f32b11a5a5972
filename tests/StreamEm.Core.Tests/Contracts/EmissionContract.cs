using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>A family of components as the contracts see it.</summary>
public abstract class Family
{
    /// <summary>The options a user would have.</summary>
    public abstract EmissionOptions Options { get; }

    /// <summary>The family without priors and regularisation.</summary>
    public abstract Emission Create(int components, int dimension);

    /// <summary>Rows inside.</summary>
    public abstract Minibatch Rows(int dimension, int count, ulong seed, double missing);

    /// <summary>The same rows as a source delivers them.</summary>
    public virtual Minibatch Records(Minibatch rows) => rows;

    /// <summary>Whether more than the component of a row is latent, so that labels leave no closed form.</summary>
    public virtual bool HasLatentScale => false;

    /// <summary>See <see cref="ModelContract.Noise"/>; of a block by its own name.</summary>
    public virtual double Noise(string block) => 1;

    /// <summary>A row that no component can produce; null where there is none.</summary>
    public virtual double[]? ImpossibleRow(int dimension) => null;
}

/// <summary>
/// The laws of a family of components, in one of the models that hold them: a host. A family has a test class for every host: <see
/// cref="MixtureOf{TFamily}"/>, <see cref="ProductOf{TFamily}"/>.
/// </summary>
public abstract class EmissionContract<TFamily> : ComponentContract
    where TFamily : Family, new()
{
    /// <summary>The family under test.</summary>
    protected static TFamily Tested { get; } = new();

    /// <summary>Puts components into the host.</summary>
    protected abstract ComponentModel Host(Emission emission);

    /// <summary>The components in the host: the family over D features, alone or with others.</summary>
    protected virtual Emission Components(int components, int dimension) => Tested.Create(components, dimension);

    protected sealed override LatentModel Create(int components, int dimension) => Host(Components(components, dimension));

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        Tested.Rows(dimension, count, seed, missing);

    protected override Minibatch Records(Minibatch rows) => Tested.Records(rows);

    protected override double[]? ImpossibleRow(int dimension) => Tested.ImpossibleRow(dimension);

    protected override bool IsClosedWhenLabelled => !Tested.HasLatentScale;

    protected override double Noise(VectorBlock block) => Tested.Noise(block.Name[(block.Name.LastIndexOf('.') + 1)..]);

    [Fact]
    public void ImpliedStatistics_OfMassesAddedUp_AddUp()
    {
        Emission emission = Tested.Create(3, 2);
        double[] theta = new double[emission.ParameterLayout.Length];
        emission.Neutral(theta);
        emission.Reseed(theta, 1, Tested.Rows(2, 1, 18, 0).Row(0), [0.5, 2]);
        double[] Implied(params double[] masses)
        {
            double[] statistics = new double[emission.StatisticsLayout.Length];
            emission.ImpliedStatistics(masses, theta, double.PositiveInfinity, statistics);
            return statistics;
        }
        double[] sum = [.. Implied(0.2, 0, 0.1).Zip(Implied(0.1, 0.6, 0), (a, b) => a + b)];
        Near(Implied(0.3, 0.6, 0.1), sum, 1e-14);
    }

    [Fact]
    public void LogDensities_OfValuesThatAreMissing_AddNothing()
    {
        Emission emission = Tested.Create(3, 2);
        double[] theta = new double[emission.ParameterLayout.Length], joint = new double[3 * RowBlock.Stride];
        emission.Neutral(theta);
        Minibatch rows = Tested.Rows(2, 5, 19, 0);
        rows.Add([double.NaN, double.NaN]);
        var block = new RowBlock(2);
        block.Fill(rows, 0, 6);
        Array.Fill(joint, 0.75);
        emission.Prepare(theta).LogDensities(block, joint);
        for (int k = 0; k < 3; k++)
        {
            Assert.Equal(0.75, joint[k * RowBlock.Stride + 5]);
            Assert.NotEqual(0.75, joint[k * RowBlock.Stride + 2]);
        }
    }

    [Fact]
    public void Prepare_InSpentMemory_IsAsNew()
    {
        LatentModel model = Create(3, 3);
        Minibatch rows = Rows(3, 300, 20, 0.2);
        double[] theta = Theta(model, rows), other = Theta(model, Rows(3, 300, 21));
        double[] Scores(EStep eStep)
        {
            double[] logDensities = new double[rows.Count], scores = new double[rows.Count * model.ScoreLayout.Length];
            eStep.Score(rows, 0, rows.Count, logDensities, scores, eStep.CreateWorkspace());
            return [.. logDensities, .. scores];
        }
        EStep spent = model.Prepare(other);
        double[] before = Scores(spent);
        double[] expected = Scores(model.Prepare(theta));
        Assert.Equal(expected, Scores(model.Prepare(theta, spent)));
        Assert.NotEqual(before, expected);
    }
}

/// <summary>A family in a mixture.</summary>
public abstract class MixtureOf<TFamily> : EmissionContract<TFamily>
    where TFamily : Family, new()
{
    protected override LatentModelOptions Options(int components, int dimension) =>
        Hosts.Mixture(components, EmissionParts.Of(Tested.Options));

    /// <summary>
    /// Whether the statistics are the expectation parameters, so that the maximiser of averages implies just these averages.
    /// </summary>
    protected virtual bool IsMinimal => true;

    protected override ComponentModel Host(Emission emission) => new Mixture("mixture", emission);

    [Fact]
    public void StatisticsRecursion_IsTheParameterRecursionInExpectationParameters()
    {
        if (!IsMinimal) return;
        ComponentModel model = Model(3, 2);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions()), 1);
        // Inside its domain, where no bound is met.
        var state = new StepwiseState(model, Possible(model, Rows(2, 400, 24)));
        double[] Implied(double[] theta)
        {
            double[] statistics = new double[model.StatisticsLayout.Length];
            model.ImpliedStatistics(theta, double.PositiveInfinity, statistics);
            return statistics;
        }
        double[] expectations = Implied(state.Parameters), shown = new double[state.Parameters.Length], argmax = new double[shown.Length];
        double farthest = 0;
        for (int t = 1; t <= 5; t++)
        {
            Minibatch rows = Rows(2, 400, 24 + (ulong)t);
            double[] literal = [.. state.Parameters];
            model.Maximize(Averages(model, state.Parameters, rows, out _), rows.Count, state.Parameters, argmax, new ModelEvents());
            em.Update(state, rows, new double[rows.Count]);
            double gamma = state.LastStepSize;
            double[] maximum = Implied(argmax);
            for (int at = 0; at < expectations.Length; at++)
                expectations[at] = (1 - gamma) * expectations[at] + gamma * maximum[at];
            model.Maximize(expectations, new RowsWorth(1000, double.PositiveInfinity), literal, shown, new ModelEvents());
            Near(shown, state.Parameters, 1e-12);
            for (int at = 0; at < literal.Length; at++)
                farthest = Math.Max(farthest, Math.Abs((1 - gamma) * literal[at] + gamma * argmax[at] - shown[at]));
        }
        // In other coordinates it is another recursion.
        Assert.True(farthest > 1e-3, $"the two recursions differ by {farthest:R}");
    }

    [Fact]
    public void Weights_OfAComponentWithoutRows_AreZero()
    {
        ComponentModel model = Model(2, 2);
        Minibatch rows = Rows(2, 300, 8);
        double[] theta = Theta(model, rows), result = new double[theta.Length];
        for (int row = 0; row < rows.Count; row++) rows.SetLabel(row, 1);
        model.Maximize(Averages(model, theta, rows, out _), rows.Count, theta, result, new ModelEvents());
        Assert.Equal([0, 1], model.ParameterLayout["weights"].Of((ReadOnlySpan<double>)result).ToArray());
    }
}
