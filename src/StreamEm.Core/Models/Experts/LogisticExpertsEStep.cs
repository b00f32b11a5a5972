using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Experts;

/// <summary>The E-step of experts that classify. A row that lacks its class or a feature says nothing.</summary>
internal sealed class LogisticExpertsEStep(int components, SoftmaxNewton newton) : EmissionEStep
{
    private readonly int _inputs = newton.Size - 1, _classes = newton.Classes;
    private readonly double[] _slopes = new double[components * newton.Classes * (newton.Size - 1)];
    private readonly double[] _intercepts = new double[components * newton.Classes];

    /// <summary>Takes U [K, C, D + 1]; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients)
    {
        for (int at = 0; at < _intercepts.Length; at++)
        {
            _intercepts[at] = coefficients[at * newton.Size];
            coefficients.Slice(at * newton.Size + 1, _inputs).CopyTo(_slopes.AsSpan(at * _inputs));
        }
    }

    /// <inheritdoc/>
    public override bool SaysNothing(ReadOnlySpan<double> row) => row.Contains(double.NaN);

    /// <inheritdoc/>
    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        int stride = RowBlock.Stride, all = _classes * stride;
        Span<double> scratch = block.Scratch(2 * all + stride);
        Span<double> logits = scratch[..all], softmax = scratch.Slice(all, all), sums = scratch.Slice(2 * all, stride);
        ReadOnlySpan<int> incomplete = block.Incomplete;
        ReadOnlySpan<double> targets = block.Columns.Slice(_inputs * stride, stride);
        for (int k = 0; k < components; k++)
        {
            Classify(block, k, logits, softmax, sums);
            for (int i = 0, next = 0; i < block.Count; i++)
            {
                if (next < incomplete.Length && incomplete[next] == i)
                {
                    next++;
                    continue;
                }
                logJoint[k * stride + i] += logits[(int)targets[i] * stride + i] - sums[i];
            }
        }
    }

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int stride = RowBlock.Stride, all = _classes * stride, columns = newton.Size * stride;
        Span<double> scratch = block.Scratch(columns + 3 * all + stride + newton.ScratchLength);
        Span<double> design = scratch[..columns], logits = scratch.Slice(columns, all), softmax = scratch.Slice(columns + all, all),
            targets = scratch.Slice(columns + 2 * all, all), sums = scratch.Slice(columns + 3 * all, stride),
            rest = scratch[(columns + 3 * all + stride)..];
        design[..stride].Fill(1);
        block.Columns[..(_inputs * stride)].CopyTo(design[stride..]);
        ReadOnlySpan<double> classes = block.Columns.Slice(_inputs * stride, stride);
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> weights = responsibilities.Slice(k * stride, stride);
            Classify(block, k, logits, softmax, sums);
            targets.Clear();
            for (int i = 0; i < block.Count; i++) targets[(int)classes[i] * stride + i] = weights[i];
            newton.Accumulate(design, weights, targets, softmax, rest, statistics.Slice(k * newton.Length, newton.Length));
        }
    }

    /// <inheritdoc/>
    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        Span<double> logits = _classes <= 64 ? stackalloc double[_classes] : new double[_classes];
        for (int i = 0; i < block.Count; i++)
        {
            ReadOnlySpan<double> row = block.Row(i);
            Span<double> of = scores.Slice(i * width, _classes);
            if (row[.._inputs].Contains(double.NaN))
            {
                of.Fill(double.NaN);
                continue;
            }
            of.Clear();
            for (int k = 0; k < components; k++)
            {
                double max = double.NegativeInfinity, sum = 0;
                for (int c = 0; c < _classes; c++)
                {
                    double logit = _intercepts[k * _classes + c];
                    for (int d = 0; d < _inputs; d++)
                        logit = Math.FusedMultiplyAdd(_slopes[(k * _classes + c) * _inputs + d], row[d], logit);
                    logits[c] = logit;
                    max = Math.Max(max, logit);
                }
                foreach (ref double logit in logits) sum += logit = ScalarMath.Exp(logit - max);
                double share = responsibilities[k * RowBlock.Stride + i] / sum;
                for (int c = 0; c < _classes; c++) of[c] = Math.FusedMultiplyAdd(share, logits[c], of[c]);
            }
        }
    }

    /// <summary>An expert's log-odds of the classes, their softmax, and the log of the sum of their exponentials.</summary>
    private void Classify(RowBlock block, int expert, Span<double> logits, Span<double> softmax, Span<double> sums)
    {
        logits.Clear();
        LinearForms.Add(
            block.Columns[..(_inputs * RowBlock.Stride)], _inputs, _classes,
            _slopes.AsSpan(expert * _classes * _inputs, _classes * _inputs),
            _intercepts.AsSpan(expert * _classes, _classes), logits, block.Count);
        logits.CopyTo(softmax);
        LogSumExp.Normalize(softmax, _classes, sums, block.Count);
    }
}
