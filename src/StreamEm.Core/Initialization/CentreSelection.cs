using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Initialization;

/// <summary>
/// Chooses K centres among rows: k-means++ (Arthur &amp; Vassilvitskii 2007, in its greedy form: of 2 + log K draws the one that leaves the
/// smallest sum of distances), farthest point (Gonzalez 1985), random from data. A row counts as its weight says; one of weight 0 is never
/// a centre.
/// </summary>
internal static class CentreSelection
{
    /// <summary>
    /// K centres of D values, row-major. A component with rows labelled so, or more probably so than not, starts at their mean; the others
    /// by <paramref name="method"/>.
    /// Missing values of a chosen row are 0, the mean of standardised features.
    /// </summary>
    public static double[] Choose(InitializationMethod method, Minibatch batch, int components, SplitMix64 chance)
    {
        int dimension = batch.Dimension;
        double[] centres = new double[components * dimension];
        bool[] taken = LabelMeans(batch, components, centres);
        double[] nearest = new double[batch.Count];
        Array.Fill(nearest, double.PositiveInfinity);
        for (int k = 0; k < components; k++)
            if (taken[k]) Narrow(batch, centres.AsSpan(k * dimension, dimension), nearest);
        bool any = taken.Contains(true);
        for (int k = 0; k < components; k++)
        {
            if (taken[k]) continue;
            int row = method switch
            {
                InitializationMethod.KMeansPlusPlus when any => Greedy(batch, nearest, 2 + (int)ScalarMath.Log(components), chance),
                InitializationMethod.FarthestPoint when any => Farthest(batch, nearest),
                _ => Proportional(batch, [], chance),
            };
            Span<double> centre = centres.AsSpan(k * dimension, dimension);
            for (int d = 0; d < dimension; d++) centre[d] = double.IsNaN(batch.Row(row)[d]) ? 0 : batch.Row(row)[d];
            Narrow(batch, centre, nearest);
            any = true;
        }
        return centres;
    }

    private static bool[] LabelMeans(Minibatch batch, int components, double[] centres)
    {
        bool[] taken = new bool[components];
        if (batch.Labels.IsEmpty) return taken;
        int dimension = batch.Dimension;
        double[] counts = new double[centres.Length];
        for (int row = 0; row < batch.Count; row++)
        {
            int label = Certain(batch, row);
            if (label == Minibatch.Unlabelled) continue;
            taken[label] |= batch.Weight(row) > 0;
            for (int d = 0; d < dimension; d++)
            {
                double value = batch.Row(row)[d];
                if (double.IsNaN(value)) continue;
                centres[label * dimension + d] += batch.Weight(row) * value;
                counts[label * dimension + d] += batch.Weight(row);
            }
        }
        for (int at = 0; at < centres.Length; at++)
            if (counts[at] > 0) centres[at] /= counts[at];
        return taken;
    }

    /// <summary>The component that a label says, or has more than half of the probability by it.</summary>
    private static int Certain(Minibatch batch, int row)
    {
        ReadOnlySpan<double> says = batch.Evidence(row);
        if (says.IsEmpty) return batch.Label(row);
        double total = 0;
        int most = 0;
        for (int k = 0; k < says.Length; k++)
        {
            total += says[k];
            if (says[k] > says[most]) most = k;
        }
        return 2 * says[most] > total ? most : Minibatch.Unlabelled;
    }

    private static void Narrow(Minibatch batch, ReadOnlySpan<double> centre, double[] nearest)
    {
        for (int row = 0; row < nearest.Length; row++) nearest[row] = Math.Min(nearest[row], Distances.Partial(batch.Row(row), centre));
    }

    private static int Greedy(Minibatch batch, double[] nearest, int draws, SplitMix64 chance)
    {
        int best = -1;
        double bestLeft = double.PositiveInfinity;
        for (int draw = 0; draw < draws; draw++)
        {
            int candidate = Proportional(batch, nearest, chance);
            double left = 0;
            for (int row = 0; row < nearest.Length; row++)
                left += batch.Weight(row) * Math.Min(nearest[row], Distances.Partial(batch.Row(row), batch.Row(candidate)));
            if (best < 0 || left < bestLeft) (best, bestLeft) = (candidate, left);
        }
        return best;
    }

    /// <summary>A row drawn in proportion to its weight times its distance from the nearest centre, if there are any.</summary>
    private static int Proportional(Minibatch batch, ReadOnlySpan<double> nearest, SplitMix64 chance)
    {
        double total = 0;
        for (int row = 0; row < nearest.Length; row++) total += batch.Weight(row) * nearest[row];
        bool byDistance = total > 0;
        if (!byDistance)
        {
            if (batch.Weights.IsEmpty) return chance.NextInt32(batch.Count);
            total = batch.TotalWeight;
        }
        double target = chance.NextDouble() * total;
        int last = 0;
        for (int row = 0; row < batch.Count; row++)
        {
            double part = batch.Weight(row) * (byDistance ? nearest[row] : 1);
            if (!(part > 0)) continue;
            target -= part;
            last = row;
            if (target < 0) break;
        }
        return last;
    }

    private static int Farthest(Minibatch batch, double[] nearest)
    {
        int farthest = -1;
        for (int row = 0; row < nearest.Length; row++)
            if (batch.Weight(row) > 0 && (farthest < 0 || nearest[row] > nearest[farthest])) farthest = row;
        return Math.Max(0, farthest);
    }
}
