using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>
/// Gives a model that has learned more or fewer components, one at a time: the widest is split in two, the two closest become one, the
/// others keep what they have learned. Knows no model: the axes of a block that are of components are those whose extents follow their
/// number. Statistics add up over components; parameters are copied, but for probabilities of components, which are shared out.
/// </summary>
public static class ComponentChange
{
    /// <summary>Whether two models differ in the number of their components alone.</summary>
    public static bool IsPossible(LatentModel before, LatentModel after) =>
        before is ComponentModel { Classes.Count: 0 } one && after is ComponentModel other && one.Components != other.Components
        && Follow(one.ParameterLayout, other.ParameterLayout, one.Components, other.Components)
        && Follow(one.StatisticsLayout, other.StatisticsLayout, one.Components, other.Components);

    /// <summary>The state with one component more: the one that spreads most of the stream is split.</summary>
    /// <param name="before">The model of the state.</param>
    /// <param name="after">The model with one component more.</param>
    /// <param name="state">Where the model stands.</param>
    /// <param name="widest">The component that was split; its other half is the last.</param>
    internal static StepwiseState Split(ComponentModel before, ComponentModel after, StepwiseState state, out int widest)
    {
        double[] units = Units(before, state.Parameters);
        widest = Widest(before, state, units);
        int k = before.Components;
        int[][] sources = [.. Enumerable.Range(0, k).Select(i => new[] { i }), [widest]];
        double[] share = new double[k + 1];
        Array.Fill(share, 1);
        share[widest] = share[k] = 0.5;
        var carry = new Carry(before, after, sources, share);
        double[] parameters = carry.Parameters(state.Parameters, state.Shares), statistics = carry.Statistics(state.Statistics);
        double[] implied = new double[statistics.Length], moved = new double[statistics.Length];
        after.ImpliedStatistics(parameters, double.PositiveInfinity, implied);
        after.Split(parameters, widest, k, units);
        after.ImpliedStatistics(parameters, double.PositiveInfinity, moved);
        // The running averages follow the parameters as far as these were moved; sums over all components are of the data and stay.
        foreach ((VectorBlock block, VectorBlock old) in after.StatisticsLayout.Blocks.Zip(before.StatisticsLayout.Blocks))
            if (!block.Shape.SequenceEqual(old.Shape))
                for (int at = block.Offset; at < block.Offset + block.Length; at++) statistics[at] += moved[at] - implied[at];
        return carry.State(state, parameters, statistics);
    }

    /// <summary>The state with one component less: the two whose merging costs least become one, of their common moments.</summary>
    /// <param name="before">The model of the state.</param>
    /// <param name="after">The model with one component less.</param>
    /// <param name="state">Where the model stands.</param>
    /// <param name="kept">The heavier of the two, which the one that remains is.</param>
    /// <param name="gone">The lighter.</param>
    internal static StepwiseState Merge(ComponentModel before, ComponentModel after, StepwiseState state, out int kept, out int gone) =>
        Merge(before, after, state, Closest(before, state), out kept, out gone);

    /// <summary>The state with one component less: two of them become one, of their common moments.</summary>
    /// <param name="before">The model of the state.</param>
    /// <param name="after">The model with one component less.</param>
    /// <param name="state">Where the model stands.</param>
    /// <param name="pair">The two.</param>
    /// <param name="kept">The heavier of the two, which the one that remains is.</param>
    /// <param name="gone">The lighter.</param>
    internal static StepwiseState Merge(
        ComponentModel before, ComponentModel after, StepwiseState state, (int One, int Other) pair, out int kept, out int gone)
    {
        (int one, int other) = pair;
        (kept, gone) = state.Shares[one] >= state.Shares[other] ? (one, other) : (other, one);
        int stays = kept, goes = gone;
        int[][] sources = [.. Enumerable.Range(0, before.Components).Where(i => i != goes)
            .Select(i => i == stays ? new[] { stays, goes } : [i])];
        double[] share = new double[after.Components];
        Array.Fill(share, 1);
        var carry = new Carry(before, after, sources, share);
        double[] parameters = carry.Parameters(state.Parameters, state.Shares), implied = new double[before.StatisticsLayout.Length];
        before.ImpliedStatistics(state.Parameters, double.PositiveInfinity, implied);
        double[] joined = new double[parameters.Length];
        after.Maximize(carry.Statistics(implied), double.PositiveInfinity, parameters, joined, new ModelEvents());
        carry.TakeMerged(joined, parameters, Array.FindIndex(sources, from => from.Length == 2));
        return carry.State(state, parameters, carry.Statistics(state.Statistics));
    }

    /// <summary>The state with one component more, the last, which has no weight yet and is otherwise like the first.</summary>
    /// <param name="before">The model of the state.</param>
    /// <param name="after">The model with one component more.</param>
    /// <param name="state">Where the model stands.</param>
    internal static StepwiseState AddEmpty(ComponentModel before, ComponentModel after, StepwiseState state)
    {
        double[] share = new double[after.Components];
        share.AsSpan(..before.Components).Fill(1);
        var carry = new Carry(before, after, [.. Enumerable.Range(0, before.Components).Select(k => new[] { k }), [0]], share);
        return carry.State(state, carry.Parameters(state.Parameters, state.Shares), carry.Statistics(state.Statistics));
    }

