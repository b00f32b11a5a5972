using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Core.Models.Experts;

/// <summary>P(z = k given x) = softmax(V [1, x])_k, x all columns but the last, the target.</summary>
/// <param name="newton">K classes over [1, x].</param>
internal sealed class SoftmaxGate(SoftmaxNewton newton) : GateEStep
{
    private readonly int _components = newton.Classes, _inputs = newton.Size - 1;
    private readonly double[] _slopes = new double[newton.Classes * (newton.Size - 1)], _intercepts = new double[newton.Classes];

    /// <inheritdoc/>
    public override int StatisticsLength => newton.Length;

    /// <summary>Takes V [K, D + 1]; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients)
    {
        for (int k = 0; k < _components; k++)
        {
            _intercepts[k] = coefficients[k * newton.Size];
            coefficients.Slice(k * newton.Size + 1, _inputs).CopyTo(_slopes.AsSpan(k * _inputs));
        }
    }

    /// <inheritdoc/>
    /// <remarks>A missing feature is taken to be at the origin, the mean of standardised ones.</remarks>
    public override void LogWeights(RowBlock block, Span<double> logWeights)
    {
        Span<double> work = block.Scratch((_components + 1) * RowBlock.Stride);
        LogWeights(block, logWeights, work);
    }

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int stride = RowBlock.Stride, columns = newton.Size * stride, all = _components * stride;
        Span<double> scratch = block.Scratch(columns + 2 * all + 2 * stride + newton.ScratchLength);
        Span<double> design = scratch[..columns], probabilities = scratch.Slice(columns, all),
            work = scratch.Slice(columns + all, all + stride);
        Span<double> weights = scratch.Slice(columns + 2 * all + stride, stride), rest = scratch[(columns + 2 * all + 2 * stride)..];
        design[..stride].Fill(1);
        block.Columns[..(_inputs * stride)].CopyTo(design[stride..]);
        LogWeights(block, probabilities, work);
        // What is left in the work is the softmax itself.
        work[..all].CopyTo(probabilities);
        weights.Clear();
        for (int k = 0; k < _components; k++)
            for (int i = 0; i < block.Count; i++) weights[i] += responsibilities[k * stride + i];
        newton.Accumulate(design, weights, responsibilities, probabilities, rest, statistics);
    }

    /// <summary>Writes log-probabilities, and the probabilities to the work.</summary>
    private void LogWeights(RowBlock block, Span<double> logWeights, Span<double> work)
    {
        int stride = RowBlock.Stride, all = _components * stride;
        Span<double> logits = logWeights[..all], softmax = work[..all], sums = work.Slice(all, stride);
        logits.Clear();
        LinearForms.Add(block.Columns[..(_inputs * stride)], _inputs, _components, _slopes, _intercepts, logits, block.Count);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            for (int k = 0; k < _components; k++)
            {
                double logit = _intercepts[k];
                for (int d = 0; d < _inputs; d++)
                    if (!double.IsNaN(row[d])) logit = Math.FusedMultiplyAdd(_slopes[k * _inputs + d], row[d], logit);
                logits[k * stride + index] = logit;
            }
        }
        logits.CopyTo(softmax);
        LogSumExp.Normalize(softmax, _components, sums, block.Count);
        for (int k = 0; k < _components; k++)
            for (int i = 0; i < block.Count; i++) logits[k * stride + i] -= sums[i];
    }
}
