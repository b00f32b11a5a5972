using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Experts;

/// <summary>The E-step of linear experts. A row that lacks its target or a feature says nothing.</summary>
internal sealed class LinearExpertsEStep(int components, int dimension) : EmissionEStep
{
    private readonly int _inputs = dimension - 1;
    private readonly double[] _slopes = new double[components * (dimension - 1)], _intercepts = new double[components];
    private readonly double[] _variances = new double[components], _constants = new double[components];

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> coefficients, ReadOnlySpan<double> variances)
    {
        for (int k = 0; k < components; k++)
        {
            _intercepts[k] = coefficients[k * dimension];
            coefficients.Slice(k * dimension + 1, _inputs).CopyTo(_slopes.AsSpan(k * _inputs));
            _variances[k] = variances[k];
            _constants[k] = -0.5 * ScalarMath.Log(variances[k]) - ScalarMath.HalfLogTwoPi;
        }
    }

    /// <inheritdoc/>
    public override int MeasuredValues => 1;

    /// <inheritdoc/>
    public override bool SaysNothing(ReadOnlySpan<double> row) => row.Contains(double.NaN);

    /// <inheritdoc/>
    public override void AddPeaks(Span<double> peaks) => Interpolation.Add(peaks[..components], _constants);

    /// <inheritdoc/>
    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        Span<double> means = block.Scratch(components * RowBlock.Stride);
        means[..(components * RowBlock.Stride)].Clear();
        LinearForms.Add(
            block.Columns[..(_inputs * RowBlock.Stride)], _inputs, components, _slopes, _intercepts, means, block.Count);
        ReadOnlySpan<double> targets = block.Columns.Slice(_inputs * RowBlock.Stride, RowBlock.Stride);
        ReadOnlySpan<int> incomplete = block.Incomplete;
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> mean = means.Slice(k * RowBlock.Stride, RowBlock.Stride);
            Span<double> joint = logJoint.Slice(k * RowBlock.Stride, RowBlock.Stride);
            double half = -0.5 / _variances[k], constant = _constants[k];
            for (int i = 0, next = 0; i < block.Count; i++)
            {
                if (next < incomplete.Length && incomplete[next] == i)
                {
                    next++;
                    continue;
                }
                double off = targets[i] - mean[i];
                joint[i] += Math.FusedMultiplyAdd(half * off, off, constant);
            }
        }
    }

    /// <inheritdoc/>
    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        ReadOnlySpan<double> row = block.Row(index);
        if (SaysNothing(row)) return default;
        double off = row[_inputs] - Mean(row, component);
        return new MeasuredDistance(off * off / _variances[component], 1);
    }

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int columns = dimension + 1;
        Span<double> design = block.Scratch(columns * RowBlock.Stride)[..(columns * RowBlock.Stride)];
        design[..RowBlock.Stride].Fill(1);
        block.Columns.CopyTo(design[RowBlock.Stride..]);
        WeightedSums.AddOuterProducts(design, columns, responsibilities, components, statistics, block.Count);
    }

    /// <inheritdoc/>
    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        Span<double> weights = components <= 64 ? stackalloc double[components] : new double[components];
        Span<double> means = components <= 64 ? stackalloc double[components] : new double[components];
        for (int i = 0; i < block.Count; i++)
        {
            ReadOnlySpan<double> row = block.Row(i);
            Span<double> of = scores.Slice(i * width, NormalMixture.LengthOf(components));
            if (row[.._inputs].Contains(double.NaN))
            {
                of.Fill(double.NaN);
                continue;
            }
            for (int k = 0; k < components; k++)
                (weights[k], means[k]) = (responsibilities[k * RowBlock.Stride + i], Mean(row, k));
            NormalMixture.Describe(weights, means, _variances, of);
        }
    }

    /// <summary>E[y given x, z = k].</summary>
    private double Mean(ReadOnlySpan<double> row, int component)
    {
        double mean = _intercepts[component];
        for (int d = 0; d < _inputs; d++) mean = Math.FusedMultiplyAdd(_slopes[component * _inputs + d], row[d], mean);
        return mean;
    }
}
