namespace StreamEm.Core.Models.Emissions;

/// <summary>The E-step of spherical components: that of independent features with one variance, its squares summed over the features.</summary>
internal sealed class SphericalGaussianEStep : EmissionEStep
{
    private readonly int _components, _dimension;
    private readonly DiagonalGaussianEStep _diagonal;

    public SphericalGaussianEStep(int components, int dimension, ReadOnlySpan<double> means, ReadOnlySpan<double> variances)
    {
        (_components, _dimension) = (components, dimension);
        double[] diagonal = new double[components * dimension];
        for (int at = 0; at < diagonal.Length; at++) diagonal[at] = variances[at / dimension];
        _diagonal = new DiagonalGaussianEStep(components, dimension, means, diagonal);
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint) => _diagonal.LogDensities(block, logJoint);

    public override bool TryLogDensities(ReadOnlySpan<double> row, Span<double> logJoint) => _diagonal.TryLogDensities(row, logJoint);

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