    /// <summary>The model with one component less and all else the same; null where there is none.</summary>
    internal static ComponentModel? WithOneLess(LatentModelOptions options, ComponentModel model, FeatureSpace space)
    {
        if (model.Components < 2) return null;
        return options.WithComponents(model.Components - 1).Create(space) is ComponentModel less
            && less.Components == model.Components - 1 && IsPossible(model, less) ? less : null;
    }

    private static bool Follow(VectorLayout one, VectorLayout other, int k, int changed) => one.Blocks.Count == other.Blocks.Count
        && one.Blocks.Zip(other.Blocks).All(pair => pair.First.Name == pair.Second.Name
            && pair.First.Shape.Count == pair.Second.Shape.Count && pair.First.Domain == pair.Second.Domain
            && (pair.First.Features ?? []).SequenceEqual(pair.Second.Features ?? [])
            && pair.First.Shape.Zip(pair.Second.Shape).All(extent =>
                extent.First == extent.Second || (extent.First == k && extent.Second == changed)));

    /// <summary>
    /// What counts as narrow in every feature [D]: the geometric mean of the components' standard deviations, so that one that is wide
    /// where the others are not is seen to be; 1 where the family has none.
    /// </summary>
    internal static double[] Units(ComponentModel model, double[] parameters)
    {
        double[] units = new double[model.Dimension];
        double[] means = new double[model.Components * model.Dimension], variances = new double[means.Length];
        if (model.TryComponentMoments(parameters, means, variances))
            for (int at = 0; at < variances.Length; at++)
                units[at % units.Length] += ScalarMath.Log(Math.Max(variances[at], 1e-100)) / (2 * model.Components);
        for (int d = 0; d < units.Length; d++) units[d] = ScalarMath.Exp(units[d]);
        return units;
    }

    /// <summary>The component with the largest share of the variance within components; of the stream where the family has none.</summary>
    private static int Widest(ComponentModel model, StepwiseState state, double[] units)
    {
        double[] spread = [.. state.Shares];
        double[] means = new double[model.Components * model.Dimension], variances = new double[means.Length];
        if (!model.TryComponentMoments(state.Parameters, means, variances)) return Array.IndexOf(spread, spread.Max());
        for (int k = 0; k < spread.Length; k++)
        {
            double width = 0;
            for (int d = 0; d < units.Length; d++) width += variances[k * units.Length + d] / (units[d] * units[d]);
            spread[k] *= width;
        }
        return Array.IndexOf(spread, spread.Max());
    }

    /// <summary>
    /// The pair whose merging adds least to the variance within components (Ward 1963): s_i s_j / (s_i + s_j) times the squared distance of
    /// their means, each feature in units of its variance within.
    /// </summary>
    private static (int One, int Other) Closest(ComponentModel model, StepwiseState state)
    {
        int d = model.Dimension;
        double[] means = new double[model.Components * d], variances = new double[means.Length];
        if (!model.TryComponentMoments(state.Parameters, means, variances)) (means, variances, d) = Places(model, state);
        (int, int) closest = (0, 1);
        double least = double.PositiveInfinity;
        for (int i = 0; i < model.Components; i++)
            for (int j = i + 1; j < model.Components; j++)
            {
                double distance = 0;
                for (int f = 0; f < d; f++)
                {
                    double difference = means[i * d + f] - means[j * d + f], width = variances[i * d + f] + variances[j * d + f];
                    distance += difference * difference / Math.Max(width, 1e-12);
                }
                double both = state.Shares[i] + state.Shares[j];
                double cost = both > 0 ? state.Shares[i] * state.Shares[j] / both * distance : 0;
                if (cost < least) (closest, least) = ((i, j), cost);
            }
        return closest;
    }

    /// <summary>Where components are in a family without moments: their own parameters, all of one width.</summary>
    private static (double[] Places, double[] Widths, int Dimension) Places(ComponentModel model, StepwiseState state)
    {
        int k = model.Components;
        VectorBlock[] own = [.. model.ParameterLayout.Blocks
            .Where(block => block.Shape.Count > 1 && block.Shape[0] == k && !model.MixingBlocks.Any(mixing => mixing.Name == block.Name))];
        int d = own.Sum(block => block.Length / k);
        double[] places = new double[k * d], widths = new double[k * d];
        Array.Fill(widths, 1);
        for (int i = 0, at = 0; i < k; i++)
            foreach (VectorBlock block in own)
            {
                block.Of((ReadOnlySpan<double>)state.Parameters).Slice(i * (block.Length / k), block.Length / k).CopyTo(places.AsSpan(at));
                at += block.Length / k;
            }
        return (places, widths, d);
    }
}
