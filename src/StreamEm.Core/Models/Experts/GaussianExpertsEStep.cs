using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models.Experts;

/// <summary>The E-step of experts that know their features: that of the normal distribution of (x, y), and predictions of y.</summary>
internal sealed class GaussianExpertsEStep : EmissionEStep
{
    private readonly int _components, _dimension;
    private readonly int[] _inputs;
    private readonly FullGaussianEStep _all, _ofInputs;
    private readonly MissingPatterns _patterns;
    private readonly double[] _joint, _inputMeans, _inputCovariances;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public GaussianExpertsEStep(FullGaussian joint)
    {
        (_components, _dimension) = (joint.Components, joint.Dimension);
        _inputs = [.. Enumerable.Range(0, _dimension - 1)];
        _all = new FullGaussianEStep(_components, _dimension, tied: false);
        _ofInputs = new FullGaussianEStep(_components, _dimension - 1, tied: false);
        _patterns = new MissingPatterns(_components, _dimension, tied: false);
        _joint = new double[joint.ParameterLayout.Length];
        _inputMeans = new double[_components * _inputs.Length];
        _inputCovariances = new double[_inputMeans.Length * _inputs.Length];
    }

    /// <summary>Means and covariances of (x, y), to be written before <see cref="Set"/>.</summary>
    public Span<double> Parameters => _joint;

    /// <summary>Takes what was written; from here on immutable until it is spent.</summary>
    public void Set()
    {
        int means = _components * _dimension, size = _dimension * _dimension, inputs = _inputs.Length;
        ReadOnlyMemory<double> mean = _joint.AsMemory(0, means), covariance = _joint.AsMemory(means);
        for (int k = 0; k < _components; k++)
            for (int i = 0; i < inputs; i++)
            {
                _inputMeans[k * inputs + i] = _joint[k * _dimension + i];
                _joint.AsSpan(means + k * size + i * _dimension, inputs).CopyTo(_inputCovariances.AsSpan((k * inputs + i) * inputs));
            }
        _all.Set(mean, covariance);
        _ofInputs.Set(_inputMeans, _inputCovariances);
        _patterns.Set(mean, covariance);
    }

    /// <inheritdoc/>
    public override int MeasuredValues => _dimension;

    /// <inheritdoc/>
    public override void LogDensities(RowBlock block, Span<double> logJoint) => _all.LogDensities(block, logJoint);

    /// <inheritdoc/>
    public override void InputLogDensities(RowBlock block, Span<double> logJoint) =>
        _ofInputs.LogDensities(block.Select(0, _inputs), logJoint);

    /// <inheritdoc/>
    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _all.Spread(row, spreads);

    /// <inheritdoc/>
    public override void AddPeaks(Span<double> peaks) => _all.AddPeaks(peaks);

    /// <inheritdoc/>
    public override MeasuredDistance Distance(RowBlock block, int index, int component) => _all.Distance(block, index, component);

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics) =>
        _all.Accumulate(block, responsibilities, statistics);

    /// <inheritdoc/>
    /// <remarks>By what is observed of the features: the target's conditional distribution under every expert.</remarks>
    public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
        int packed = Packed.Length(_dimension);
        Span<double> scratch = block.Scratch(3 * _dimension + packed + 3 * _components);
        Span<double> row = scratch[.._dimension], expected = scratch.Slice(_dimension, _dimension),
            first = scratch.Slice(2 * _dimension, _dimension), second = scratch.Slice(3 * _dimension, packed);
        Span<double> weights = scratch.Slice(3 * _dimension + packed, _components),
            means = scratch.Slice(3 * _dimension + packed + _components, _components),
            variances = scratch.Slice(3 * _dimension + packed + 2 * _components, _components);
        for (int i = 0; i < block.Count; i++)
        {
            block.Row(i).CopyTo(row);
            row[^1] = double.NaN;
            MissingPattern pattern = _patterns.Rent(row);
            for (int k = 0; k < _components; k++)
            {
                first.Clear();
                second.Clear();
                // With no weight on the means the second moment is the conditional covariance alone.
                pattern.AddMoments(row, k, 0, 1, expected, first, second);
                (weights[k], means[k], variances[k]) = (responsibilities[k * RowBlock.Stride + i], expected[^1], second[packed - 1]);
            }
            _patterns.Return(pattern);
            NormalMixture.Describe(weights, means, variances, scores.Slice(i * width, NormalMixture.LengthOf(_components)));
        }
    }
}
