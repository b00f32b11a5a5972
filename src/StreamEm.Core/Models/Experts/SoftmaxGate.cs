using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Core.Models.Experts;

/// <summary>log P(z = k given x) of a <see cref="SoftmaxTree"/>, x all columns but the last, the target.</summary>
/// <param name="tree">Its nodes, over [1, x].</param>
internal sealed class SoftmaxGate(SoftmaxTree tree) : GateEStep
{
    private readonly int _outputs = tree.Nodes * tree.Branches, _inputs = tree.Newton.Size - 1;
    private readonly double[] _slopes = new double[tree.Nodes * tree.Branches * (tree.Newton.Size - 1)],
        _intercepts = new double[tree.Nodes * tree.Branches];

    private int Branches => tree.Branches;

    /// <inheritdoc/>
    public override int StatisticsLength => tree.StatisticsLength;

    /// <summary>Takes V of every node; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients)
    {
        int size = tree.Newton.Size;
        for (int k = 0; k < _outputs; k++)
        {
            _intercepts[k] = coefficients[k * size];
            coefficients.Slice(k * size + 1, _inputs).CopyTo(_slopes.AsSpan(k * _inputs));
        }
    }

    /// <inheritdoc/>
    /// <remarks>A missing feature is taken to be at the origin, the mean of standardised ones.</remarks>
    public override void LogWeights(RowBlock block, Span<double> logWeights)
    {
        int stride = RowBlock.Stride, all = _outputs * stride;
        if (tree.Depth == 1)
        {
            Span<double> work = block.Scratch(all + stride);
            LogProbabilities(block, logWeights, work[..all], work[all..]);
            return;
        }
        Span<double> scratch = block.Scratch(2 * all + stride);
        LogProbabilities(block, scratch[..all], scratch.Slice(all, all), scratch[(2 * all)..]);
        for (int k = 0; k < tree.Leaves; k++)
            for (int i = 0; i < block.Count; i++)
                logWeights[k * stride + i] = scratch[k / Branches * stride + i] + scratch[(Branches + k) * stride + i];
    }

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int stride = RowBlock.Stride, columns = tree.Newton.Size * stride, all = _outputs * stride, each = Branches * stride;
        Span<double> scratch = block.Scratch(columns + 2 * all + 2 * stride + tree.Newton.ScratchLength);
        Span<double> design = scratch[..columns], probabilities = scratch.Slice(columns, all), logs = scratch.Slice(columns + all, all);
        Span<double> weights = scratch.Slice(columns + 2 * all, stride), sums = scratch.Slice(columns + 2 * all + stride, stride);
        design[..stride].Fill(1);
        block.Columns[..(_inputs * stride)].CopyTo(design[stride..]);
        LogProbabilities(block, logs, probabilities, sums);
        Span<double> targets = logs[..each], rest = scratch[(columns + 2 * all + 2 * stride)..];
        if (tree.Depth == 1) responsibilities[..each].CopyTo(targets);
        else Join(responsibilities, targets, block.Count);
        weights.Clear();
        for (int k = 0; k < Branches; k++)
            for (int i = 0; i < block.Count; i++) weights[i] += targets[k * stride + i];
        tree.Newton.Accumulate(design, weights, targets, probabilities[..each], rest, statistics);
        for (int node = 1; node < tree.Nodes; node++)
            tree.Newton.Accumulate(design, targets.Slice((node - 1) * stride, stride), responsibilities.Slice((node - 1) * each, each),
                probabilities.Slice(node * each, each), rest, statistics[(node * tree.Newton.Length)..]);
    }

    /// <summary>Overwrites lanes by the sums of the responsibilities under every branch of the root.</summary>
    private void Join(ReadOnlySpan<double> responsibilities, Span<double> branches, int count)
    {
        int stride = RowBlock.Stride;
        branches.Clear();
        for (int k = 0; k < tree.Leaves; k++)
            for (int i = 0; i < count; i++) branches[k / Branches * stride + i] += responsibilities[k * stride + i];
    }

    /// <summary>Of every branch of every node, the logarithm of its probability in the node, and the probability.</summary>
    private void LogProbabilities(RowBlock block, Span<double> logits, Span<double> softmax, Span<double> sums)
    {
        int stride = RowBlock.Stride, each = Branches * stride;
        logits = logits[..(_outputs * stride)];
        logits.Clear();
        LinearForms.Add(block.Columns[..(_inputs * stride)], _inputs, _outputs, _slopes, _intercepts, logits, block.Count);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            for (int k = 0; k < _outputs; k++)
            {
                double logit = _intercepts[k];
                for (int d = 0; d < _inputs; d++)
                    if (!double.IsNaN(row[d])) logit = Math.FusedMultiplyAdd(_slopes[k * _inputs + d], row[d], logit);
                logits[k * stride + index] = logit;
            }
        }
        logits.CopyTo(softmax);
        for (int node = 0; node < tree.Nodes; node++)
        {
            LogSumExp.Normalize(softmax.Slice(node * each, each), Branches, sums, block.Count);
            for (int k = node * Branches; k < (node + 1) * Branches; k++)
                for (int i = 0; i < block.Count; i++) logits[k * stride + i] -= sums[i];
        }
    }
}
