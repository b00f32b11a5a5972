using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>Takes the vectors of a model over to the same model with another number of components.</summary>
/// <param name="before">The model there is.</param>
/// <param name="after">The model there shall be.</param>
/// <param name="sources">For every component of it, the components it comes from.</param>
/// <param name="share">How much of them it gets [K]: 1, or a half of one that is split.</param>
internal sealed class Carry(ComponentModel before, ComponentModel after, int[][] sources, double[] share)
{
    /// <summary>
    /// Averages, which add up over components: an entry is the sum over where its components come from, times their shares.
    /// </summary>
    public double[] Statistics(ReadOnlySpan<double> from)
    {
        double[] result = new double[after.StatisticsLayout.Length];
        foreach ((VectorBlock old, VectorBlock block) in before.StatisticsLayout.Blocks.Zip(after.StatisticsLayout.Blocks))
            for (int at = 0; at < block.Length; at++) result[block.Offset + at] = Sum(from, old, block, at);
        return result;
    }

    /// <summary>
    /// Parameters: an entry is that of the first component it comes from; probabilities of components add up where they are of several, are
    /// shared out where one is split, and a row of them is the mean of the rows it comes from.
    /// </summary>
    /// <param name="from">The parameters there are.</param>
    /// <param name="shares">The share of the stream of every component there is.</param>
    public double[] Parameters(ReadOnlySpan<double> from, double[] shares)
    {
        double[] result = new double[after.ParameterLayout.Length];
        var mixing = before.MixingBlocks.Select(block => block.Name).ToHashSet(StringComparer.Ordinal);
        foreach ((VectorBlock old, VectorBlock block) in before.ParameterLayout.Blocks.Zip(after.ParameterLayout.Blocks))
            for (int at = 0; at < block.Length; at++)
                result[block.Offset + at] = mixing.Contains(block.Name)
                    ? Mixed(from, old, block, at, shares)
                    : from[old.Offset + First(old, block, at)];
        return result;
    }

    /// <summary>Copies what is of one component, or of all together.</summary>
    public void TakeMerged(double[] from, double[] to, int component)
    {
        var mixing = after.MixingBlocks.Select(block => block.Name).ToHashSet(StringComparer.Ordinal);
        foreach ((VectorBlock old, VectorBlock block) in before.ParameterLayout.Blocks.Zip(after.ParameterLayout.Blocks))
        {
            if (mixing.Contains(block.Name)) continue;
            for (int at = 0; at < block.Length; at++)
                if (IsOfOneOrAll(old, block, at, component)) to[block.Offset + at] = from[block.Offset + at];
        }
    }

    /// <summary>A state of the new model where the old one stood.</summary>
    public StepwiseState State(StepwiseState state, double[] parameters, double[] statistics)
    {
        double[] shares = [.. sources.Select((from, i) => share[i] * from.Sum(source => state.Shares[source]))];
        StepwiseState result = StepwiseState.Of(after, parameters, statistics, shares);
        result.TakeCounts(state);
        return result;
    }

    private double Sum(ReadOnlySpan<double> from, VectorBlock old, VectorBlock block, int at)
    {
        Span<int> index = stackalloc int[block.Shape.Count];
        Unravel(block, at, index);
        double sum = 0, factor = 1;
        for (int axis = 0; axis < index.Length; axis++)
            if (IsOfComponents(old, block, axis)) factor *= share[index[axis]];
        foreach (int entry in Entries(old, block, index)) sum += from[old.Offset + entry];
        return factor * sum;
    }

    private double Mixed(ReadOnlySpan<double> from, VectorBlock old, VectorBlock block, int at, double[] shares)
    {
        Span<int> index = stackalloc int[block.Shape.Count];
        Unravel(block, at, index);
        double sum = 0, weights = 0;
        int last = index[^1], rows = old.Shape[^1];
        // Row 0 stands for all where there is one: weights, first states.
        int[] froms = index.Length > 1 ? sources[index[0]] : [0];
        foreach (int row in froms)
        {
            double weight = index.Length > 1 ? Math.Max(shares[row], double.Epsilon) : 1, entry = 0;
            foreach (int to in sources[last]) entry += from[old.Offset + row * rows + to];
            (sum, weights) = (sum + weight * entry, weights + weight);
        }
        return share[last] * sum / weights;
    }

    /// <summary>Whether an entry is of a component, or of no component in particular.</summary>
    private static bool IsOfOneOrAll(VectorBlock old, VectorBlock block, int at, int component)
    {
        bool isShared = true, isOfIt = false;
        Span<int> index = stackalloc int[block.Shape.Count];
        Unravel(block, at, index);
        for (int axis = 0; axis < index.Length; axis++)
        {
            if (!IsOfComponents(old, block, axis)) continue;
            isShared = false;
            isOfIt |= index[axis] == component;
        }
        return isShared || isOfIt;
    }

    private int First(VectorBlock old, VectorBlock block, int at)
    {
        Span<int> index = stackalloc int[block.Shape.Count];
        Unravel(block, at, index);
        return Entries(old, block, index)[0];
    }

    /// <summary>Where the entries are that an entry comes from.</summary>
    private List<int> Entries(VectorBlock old, VectorBlock block, ReadOnlySpan<int> index)
    {
        List<int> entries = [0];
        for (int axis = 0; axis < index.Length; axis++)
        {
            int[] from = IsOfComponents(old, block, axis) ? sources[index[axis]] : [index[axis]];
            int extent = old.Shape[axis];
            entries = [.. entries.SelectMany(entry => from.Select(source => entry * extent + source))];
        }
        return entries;
    }

    private static bool IsOfComponents(VectorBlock old, VectorBlock block, int axis) => old.Shape[axis] != block.Shape[axis];

    private static void Unravel(VectorBlock block, int at, Span<int> index)
    {
        for (int axis = index.Length - 1; axis >= 0; at /= block.Shape[axis--]) index[axis] = at % block.Shape[axis];
    }
}
