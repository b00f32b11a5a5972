using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// Log joint densities of those components alone that can have a share in a row. Every component is bounded from above at a fraction of the
/// price of its density; the one with the highest bound is computed, and of the others those whose bound is not far below that. What is
/// left out has less than <see cref="Negligible"/> of the share of the row's best component, each.
/// </summary>
internal static class ActiveComponents
{
    /// <summary>Shares below this part of the best one are as good as none; sums of statistics leave the same out.</summary>
    public const double Negligible = SparseWeightedSums.DefaultThreshold;

    /// <summary>Above this part of all densities putting rows together costs more than it saves.</summary>
    private const double MaxShare = 0.25;

    private static readonly double Margin = -ScalarMath.Log(Negligible);

    /// <summary>Writes the log joint densities of a block's rows, negative infinity for the components left out.</summary>
    /// <param name="emission">The components.</param>
    /// <param name="block">The rows.</param>
    /// <param name="logWeights">[K].</param>
    /// <param name="space">Its <see cref="BlockWorkspace.LogJoint"/> and <see cref="BlockWorkspace.LogJointBefore"/> are overwritten.
    /// </param>
    /// <returns>How many densities were computed; -1, with nothing of use written, where all would have to be.</returns>
    public static int TryJoint(EmissionEStep emission, RowBlock block, ReadOnlySpan<double> logWeights, BlockWorkspace space)
    {
        if (!block.Incomplete.IsEmpty) return -1;
        int components = space.OfRow.Length;
        Span<double> bounds = space.LogJointBefore, joint = space.LogJoint;
        for (int k = 0; k < components; k++) bounds.Slice(k * RowBlock.Stride, RowBlock.Stride).Fill(logWeights[k]);
        if (!emission.TryAddBounds(block, bounds)) return -1;

        Span<int> best = stackalloc int[RowBlock.Capacity], lanes = stackalloc int[RowBlock.Capacity];
        Span<double> limits = stackalloc double[RowBlock.Capacity];
        ActiveLanes.Best(bounds, components, best);
        joint[..(components * RowBlock.Stride)].Fill(double.NegativeInfinity);
        int computed = ComputeBest(emission, block, logWeights, joint, best, lanes);
        limits.Fill(double.PositiveInfinity);
        for (int i = 0; i < block.Count; i++)
        {
            limits[i] = joint[best[i] * RowBlock.Stride + i] - Margin;
            bounds[best[i] * RowBlock.Stride + i] = double.NegativeInfinity;
        }

        int left = ActiveLanes.CountAbove(bounds, components, limits);
        if (computed + left > MaxShare * block.Count * components) return -1;
        for (int k = 0; k < components; k++)
        {
            int count = ActiveLanes.WriteAbove(bounds.Slice(k * RowBlock.Stride, RowBlock.Capacity), limits, lanes);
            Compute(emission, block, k, logWeights[k], lanes[..count], joint);
        }
        return computed + left;
    }

    /// <summary>The component with the highest bound of every row: rows put in order of theirs.</summary>
    private static int ComputeBest(
        EmissionEStep emission, RowBlock block, ReadOnlySpan<double> logWeights, Span<double> joint, ReadOnlySpan<int> best,
        Span<int> lanes)
    {
        Span<int> ordered = stackalloc int[block.Count], keys = stackalloc int[block.Count];
        for (int i = 0; i < block.Count; i++) (keys[i], ordered[i]) = (best[i] * RowBlock.Capacity + i, i);
        keys.Sort(ordered);
        for (int first = 0, next; first < block.Count; first = next)
        {
            int k = best[ordered[first]];
            for (next = first; next < block.Count && best[ordered[next]] == k; next++) lanes[next - first] = ordered[next];
            Compute(emission, block, k, logWeights[k], lanes[..(next - first)], joint);
        }
        return block.Count;
    }

    private static void Compute(
        EmissionEStep emission, RowBlock block, int component, double logWeight, ReadOnlySpan<int> lanes, Span<double> joint)
    {
        if (lanes.IsEmpty) return;
        Span<double> own = stackalloc double[RowBlock.Stride];
        own.Fill(logWeight);
        emission.AddLogDensities(block, component, lanes, own);
        for (int at = 0; at < lanes.Length; at++) joint[component * RowBlock.Stride + lanes[at]] = own[at];
    }
}
