using System.Globalization;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The E-step of Gaussian components with independent features; incomplete rows are summed over their observed features.</summary>
internal sealed class DiagonalGaussianEStep : EmissionEStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);
    private readonly int _components, _dimension;
    private readonly double[] _factors, _biases, _constants;
    private readonly Func<ComponentLanes> _makeLanes;
    private ComponentLanes? _lanes;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public DiagonalGaussianEStep(int components, int dimension)
    {
        (_components, _dimension) = (components, dimension);
        _factors = new double[components * dimension];
        _biases = new double[components * dimension];
        _constants = new double[components];
        _makeLanes = () => ComponentLanes.Diagonal(_components, _dimension, _factors, _biases, _constants);
    }

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        _lanes = null;
        Array.Clear(_constants);
        for (int at = 0; at < _factors.Length; at++)
        {
            if (!(variances[at] > 0)) throw NotPositive(variances[at], FormattableString.Invariant($", feature {at % _dimension}"), at);
            _factors[at] = 1 / Math.Sqrt(variances[at]);
            _biases[at] = _factors[at] * means[at];
            _constants[at / _dimension] += Constant(at);
        }
    }

    /// <summary>The same of components with one variance each.</summary>
    /// <param name="means">K x D.</param>
    /// <param name="variances">K.</param>
    public void SetSpheres(ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        _lanes = null;
        Array.Clear(_constants);
        for (int k = 0, at = 0; k < _components; k++)
        {
            if (!(variances[k] > 0)) throw NotPositive(variances[k], "", at);
            double factor = 1 / Math.Sqrt(variances[k]);
            _factors.AsSpan(at, _dimension).Fill(factor);
            double constant = Constant(at);
            for (int d = 0; d < _dimension; d++, at++)
            {
                _biases[at] = factor * means[at];
                _constants[k] += constant;
            }
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<double> kept = IncompleteLanes.Keep(block, logJoint, _components);
        QuadraticForms.AddDiagonal(block.Columns, _dimension, _components, _factors, _biases, _constants, logJoint, block.Count);
        SetIncomplete(block, kept, logJoint);
    }

    /// <summary>Gives the rows with missing values their own log-densities.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="kept">What their lanes held before a kernel added to them.</param>
    /// <param name="logJoint">K x Stride; overwritten in these lanes.</param>
    internal void SetIncomplete(RowBlock block, ReadOnlySpan<double> kept, Span<double> logJoint)
    {
        ReadOnlySpan<int> incomplete = block.Incomplete;
        for (int at = 0; at < incomplete.Length; at++)
        {
            ReadOnlySpan<double> row = block.Row(incomplete[at]);
            for (int k = 0; k < _components; k++)
                logJoint[k * RowBlock.Stride + incomplete[at]] = kept[at * _components + k] + LogDensity(row, k);
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        LazyInitializer.EnsureInitialized(ref _lanes, _makeLanes).Sum(row, logWeights, logJoint);
        return true;
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        for (int k = 0; k < _components; k++)
        {
            double peak = 0;
            int observed = 0;
            for (int d = 0; d < _dimension; d++)
            {
                if (!row.IsEmpty && double.IsNaN(row[d])) continue;
                peak += Constant(k * _dimension + d);
                observed++;
            }
            spreads[k] = new LogDensitySpread(peak, 0.5 * observed, 0.5 * observed);
        }
    }

    public override int MeasuredValues => _dimension;

    public override void AddPeaks(Span<double> peaks) => Interpolation.Add(peaks[.._components], _constants);

    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        ReadOnlySpan<double> row = block.Row(index);
        double squares = 0;
        int values = 0;
        for (int d = 0, at = component * _dimension; d < _dimension; d++, at++)
        {
            if (double.IsNaN(row[d])) continue;
            double y = Math.FusedMultiplyAdd(_factors[at], row[d], -_biases[at]);
            squares = Math.FusedMultiplyAdd(y, y, squares);
            values++;
        }
        return new MeasuredDistance(squares, values);
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int length = _components * _dimension;
        Span<double> observed = statistics[..length], first = statistics.Slice(length, length),
            second = statistics.Slice(2 * length, length);
        WeightedSums.AddMomentsAndSquares(block.Columns, _dimension, responsibilities, _components, first, second, block.Count);
        ObservedMasses.AddComplete(block, responsibilities, _components, observed);
        ObservedMasses.AddIncomplete(block, responsibilities, _components, observed, first, second);
    }

    private ArithmeticException NotPositive(double variance, string feature, int at) => new(string.Create(CultureInfo.InvariantCulture,
        $"Variance of component {at / _dimension}{feature} is {variance:R}. Increase reg_covar or lower components."));

    private double Constant(int at) => ScalarMath.Log(_factors[at]) - 0.5 * LogTwoPi;

    /// <summary>log p of the observed features; 0 when there are none.</summary>
    private double LogDensity(ReadOnlySpan<double> row, int k)
    {
        double sum = 0;
        for (int d = 0, at = k * _dimension; d < _dimension; d++, at++)
        {
            if (double.IsNaN(row[d])) continue;
            double y = Math.FusedMultiplyAdd(_factors[at], row[d], -_biases[at]);
            sum += Constant(at) - 0.5 * y * y;
        }
        return sum;
    }
}
