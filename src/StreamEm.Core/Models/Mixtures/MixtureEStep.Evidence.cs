using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>Responsibilities, what they count for, and which rows are held back.</summary>
internal sealed partial class MixtureEStep
{
    /// <summary>Responsibilities by Bayes' rule, times the rows' weights, and the evidence.</summary>
    private Evidence Normalize(RowBlock block, BlockWorkspace space)
    {
        LogSumExp.Normalize(space.LogJoint, _components, space.LogDensities, space.Entropies, block.Count);
        Evidence evidence = Weigh(block, space, space.Entropies);
        return evidence with { Entropy = Math.Max(0, evidence.Entropy) };
    }

    /// <summary>The same by any rule, of rows that may have labels.</summary>
    private Evidence Normalize(RowBlock block, BlockWorkspace space, ResponsibilityRule rule, Evidence labelled)
    {
        space.LogJoint.CopyTo(space.LogJointBefore);
        rule.Apply(space.LogJoint, _components, space.LogDensities, block.Count, space.Pass);
        return FreeEnergy.Split(labelled + Weigh(block, space, []), block.Count, space, _components, rule is SoftResponsibilities);
    }

    /// <summary>
    /// Takes out rows that say nothing or cannot be, multiplies responsibilities by the rows' weights, and sums the evidence.
    /// </summary>
    /// <param name="block">The rows.</param>
    /// <param name="space">Responsibilities and log-densities.</param>
    /// <param name="entropies">Of the responsibilities by lane; empty where they are not known.</param>
    private Evidence Weigh(RowBlock block, BlockWorkspace space, ReadOnlySpan<double> entropies)
    {
        Span<double> joint = space.LogJoint, lanes = space.LogDensities;
        for (int k = 0; k < _components && block.Count < RowBlock.Capacity; k++)
            joint.Slice(k * RowBlock.Stride + block.Count, RowBlock.Capacity - block.Count).Clear();
        foreach (int index in block.Incomplete)
        {
            if (!Prepared.SaysNothing(block.Row(index))) continue;
            lanes[index] = double.NaN;
            Multiply(joint, index, 0);
        }
        ReadOnlySpan<double> weights = block.Batch.Weights;
        InfluenceBound? bound = Prepared.MeasuredValues > 0 ? space.Pass.Bound : null;
        double far = 0, held = 0, remote = 0;
        bool anyHeld = bound is not null && HoldBack(block, space, bound, out far, out remote);
        if (!anyHeld && weights.IsEmpty && block.Batch.Labels.IsEmpty && block.Incomplete.IsEmpty
            && LaneSums.TrySumAbove(lanes[..block.Count], ImpossibleLogDensity, out double sum))
            return new Evidence(block.Count, sum)
            {
                Far = far,
                Entropy = entropies.IsEmpty ? 0 : LaneSums.Sum(entropies[..block.Count]),
            };
        bool hasLabels = !block.Batch.Labels.IsEmpty;
        double total = 0, logLikelihood = 0, entropy = 0;
        for (int i = 0; i < block.Count; i++)
        {
            if (anyHeld && bound!.IsHeld(block.First + i))
            {
                held += Drop(block, space, i, ref logLikelihood);
                continue;
            }
            if (hasLabels && !double.IsNaN(space.Marginals[i]) && !double.IsNaN(lanes[i]) && lanes[i] > ImpossibleLogDensity)
                lanes[i] = space.Marginals[i];
            if (double.IsNaN(lanes[i])) continue;
            if (!(lanes[i] > ImpossibleLogDensity))
            {
                lanes[i] = double.NegativeInfinity;
                Multiply(joint, i, 0);
                continue;
            }
            double weight = weights.IsEmpty ? 1 : weights[block.First + i];
            if (weight != 1) Multiply(joint, i, weight);
            total += weight;
            logLikelihood = Math.FusedMultiplyAdd(weight, lanes[i], logLikelihood);
            if (!entropies.IsEmpty) entropy = Math.FusedMultiplyAdd(weight, entropies[i], entropy);
        }
        return new Evidence(total, logLikelihood) { Held = held, Far = far, Remote = remote, Entropy = entropy };
    }

