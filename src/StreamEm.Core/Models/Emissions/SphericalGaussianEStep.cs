using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of spherical components, as matrix products: log p(x) = c + w . x + h |x|^2 with w = mu / sigma^2, h = -1 / (2 sigma^2), and
/// sums of r x and r |x|^2. A difference of squares forgets some 2^-52 |mu|^2 / sigma^2 of a log-density; where that is more than
/// <see cref="Furthest"/> allows, the squares of differences are summed, as those of independent features are, at twice the price.
/// </summary>
internal sealed class SphericalGaussianEStep : EmissionEStep
{
    /// <summary>|mu|^2 / sigma^2 up to which products are taken: an error of some 1e-10 in a log-density.</summary>
    internal const double Furthest = 1e5;

    private readonly int _components, _dimension;
    private readonly double[] _slopes, _curvatures, _constants;
    private readonly DiagonalGaussianEStep _diagonal;
    private readonly Func<LinearLanes> _makeLanes;
    private LinearLanes? _lanes;
    private bool _isProduct;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public SphericalGaussianEStep(int components, int dimension)
    {
        (_components, _dimension) = (components, dimension);
        _slopes = new double[components * dimension];
        _curvatures = new double[components];
        _constants = new double[components];
        _diagonal = new DiagonalGaussianEStep(components, dimension);
        _makeLanes = () => new LinearLanes(_components, _dimension, _slopes, _constants, _curvatures);
    }

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        (_lanes, _isProduct) = (null, true);
        _diagonal.SetSpheres(means, variances);
        Array.Clear(_constants);
        _diagonal.AddPeaks(_constants);
        for (int k = 0; k < _components; k++)
        {
            ReadOnlySpan<double> mean = means.Slice(k * _dimension, _dimension);
            double precision = 1 / variances[k], squares = SquaredNorms.Of(mean) * precision;
            _isProduct &= squares <= Furthest;
            _curvatures[k] = -0.5 * precision;
            _constants[k] -= 0.5 * squares;
            for (int d = 0; d < _dimension; d++) _slopes[k * _dimension + d] = mean[d] * precision;
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        if (!_isProduct)
        {
            _diagonal.LogDensities(block, logJoint);
            return;
        }
        ReadOnlySpan<double> kept = IncompleteLanes.Keep(block, logJoint, _components);
        LinearForms.Add(
            Kernels.Path, block.Columns, _dimension, _components, _slopes, _constants, _curvatures, Norms(block), logJoint, block.Count);
        _diagonal.SetIncomplete(block, kept, logJoint);
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        if (!_isProduct) return _diagonal.TryLogJoint(row, logWeights, logJoint);
        LazyInitializer.EnsureInitialized(ref _lanes, _makeLanes).Sum(row, logWeights, logJoint);
        return true;
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _diagonal.Spread(row, spreads);

    public override int MeasuredValues => _diagonal.MeasuredValues;

    public override void AddPeaks(Span<double> peaks) => _diagonal.AddPeaks(peaks);

    public override MeasuredDistance Distance(RowBlock block, int index, int component) => _diagonal.Distance(block, index, component);

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int length = _components * _dimension;
        Span<double> observed = statistics[..length], first = statistics.Slice(length, length),
            second = statistics.Slice(2 * length, _components);
        WeightedSums.AddFirstMoments(block.Columns, _dimension, responsibilities, _components, first, block.Count);
        WeightedSums.AddFirstMoments(Norms(block), 1, responsibilities, _components, second, block.Count);
        ObservedMasses.AddComplete(block, responsibilities, _components, observed);
        ObservedMasses.AddIncomplete(block, responsibilities, _components, observed, first, second);
    }

    /// <summary>|x|^2 of the block's rows, made once for densities and statistics.</summary>
    private ReadOnlySpan<double> Norms(RowBlock block)
    {
        ReadOnlySpan<double> kept = block.Kept(this, RowBlock.Stride);
        if (!kept.IsEmpty) return kept;
        Span<double> norms = block.Keep(this, RowBlock.Stride);
        SquaredNorms.Of(block.Columns, _dimension, norms, block.Count);
        return norms;
    }
}
