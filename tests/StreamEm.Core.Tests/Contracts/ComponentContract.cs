using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>The laws of models with exchangeable components.</summary>
public abstract partial class ComponentContract : ModelContract
{
    /// <summary>The parameter blocks of the components, K along the first axis; tests take care that no other extent is K.</summary>
    protected virtual IEnumerable<VectorBlock> ComponentBlocks(ComponentModel model) =>
        model.ParameterLayout.Blocks
            .Where(block => block.Shape.Count > 0 && block.Shape[0] == model.Components && !model.MixingBlocks.Contains(block)
                && !IsRelative(block));

    /// <summary>Whether a block says of components only how they stand to each other: what one is given moves the others.</summary>
    protected virtual bool IsRelative(VectorBlock block) => false;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(5, 0.2)]
    public void Membership_AnyRow_SumsToOne(int dimension, double missing)
    {
        ComponentModel model = Model(3, dimension);
        Minibatch rows = Rows(dimension, 700, 1, missing);
        EStep eStep = model.Prepare(Theta(model, rows));
        int width = model.ScoreLayout.Length;
        double[] scores = new double[rows.Count * width];
        eStep.Score(rows, 0, rows.Count, new double[rows.Count], scores, eStep.CreateWorkspace());
        for (int row = 0; row < rows.Count; row++)
        {
            ReadOnlySpan<double> membership = model.ScoreLayout[model.MembershipBlock]
                .Of((ReadOnlySpan<double>)scores.AsSpan(row * width, width));
            double sum = 0;
            foreach (double probability in membership) sum += probability;
            // Three roundings of numbers at most 1.
            Assert.True(membership.Length == model.Components && Math.Abs(sum - 1) < 1e-14, $"row {row}: {sum:R}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void Masses_OfAnyRows_SumToOneAsDoShares(double missing)
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 500, 13, missing);
        double[] theta = Theta(model, rows);
        Assert.Equal(1, Masses(model, Averages(model, theta, rows, out _)).Sum(), 1e-12);
        double[] shares = new double[model.Components];
        model.Shares(theta, shares);
        Assert.Equal(1, shares.Sum(), 1e-12);
        Assert.All(shares, share => Assert.InRange(share, 0, 1));
    }

    [Fact]
    public void Labels_OfEveryRow_MakeTheMassesTheirOwn()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 400, 14);
        double[] theta = Possible(model, rows), expected = new double[model.Components];
        for (int row = 0; row < rows.Count; row++)
        {
            int label = row % 7 == 0 ? 0 : row % 3 == 0 ? 2 : 1;
            rows.SetLabel(row, label);
            expected[label] += rows.Weight(row) / rows.TotalWeight;
        }
        Near(expected, Masses(model, Averages(model, theta, rows, out _)), 1e-12);
    }

    [Fact]
    public void Labels_OfOneRow_HaveJointDensitiesThatSumToItsDensity()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 300, 15, 0.1);
        double[] theta = Possible(model, rows);
        for (int row = 0; row < 20; row++)
        {
            double sum = 0, before = double.NaN;
            for (int k = -1; k < model.Components; k++)
            {
                var one = new Minibatch(2);
                one.BeginSequence();
                one.Add(rows.Row(row), label: k, key: 0);
                double[] logDensities = new double[1];
                Sums(model, theta, one, 0, 1, logDensities, out Evidence evidence);
                if (k < 0 && double.IsNaN(before = logDensities[0])) break;
                if (k >= 0) sum += Math.Exp(evidence.LogLikelihood);
                // log p(x) does not depend on what is known of z.
                Near([before], logDensities, 1e-12);
            }
            if (!double.IsNaN(before)) Near([before], [Math.Log(sum)], 1e-12);
        }
    }

    [Fact]
    public void Evidence_WeightTwo_EqualsTheRowsTwiceLabelledOrNot()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 60, 22), doubled = new(2), twice = new(2);
        double[] theta = Possible(model, rows);
        foreach ((Minibatch result, double weight, int copies) in ((Minibatch, double, int)[])[(doubled, 2, 1), (twice, 1, 2)])
            for (int copy = 0; copy < copies; copy++)
                for (int row = 0; row < rows.Count; row++)
                {
                    if (rows.SequenceStarts.Contains(row)) result.BeginSequence();
                    result.Add(rows.Row(row), weight, label: row % 2 == 0 ? row % 3 : Minibatch.Unlabelled, key: rows.Key(row));
                }
        Sums(model, theta, doubled, 0, 60, new double[60], out Evidence weighted);
        Sums(model, theta, twice, 0, 120, new double[120], out Evidence repeated);
        Assert.Equal(repeated.Weight, weighted.Weight, 1e-12);
        Assert.Equal(repeated.LogLikelihood, weighted.LogLikelihood, 1e-10 * Math.Abs(repeated.LogLikelihood));
    }

    [Fact]
    public void Maximize_ComponentWithoutEvidence_KeepsItsParameters()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 300, 8);
        double[] theta = Theta(model, rows), result = new double[theta.Length];
        for (int row = 0; row < rows.Count; row++) rows.SetLabel(row, 1 + row % 2);
        double[] averages = Averages(model, theta, rows, out _);
        var events = new ModelEvents();
        model.Maximize(averages, rows.Count, theta, result, events);
        Assert.Contains(events.All, item => item is { Kind: ModelEventKind.NoEvidence, Component: 0 });
        Assert.NotEqual(theta, result);
        Assert.All(result, value => Assert.True(double.IsFinite(value)));
        Assert.Equal(Of(model, theta, k => k == 0), Of(model, result, k => k == 0));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 0)]
    [InlineData(1, 0.2)]
    public void Reseed_OneComponent_TouchesItAlone(int component, double missing)
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 500, 16, missing);
        var state = new StepwiseState(model, Theta(model, rows), 800);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions()), 1);
        em.Update(state, rows, new double[rows.Count], model.CreateMemory(rows.Count));
        double[] before = [.. state.Parameters], maximum = Maximum(model, state), masses = Masses(model, state.Statistics),
            shares = [.. state.Shares];

        StepwiseEm.Reseed(state, model, component, rows.Row(3));

        Near(Of(model, before, k => k != component), Of(model, state.Parameters, k => k != component), 1e-15);
        Assert.NotEqual(Of(model, before, k => k == component), Of(model, state.Parameters, k => k == component));
        double[] after = Maximum(model, state);
        Near(Of(model, maximum, k => k != component), Of(model, after, k => k != component), 1e-9);
        Near(Shared(model, maximum), Shared(model, after), 1e-9);
        Near(Of(model, state.Parameters, k => k == component), Of(model, after, k => k == component), 1e-9);
        Assert.Equal(masses.Sum(), Masses(model, state.Statistics).Sum(), 1e-12);
        Assert.Equal(masses.Sum() / model.Components, Masses(model, state.Statistics)[component], 1e-12);
        Assert.Equal(1.0 / model.Components, state.Shares[component], 1e-12);
        foreach (VectorBlock block in model.MixingBlocks)
            Assert.Equal(block.Length / model.Components, block.Of((ReadOnlySpan<double>)state.Parameters).ToArray().Sum(), 1e-12);
        int other = (component + 1) % 3, third = (component + 2) % 3;
        Assert.Equal(shares[other] / shares[third], state.Shares[other] / state.Shares[third], 1e-9);
        Assert.Equal(masses[other] / masses[third], Masses(model, state.Statistics)[other] / Masses(model, state.Statistics)[third], 1e-9);
        Assert.Contains(state.Events.All, item => item.Kind == ModelEventKind.Reseeded && item.Component == component);
    }

    [Fact]
    public void Moments_OfTheModel_AreThoseOfItsComponents()
    {
        ComponentModel model = Model(3, 2);
        double[] theta = Theta(model, Rows(2, 500, 17)), shares = new double[3];
        double[] means = new double[6], variances = new double[6], mean = new double[2], variance = new double[2];
        bool has = model.TryComponentMoments(theta, means, variances);
        Assert.Equal(has, model.TryMoments(theta, mean, variance));
        if (!has) return;
        model.Shares(theta, shares);
        double[] expected = [0, 0], squares = [0, 0];
        for (int at = 0; at < 6; at++)
        {
            expected[at % 2] += shares[at / 2] * means[at];
            squares[at % 2] += shares[at / 2] * (variances[at] + means[at] * means[at]);
        }
        Near(expected, mean, 1e-12);
        // Features that share a scale have the mean of their variances.
        Assert.Equal(squares[0] + squares[1] - expected[0] * expected[0] - expected[1] * expected[1], variance[0] + variance[1], 1e-11);
    }

    /// <summary>-sum w r log r over rows with values, of independent rows.</summary>
    private protected override double EntropyOf(LatentModel latent, double[] theta, Minibatch rows)
    {
        var model = (ComponentModel)latent;
        EStep eStep = model.Prepare(theta);
        int width = model.ScoreLayout.Length;
        double[] scores = new double[rows.Count * width], logDensities = new double[rows.Count];
        eStep.Score(rows, 0, rows.Count, logDensities, scores, eStep.CreateWorkspace());
        double entropy = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            if (!rows.Row(row).ContainsAnyExcept(double.NaN) || double.IsNaN(logDensities[row])) continue;
            foreach (double r in model.ScoreLayout[model.MembershipBlock].Of((ReadOnlySpan<double>)scores.AsSpan(row * width, width)))
                if (r > 0) entropy -= rows.Weight(row) * r * Math.Log(r);
        }
        return entropy;
    }

    /// <summary>The model under test.</summary>
    private protected ComponentModel Model(int components, int dimension) => (ComponentModel)Create(components, dimension);

    /// <summary>Fitted parameters a tenth of the way to neutral ones: every component can produce every row.</summary>
    internal static double[] Possible(ComponentModel model, Minibatch rows)
    {
        double[] theta = Theta(model, rows), neutral = new double[theta.Length];
        model.Neutral(neutral);
        return [.. theta.Zip(neutral, (fitted, plain) => 0.9 * fitted + 0.1 * plain)];
    }

    private static double[] Masses(ComponentModel model, double[] averages)
    {
        double[] masses = new double[model.Components];
        model.Masses(averages, masses);
        return masses;
    }

    private static double[] Maximum(ComponentModel model, StepwiseState state)
    {
        double[] result = new double[state.Parameters.Length];
        model.Maximize(state.Statistics, new RowsWorth(state.EffectiveRows, double.PositiveInfinity), state.Parameters, result,
            new ModelEvents());
        return result;
    }

    /// <summary>What all components have in common: a tied covariance.</summary>
    private double[] Shared(ComponentModel model, double[] theta) =>
        [.. model.ParameterLayout.Blocks.Except(ComponentBlocks(model)).Except(model.MixingBlocks).Where(block => !IsRelative(block))
            .SelectMany(block => theta.Skip(block.Offset).Take(block.Length))];

    /// <summary>The family's parameters of some components.</summary>
    private double[] Of(ComponentModel model, double[] theta, Predicate<int> which) =>
        [.. ComponentBlocks(model).SelectMany(block =>
            theta.Skip(block.Offset).Take(block.Length).Where((_, at) => which(at / (block.Length / model.Components))))];
}
