using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>What a state counts, how it goes on from another, and what no update can leave behind.</summary>
public sealed class StepwiseCountsTests
{
    private static readonly Mixture Model = Gaussians.Model(3, 2);

    [Fact]
    public void ShareOf_LighterThanTheAverageBefore_IsItsPart()
    {
        StepwiseState state = Start();

        Assert.Equal(1, Taken(40));
        Assert.Equal(1, Taken(80));
        Assert.Equal(0.5, Taken(30));
        Assert.Equal(0.2, Taken(10), 1e-15);
        Assert.Equal(160, state.Weight);

        double Taken(double weight)
        {
            double share = state.ShareOf(weight, isWeighted: false);
            state.Updates++;
            return share;
        }
    }

    [Fact]
    public void ShareOf_NoWeightSoFar_IsTheWholeStep()
    {
        StepwiseState state = Start();
        state.ShareOf(0, isWeighted: true);
        state.Updates++;

        Assert.Equal(1, state.ShareOf(10, isWeighted: true));
    }

    /// <summary>A state of before weights were kept: it had minibatches like this one, or as many rows as it counted.</summary>
    [Theory]
    [InlineData(true, 40, 1)]
    [InlineData(true, 80, 1)]
    [InlineData(false, 100, 1)]
    [InlineData(false, 25, 0.25)]
    public void ShareOf_WeightNotKnown_IsThatOfMinibatchesLikeTheOnesBefore(bool isWeighted, double weight, double share)
    {
        StepwiseState state = Start();
        (state.Updates, state.Begun, state.Rows, state.RowsBegun, state.Weight) = (9, 5, 650, 250, double.NaN);

        Assert.Equal(share, state.ShareOf(weight, isWeighted));
        Assert.Equal((isWeighted ? 4 * weight : 400) + weight, state.Weight);
    }

    [Fact]
    public void SkipUnlearned_Rows_AreSeenBeforeTheParametersAndNotLearnedFrom()
    {
        StepwiseState state = Start();
        (state.Rows, state.RowsBegun, state.Unlearned) = (10, 4, 2);

        state.SkipUnlearned(7);

        Assert.Equal((17L, 11L, 9L), (state.Rows, state.RowsBegun, state.Unlearned));
    }

    [Fact]
    public void GoOnFrom_LaterState_IsOneUpdateAfterItWithItsOwnStepSize()
    {
        StepwiseState state = Start(), later = Counted();
        (state.Updates, state.Begun, state.Rows, state.RowsBegun, state.BarrenUpdates) = (6, 2, 60, 15, 1);

        Assert.Equal(later.Updates + 1 - 6, state.GoOnFrom(later));

        Assert.Equal((later.Updates + 1, later.Rows), (state.Updates, state.Rows));
        Assert.Equal((4L, 45L), (state.Updates - state.Begun, state.Rows - state.RowsBegun));
        Assert.Equal((later.Unlearned, later.Bounded, 0), (state.Unlearned, state.Bounded, state.BarrenUpdates));
    }

    [Fact]
    public void GoOnFrom_StateThatSawFewerRows_BeganAtNoneBelowNothing()
    {
        StepwiseState state = Start(), later = Start();
        (state.Rows, state.RowsBegun, later.Rows) = (100, 20, 50);

        state.GoOnFrom(later);

        Assert.Equal((50L, 0L), (state.Rows, state.RowsBegun));
    }

    [Fact]
    public void ContinueFrom_State_HasItsCountsAndTheFirstStepSize()
    {
        StepwiseState state = Start(), other = Counted();

        state.ContinueFrom(other);

        Assert.Equal((other.Updates, other.Rows, other.Unlearned, other.Bounded),
            (state.Updates, state.Rows, state.Unlearned, state.Bounded));
        Assert.Equal((other.Updates, other.Rows, 0.0), (state.Begun, state.RowsBegun, state.Weight));
    }

    [Fact]
    public void TakeCounts_OfAState_TakesEveryCountAndNoParameter()
    {
        StepwiseState state = Start(), other = Counted();
        double[] parameters = [.. state.Parameters];

        state.TakeCounts(other);

        Assert.Equal((other.Updates, other.Rows, other.Weight, other.Unlearned, other.Bounded),
            (state.Updates, state.Rows, state.Weight, state.Unlearned, state.Bounded));
        Assert.Equal((other.Begun, other.RowsBegun, other.BarrenUpdates, other.EffectiveRows, other.LastStepSize),
            (state.Begun, state.RowsBegun, state.BarrenUpdates, state.EffectiveRows, state.LastStepSize));
        Assert.Equal(parameters, state.Parameters);
    }

