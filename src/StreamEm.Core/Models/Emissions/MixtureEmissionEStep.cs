using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of components that are mixtures: log p(x given z = k) = log sum_m exp(log w_km + log p_km(x)). The family works on a
/// selection of the block, so that memory of the two is apart.
/// </summary>
internal sealed class MixtureEmissionEStep : EmissionEStep
{
    /// <summary>The smallest weight whose logarithm is taken.</summary>
    private const double Least = 1e-300;

    private readonly int _components, _each;
    private readonly int[] _features;
    private readonly double[] _weights, _logWeights;
    private EmissionEStep? _inner;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public MixtureEmissionEStep(int components, int each, int dimension)
    {
        (_components, _each) = (components, each);
        _features = [.. Enumerable.Range(0, dimension)];
        (_weights, _logWeights) = (new double[components * each], new double[components * each]);
    }

    /// <summary>The family's E-step; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Inner => _inner;

    private EmissionEStep Prepared => _inner ?? throw new InvalidOperationException("The E-step has no parameters yet.");

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> weights, EmissionEStep inner)
    {
        weights.CopyTo(_weights);
        for (int at = 0; at < weights.Length; at++) _logWeights[at] = ScalarMath.Log(Math.Max(weights[at], Least));
        _inner = inner;
    }

    /// <inheritdoc/>
    public override int MeasuredValues => Prepared.MeasuredValues;

    /// <inheritdoc/>
    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        Span<double> inner = Joint(block);
        for (int k = 0; k < _components; k++)
            for (int i = 0; i < block.Count; i++)
            {
                double max = double.NegativeInfinity, sum = 0;
                for (int m = k * _each; m < (k + 1) * _each; m++) max = Math.Max(max, inner[m * RowBlock.Stride + i]);
                for (int m = k * _each; m < (k + 1) * _each && double.IsFinite(max); m++)
                    sum += ScalarMath.Exp(inner[m * RowBlock.Stride + i] - max);
                logJoint[k * RowBlock.Stride + i] += double.IsFinite(max) ? max + ScalarMath.Log(sum) : max;
            }
    }

    /// <inheritdoc/>
    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        Span<double> inner = Joint(block);
        for (int k = 0; k < _components; k++)
            for (int i = 0; i < RowBlock.Stride; i++)
            {
                double own = i < block.Count ? responsibilities[k * RowBlock.Stride + i] : 0, max = double.NegativeInfinity, sum = 0;
                for (int m = k * _each; m < (k + 1) * _each && own > 0; m++) max = Math.Max(max, inner[m * RowBlock.Stride + i]);
                bool isPossible = own > 0 && double.IsFinite(max);
                for (int m = k * _each; m < (k + 1) * _each; m++)
                {
                    ref double share = ref inner[m * RowBlock.Stride + i];
                    sum += share = isPossible ? ScalarMath.Exp(share - max) : 0;
                }
                for (int m = k * _each; m < (k + 1) * _each && isPossible; m++) inner[m * RowBlock.Stride + i] *= own / sum;
            }
        WeightedSums.AddMasses(inner, _components * _each, statistics[..(_components * _each)], block.Count);
        Prepared.Accumulate(block.Select(0, _features), inner, statistics[(_components * _each)..]);
    }

    /// <inheritdoc/>
    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        RowBlock inner = block.Select(0, _features);
        MeasuredDistance least = Prepared.Distance(inner, index, component * _each);
        for (int m = 1; m < _each; m++)
        {
            MeasuredDistance distance = Prepared.Distance(inner, index, component * _each + m);
            if (distance.Square < least.Square) least = distance;
        }
        return least;
    }

    /// <inheritdoc/>
    public override void AddPeaks(Span<double> peaks)
    {
        Span<double> inner = _weights.Length <= 256 ? stackalloc double[_weights.Length] : new double[_weights.Length];
        inner.Clear();
        Prepared.AddPeaks(inner);
        for (int k = 0; k < _components; k++)
        {
            double peak = double.NegativeInfinity;
            for (int m = k * _each; m < (k + 1) * _each; m++) peak = Math.Max(peak, inner[m]);
            peaks[k] += peak;
        }
    }

    /// <inheritdoc/>
    /// <remarks>That of the heaviest component, its log-density less what its weight takes off.</remarks>
    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        Span<LogDensitySpread> inner =
            _weights.Length <= 64 ? stackalloc LogDensitySpread[_weights.Length] : new LogDensitySpread[_weights.Length];
        Prepared.Spread(row, inner);
        for (int k = 0; k < _components; k++)
        {
            int heaviest = k * _each;
            for (int m = heaviest + 1; m < (k + 1) * _each; m++)
                if (_weights[m] > _weights[heaviest]) heaviest = m;
            spreads[k] = inner[heaviest] with { Peak = inner[heaviest].Peak + _logWeights[heaviest] };
        }
    }

    /// <summary>log w_km + log p_km(x) of every component and lane.</summary>
    private Span<double> Joint(RowBlock block)
    {
        Span<double> inner = block.Scratch(_components * _each * RowBlock.Stride);
        for (int m = 0; m < _logWeights.Length; m++) inner.Slice(m * RowBlock.Stride, RowBlock.Stride).Fill(_logWeights[m]);
        Prepared.LogDensities(block.Select(0, _features), inner);
        return inner;
    }
}
