using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of Gaussian components with matrix covariances, one each or one for all (tied). Complete rows go through the lane kernels;
/// a row with missing values through its pattern's conditional distribution.
/// </summary>
internal sealed class FullGaussianEStep : EmissionEStep
{
    private static readonly double LogTwoPi = ScalarMath.Log(2 * Math.PI);
    private readonly int _components, _dimension;
    private readonly bool _tied;
    private readonly double[] _factors, _biases, _constants;
    private readonly Func<ComponentLanes> _makeLanes;
    private ComponentLanes? _lanes;
    private readonly MissingPatterns _patterns;
    private readonly Func<GaussianScreen> _makeScreen;
    private ReadOnlyMemory<double> _means, _covariances;
    private GaussianScreen? _screen;
    private bool _isScreenSet;
    private object? _screenLock;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public FullGaussianEStep(int components, int dimension, bool tied)
    {
        (_components, _dimension, _tied) = (components, dimension, tied);
        _factors = new double[components * Packed.Length(dimension)];
        _biases = new double[components * dimension];
        _constants = new double[components];
        _makeLanes = () => ComponentLanes.Triangular(_components, _dimension, _factors, _biases, _constants);
        _patterns = new MissingPatterns(components, dimension, tied);
        _makeScreen = () =>
            (_screen ?? new GaussianScreen(_components, _dimension)).Set(_means.Span, _covariances.Span, _tied);
    }

    /// <summary>Takes parameters, which must stay as they are; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlyMemory<double> means, ReadOnlyMemory<double> covariances)
    {
        (_lanes, _isScreenSet, _means, _covariances) = (null, false, means, covariances);
        _patterns.Set(means, covariances);
        int packed = Packed.Length(_dimension), matrix = _dimension * _dimension;
        for (int k = 0; k < _components; k++)
        {
            Span<double> factor = _factors.AsSpan(k * packed, packed);
            if (_tied && k > 0)
            {
                _factors.AsSpan(0, packed).CopyTo(factor);
                _constants[k] = _constants[0];
            }
            else
            {
                double logDeterminant =
                    SymmetricMatrix.InverseFactor(covariances.Span.Slice(_tied ? 0 : k * matrix, matrix), _dimension, k, factor);
                _constants[k] = -0.5 * _dimension * LogTwoPi - logDeterminant;
            }
            ReadOnlySpan<double> mean = means.Span.Slice(k * _dimension, _dimension);
            for (int i = 0, at = 0; i < _dimension; i++)
            {
                double bias = 0;
                for (int j = 0; j <= i; j++) bias = Math.FusedMultiplyAdd(factor[at++], mean[j], bias);
                _biases[k * _dimension + i] = bias;
            }
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<int> incomplete = block.Incomplete;
        ReadOnlySpan<double> kept = IncompleteLanes.Keep(block, logJoint, _components);
        QuadraticForms.AddTriangular(block.Columns, _dimension, _components, _factors, _biases, _constants, logJoint, block.Count);
        for (int at = 0; at < incomplete.Length; at++)
        {
            ReadOnlySpan<double> row = block.Row(incomplete[at]);
            MissingPattern pattern = _patterns.Rent(row);
            for (int k = 0; k < _components; k++)
                logJoint[k * RowBlock.Stride + incomplete[at]] = kept[at * _components + k] + pattern.LogDensity(row, k);
            _patterns.Return(pattern);
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        LazyInitializer.EnsureInitialized(ref _lanes, _makeLanes).Sum(row, logWeights, logJoint);
        return true;
    }

    internal override bool TryAddBounds(RowBlock block, Span<double> logJoint)
    {
        if (!GaussianScreen.Pays(_components, _dimension)) return false;
        LazyInitializer.EnsureInitialized(ref _screen!, ref _isScreenSet, ref _screenLock, _makeScreen)
            .AddBounds(block, _constants, logJoint);
        return true;
    }

    internal override void AddLogDensities(RowBlock block, int component, ReadOnlySpan<int> lanes, Span<double> logJoint)
    {
        int packed = Packed.Length(_dimension);
        QuadraticForms.AddTriangular(
            ActiveLanes.Gather(block.Rows, lanes, _dimension), _dimension, 1, _factors.AsSpan(component * packed, packed),
            _biases.AsSpan(component * _dimension, _dimension), _constants.AsSpan(component, 1), logJoint, lanes.Length);
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        if (row.IsEmpty)
        {
            for (int k = 0; k < _components; k++) spreads[k] = new LogDensitySpread(_constants[k], 0.5 * _dimension, 0.5 * _dimension);
            return;
        }
        MissingPattern pattern = _patterns.Rent(row);
        for (int k = 0; k < _components; k++) spreads[k] = pattern.Spread(k);
        _patterns.Return(pattern);
    }

    public override int MeasuredValues => _dimension;

    public override void AddPeaks(Span<double> peaks) => Interpolation.Add(peaks[.._components], _constants);

    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        ReadOnlySpan<double> row = block.Row(index);
        if (row.Contains(double.NaN))
        {
            MissingPattern pattern = _patterns.Rent(row);
            MeasuredDistance distance = pattern.Distance(row, component);
            _patterns.Return(pattern);
            return distance;
        }
        ReadOnlySpan<double> factor = _factors.AsSpan(component * Packed.Length(_dimension), Packed.Length(_dimension));
        double squares = 0;
        for (int i = 0, at = 0; i < _dimension; i++)
        {
            double y = -_biases[component * _dimension + i];
            for (int j = 0; j <= i; j++) y = Math.FusedMultiplyAdd(factor[at++], row[j], y);
            squares = Math.FusedMultiplyAdd(y, y, squares);
        }
        return new MeasuredDistance(squares, _dimension);
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int moments = _components * _dimension;
        Span<double> first = statistics[..moments], second = statistics[moments..];
        if (_tied)
        {
            WeightedSums.AddFirstMoments(block.Columns, _dimension, responsibilities, _components, first);
            Span<double> total = stackalloc double[RowBlock.Stride];
            total.Clear();
            for (int k = 0; k < _components; k++)
                Interpolation.Add(total[..RowBlock.Capacity], responsibilities.Slice(k * RowBlock.Stride, RowBlock.Capacity));
            WeightedSums.AddOuterProducts(block.Columns, _dimension, total, 1, second);
        }
        else if (block.Incomplete.IsEmpty
            && SparseWeightedSums.Pays(responsibilities, _components, _dimension, block.Count, SparseWeightedSums.Threshold))
        {
            SparseWeightedSums.AddMomentsAndOuterProducts(
                block.Rows, block.Count, _dimension, responsibilities, _components, SparseWeightedSums.Threshold, first, second);
        }
        else
        {
            WeightedSums.AddMomentsAndOuterProducts(block.Columns, _dimension, responsibilities, _components, first, second, block.Count);
        }
        if (block.Incomplete.Length == 0) return;
        int packed = Packed.Length(_dimension);
        Span<double> expected = block.Scratch(_dimension);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            MissingPattern pattern = _patterns.Rent(row);
            for (int k = 0; k < _components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index];
                if (r > 0)
                    pattern.AddMoments(row, k, r, r, expected, first.Slice(k * _dimension, _dimension),
                        second.Slice(_tied ? 0 : k * packed, packed));
            }
            _patterns.Return(pattern);
        }
    }
}