    [Fact]
    public void Load_StateOfARelease_ThatKeptNoWeights_DoesNotKnowThem()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        StepwiseState state = Counted();
        foreach (double[] part in (double[][])[state.Parameters, state.Statistics, state.Shares]) writer.WriteDoubles(part);
        writer.Write(7L);
        writer.Write(70L);
        writer.Write(2);
        writer.Write(500.0);
        writer.Write(0.25);
        state.Events.Save(writer);
        stream.Position = 0;

        StepwiseState loaded = StepwiseState.Load(new BinaryReader(stream), Model, isCurrent: false);

        Assert.Equal((7L, 70L, double.NaN, 0L, 2, 0.25),
            (loaded.Updates, loaded.Rows, loaded.Weight, loaded.Begun, loaded.BarrenUpdates, loaded.LastStepSize));
        loaded.Check();
    }

    [Fact]
    public void Check_WhatAnUpdateCanLeave_IsFine()
    {
        Start().Check();
        Counted().Check();
        StepwiseState edge = Start();
        (edge.Updates, edge.Begun, edge.Rows, edge.RowsBegun, edge.Unlearned, edge.Bounded) = (3, 3, 5, 5, 5, 5);
        (edge.LastStepSize, edge.Weight) = (1, 0);
        (edge.Shares[0], edge.Shares[1], edge.Shares[2]) = (-1e-9, 1 + 1e-9, 0);
        edge.Check();
        (edge.LastStepSize, edge.Weight) = (0, double.NaN);
        edge.Check();
    }

    [Fact]
    public void Check_WhatNoUpdateCanLeave_IsRefusedWithItsReason()
    {
        const string counts = "counts of updates and rows are below 0", unlearned = "more rows were not learned from than came",
            begun = "the parameters began after the last update", share = "a component's share is not in [0, 1]",
            step = "the step size is not in [0, 1]", effective = "the number of effective rows is not above 0";
        (Action<StepwiseState> Damage, string Reason)[] damages =
        [
            (state => (state.Updates, state.Begun) = (-1, -1), counts),
            (state => (state.Rows, state.RowsBegun, state.Unlearned, state.Bounded) = (-1, -1, -1, -1), counts),
            (state => state.BarrenUpdates = -1, counts),
            (state => (state.Unlearned, state.Bounded) = (-1, -1), unlearned),
            (state => state.Unlearned = state.Rows + 1, unlearned),
            (state => state.Bounded = -1, unlearned),
            (state => state.Bounded = state.Unlearned + 1, unlearned),
            (state => state.Begun = -1, begun),
            (state => state.Begun = state.Updates + 1, begun),
            (state => state.RowsBegun = -1, begun),
            (state => state.RowsBegun = state.Rows + 1, begun),
            (state => state.Weight = -1, "the sum of the weights is below 0"),
            (state => state.EffectiveRows = 0, effective),
            (state => state.EffectiveRows = double.NaN, effective),
            (state => state.LastStepSize = -0.1, step),
            (state => state.LastStepSize = 1.1, step),
            (state => state.LastStepSize = double.NaN, step),
            (state => state.Statistics[4] = double.NaN, "a statistic is not finite"),
            (state => state.Shares[1] = -1e-8, share),
            (state => state.Shares[1] = 1 + 1e-8, share),
            (state => state.Shares[1] = double.NaN, share),
        ];
        foreach ((Action<StepwiseState> damage, string reason) in damages)
        {
            StepwiseState state = Counted();
            damage(state);
            Assert.Equal($"The state is damaged: {reason}.", Assert.Throws<InvalidDataException>(state.Check).Message);
        }
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(0, 1, 0)]
    [InlineData(0, 0, 1)]
    public void Of_AnyPartOfAnotherLength_IsRefused(int parameters, int statistics, int shares)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(
            () => StepwiseState.Of(Model, new double[21 + parameters], new double[18 + statistics], new double[3 + shares]));

        Assert.Equal($"The state has {21 + parameters} parameters, {18 + statistics} statistics and {3 + shares} shares; the model has 21, "
            + "18 and 3.", refusal.Message);
    }

    private static StepwiseState Start() => new(Model, Gaussians.Three.Start(1).Flatten(Model), 500);

    private static StepwiseState Counted()
    {
        StepwiseState state = Start();
        (state.Updates, state.Rows, state.Unlearned, state.Bounded) = (40, 4000, 30, 20);
        (state.Begun, state.RowsBegun, state.BarrenUpdates) = (5, 450, 2);
        (state.EffectiveRows, state.LastStepSize, state.Weight) = (700, 0.125, 3970);
        return state;
    }
}
