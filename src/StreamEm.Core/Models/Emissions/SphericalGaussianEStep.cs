using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of spherical components: that of independent features with one variance, its squares summed over the features.
/// </summary>
internal sealed class SphericalGaussianEStep : EmissionEStep
{
    private readonly int _components, _dimension;
    private readonly double[] _variances;
    private readonly DiagonalGaussianEStep _diagonal;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public SphericalGaussianEStep(int components, int dimension)
    {
        (_components, _dimension) = (components, dimension);
        _variances = new double[components * dimension];
        _diagonal = new DiagonalGaussianEStep(components, dimension);
    }

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        for (int at = 0; at < _variances.Length; at++) _variances[at] = variances[at / _dimension];
        _diagonal.Set(means, _variances);
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint) => _diagonal.LogDensities(block, logJoint);

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint) =>
        _diagonal.TryLogJoint(row, logWeights, logJoint);

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _diagonal.Spread(row, spreads);

    public override int MeasuredValues => _diagonal.MeasuredValues;

    public override void AddPeaks(Span<double> peaks) => _diagonal.AddPeaks(peaks);

    public override MeasuredDistance Distance(RowBlock block, int index, int component) => _diagonal.Distance(block, index, component);

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int length = _components * _dimension;
        Span<double> sums = length <= 512 ? stackalloc double[3 * length] : new double[3 * length];
        sums.Clear();
        _diagonal.Accumulate(block, responsibilities, sums);
        for (int at = 0; at < 2 * length; at++) statistics[at] += sums[at];
        for (int at = 0; at < length; at++) statistics[2 * length + at / _dimension] += sums[2 * length + at];
    }
}
