using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Upper bounds of the log-densities of Gaussian components with matrix covariances, from the few features that tell the components apart
/// best: the squared Mahalanobis distance in some features, under their own covariance, is never more than in all (the rest is the squared
/// distance of the others given these). q features cost q (q + 3) / 2 multiplications in place of D (D + 3) / 2.
/// </summary>
internal sealed class GaussianScreen(int components, int dimension)
{
    /// <summary>Below so many components or features bounds cost about what the densities do.</summary>
    private const int LeastComponents = 16, LeastDimension = 8;

    private const int FeaturesEach = 4, MostFeatures = 8;

    private readonly int[] _features = new int[Math.Clamp(dimension / FeaturesEach, 1, MostFeatures)];
    private double[] _factors = [], _biases = [];

    [ThreadStatic]
    private static AlignedDoubles? _columns;

    /// <summary>Whether bounds can cost so little that they are worth having.</summary>
    public static bool Pays(int components, int dimension) => components >= LeastComponents && dimension >= LeastDimension;

    /// <summary>Takes parameters.</summary>
    /// <param name="means">[K, D].</param>
    /// <param name="covariances">[K, D, D], or [D, D] of all.</param>
    /// <param name="tied">Whether they are of all.</param>
    public GaussianScreen Set(ReadOnlySpan<double> means, ReadOnlySpan<double> covariances, bool tied)
    {
        Choose(means, covariances, tied);
        int few = _features.Length, packed = Packed.Length(few), size = dimension * dimension;
        if (_factors.Length == 0) (_factors, _biases) = (new double[components * packed], new double[components * few]);
        Span<double> covariance = stackalloc double[MostFeatures * MostFeatures];
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> all = covariances.Slice(tied ? 0 : k * size, size);
            for (int i = 0; i < few; i++)
                for (int j = 0; j < few; j++) covariance[i * few + j] = all[_features[i] * dimension + _features[j]];
            Span<double> factor = _factors.AsSpan(k * packed, packed);
            SymmetricMatrix.InverseFactor(covariance[..(few * few)], few, k, factor);
            for (int i = 0, at = 0; i < few; i++)
            {
                double bias = 0;
                for (int j = 0; j <= i; j++) bias = Math.FusedMultiplyAdd(factor[at++], means[k * dimension + _features[j]], bias);
                _biases[k * few + i] = bias;
            }
        }
        return this;
    }

    /// <summary>Adds the bounds of a block's rows.</summary>
    /// <param name="block">Complete rows.</param>
    /// <param name="peaks">What the log-density of no row exceeds [K].</param>
    /// <param name="logJoint">K x Stride, added to.</param>
    public void AddBounds(RowBlock block, ReadOnlySpan<double> peaks, Span<double> logJoint)
    {
        int few = _features.Length;
        if (_columns is null || _columns.Length < few * RowBlock.Stride) _columns = new AlignedDoubles(MostFeatures * RowBlock.Stride);
        Span<double> columns = _columns.Span;
        for (int at = 0; at < few; at++)
            block.Columns.Slice(_features[at] * RowBlock.Stride, RowBlock.Stride).CopyTo(columns[(at * RowBlock.Stride)..]);
        QuadraticForms.AddTriangular(columns, few, components, _factors, _biases, peaks, logJoint, block.Count);
    }

    /// <summary>The features in which means are furthest apart for the variance within components; the first among equals.</summary>
    private void Choose(ReadOnlySpan<double> means, ReadOnlySpan<double> covariances, bool tied)
    {
        double[] apart = new double[dimension];
        int[] order = new int[dimension];
        for (int d = 0; d < dimension; d++)
        {
            double sum = 0, squares = 0, within = 0;
            for (int k = 0; k < components; k++) sum += means[k * dimension + d];
            for (int k = 0; k < components; k++)
            {
                double deviation = means[k * dimension + d] - sum / components;
                squares = Math.FusedMultiplyAdd(deviation, deviation, squares);
                within += covariances[(tied ? 0 : k * dimension * dimension) + d * (dimension + 1)];
            }
            (apart[d], order[d]) = (-squares / within, d);
        }
        Array.Sort(apart, order);
        order.AsSpan(0, _features.Length).CopyTo(_features);
        Array.Sort(_features);
    }
}
