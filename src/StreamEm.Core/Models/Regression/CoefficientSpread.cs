using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>z'Sz, what the uncertainty of the coefficients adds to the variance of a row's predictor.</summary>
/// <param name="inputs">D, the features without the target.</param>
/// <param name="hasIntercept">Whether the coefficients begin with an intercept.</param>
internal sealed class CoefficientSpread(int inputs, bool hasIntercept)
{
    private static readonly double[] Zero = [0];

    private readonly int _size = hasIntercept ? inputs + 1 : inputs;
    private readonly double[] _factor = new double[Packed.Length(hasIntercept ? inputs + 1 : inputs)];
    private readonly double[] _centre = new double[hasIntercept ? inputs + 1 : inputs];

    /// <summary>Makes a covariance one again that has lost its digits, in units far from where its columns are.</summary>
    public static void Restore(Span<double> covariance, int size)
    {
        double largest = 0;
        for (int i = 0; i < size; i++)
        {
            largest = Math.Max(largest, covariance[i * (size + 1)]);
            for (int j = 0; j < i; j++)
                covariance[i * size + j] = covariance[j * size + i] = 0.5 * (covariance[i * size + j] + covariance[j * size + i]);
        }
        if (size == 0) return;
        double floor = largest > 0 ? 1e-12 * largest : 1;
        _ = SymmetricMatrix.EnsurePositiveDefinite(covariance, size, floor, new double[Packed.Length(size)]);
    }

    /// <summary>Takes S.</summary>
    /// <exception cref="ArithmeticException">It is not positive definite.</exception>
    public void Set(ReadOnlySpan<double> covariance)
    {
        // S = M' M, M lower triangular: the factor of S with its rows and columns in the other order, turned.
        Span<double> turned = new double[_factor.Length];
        for (int i = 0; i < _size; i++)
            for (int j = 0; j <= i; j++) turned[Packed.Index(i, j)] = covariance[(_size - 1 - i) * _size + _size - 1 - j];
        if (Cholesky.Factor(turned, _size, out double pivot) >= 0)
            throw new ArithmeticException(FormattableString.Invariant(
                $"The coefficients' covariance is not positive definite (pivot {pivot:R})."));
        for (int i = 0; i < _size; i++)
            for (int j = 0; j <= i; j++) _factor[Packed.Index(i, j)] = turned[Packed.Index(_size - 1 - j, _size - 1 - i)];
    }

    /// <summary>Overwrites lanes with z'Sz.</summary>
    public void Variances(RegressionWorkspace space, Span<double> lanes)
    {
        lanes.Clear();
        if (_size == 0) return;
        ReadOnlySpan<double> columns = hasIntercept ? space.Design : space.Inputs;
        QuadraticForms.AddTriangular(columns, _size, 1, _factor, _centre, Zero, lanes, space.Block.Count);
        // Not below 0 by rounding.
        for (int i = 0; i < space.Block.Count; i++) lanes[i] = Math.Max(0, -2 * lanes[i]);
    }
}