    /// <summary>Takes a row out that is held back: it keeps its log-density, and what its label added to the log-likelihood goes.</summary>
    /// <returns>Its weight.</returns>
    private double Drop(RowBlock block, BlockWorkspace space, int lane, ref double logLikelihood)
    {
        double weight = block.Batch.Weight(block.First + lane);
        ref double density = ref space.LogDensities[lane];
        if (!block.Batch.Labels.IsEmpty && !double.IsNaN(space.Marginals[lane]) && !double.IsNaN(density))
        {
            if (density > ImpossibleLogDensity) logLikelihood -= weight * (density - space.Marginals[lane]);
            density = space.Marginals[lane];
        }
        if (!(density > ImpossibleLogDensity)) density = double.NegativeInfinity;
        Multiply(space.LogJoint, lane, 0);
        return weight;
    }

    /// <summary>
    /// Marks the rows that are too far from every component. Nearly every row is near by its log-density alone: log p = log sum_k w_k p_k
    /// cannot be below the highest peak less c^2 / 2 unless the row is that far from each component or belongs to a wide one.
    /// </summary>
    /// <param name="block">The rows.</param>
    /// <param name="space">Responsibilities and log-densities.</param>
    /// <param name="bound">What is far.</param>
    /// <param name="far">Weight of the rows that are far, held back or not.</param>
    /// <param name="remote">Weight of those ten times as far.</param>
    /// <returns>Whether any is held back.</returns>
    private bool HoldBack(RowBlock block, BlockWorkspace space, InfluenceBound bound, out double far, out double remote)
    {
        far = remote = 0;
        Span<double> lanes = space.LogDensities;
        double complete = _peak - 0.5 * bound.Limit(Prepared.MeasuredValues);
        bool isComplete = block.Incomplete.IsEmpty;
        if (!bound.AnyHeldBefore && isComplete && LaneSums.TrySumAbove(lanes[..block.Count], complete, out _)) return false;
        bool any = false;
        int next = 0;
        for (int i = 0; i < block.Count; i++)
        {
            bool isWhole = next == block.Incomplete.Length || block.Incomplete[next] != i;
            if (!isWhole) next++;
            if (double.IsNaN(lanes[i])) continue;
            bool held = bound.AnyHeldBefore && bound.IsHeld(block.First + i);
            double square = held ? double.PositiveInfinity
                : isWhole && lanes[i] >= complete ? 0 : RelativeSquare(block, space, bound, i, isWhole);
            if (!(square > 1)) continue;
            double weight = block.Batch.Weight(block.First + i);
            far += weight;
            if (!(square > bound.Reach * bound.Reach)) continue;
            if (!held) bound.Hold(block.First + i, square);
            if (bound.IsRemote(square)) remote += weight;
            any = true;
        }
        return any;
    }

    /// <summary>d^2 / c^2 of a row from the nearest component, or any number up to 1.</summary>
    private double RelativeSquare(RowBlock block, BlockWorkspace space, InfluenceBound bound, int lane, bool isWhole)
    {
        int best = 0;
        for (int k = 1; k < _components; k++)
            if (space.LogJoint[k * RowBlock.Stride + lane] > space.LogJoint[best * RowBlock.Stride + lane]) best = k;
        if (isWhole && Gate is null)
        {
            double joint = space.LogDensities[lane] + ScalarMath.Log(space.LogJoint[best * RowBlock.Stride + lane]);
            double square = 2 * (_peaks[best] + _logWeights[best] - joint) / bound.Limit(Prepared.MeasuredValues);
            if (square <= 1) return square;
        }
        return bound.RelativeSquare(Prepared, _components, block, lane, best);
    }

    private void Multiply(Span<double> joint, int lane, double factor)
    {
        for (int k = 0; k < _components; k++)
        {
            ref double r = ref joint[k * RowBlock.Stride + lane];
            r = factor == 0 ? 0 : r * factor;
        }
    }
}
