using System.Globalization;
using System.Numerics;
using MathNet.Numerics.Providers.LinearAlgebra;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Symmetric D x D matrices: covariances.</summary>
internal static class SymmetricMatrix
{
    /// <summary>Lower triangle of a full row-major matrix.</summary>
    public static void Pack(ReadOnlySpan<double> full, int dimension, Span<double> packed)
    {
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++) packed[at++] = full[i * dimension + j];
    }

    /// <summary>Full row-major matrix of a lower triangle.</summary>
    public static void Unpack(ReadOnlySpan<double> packed, int dimension, Span<double> full)
    {
        for (int i = 0, at = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++) full[i * dimension + j] = full[j * dimension + i] = packed[at++];
    }

    /// <summary>Smallest eigenvalue of a full row-major symmetric matrix.</summary>
    public static double MinEigenvalue(ReadOnlySpan<double> full, int dimension) => Decompose(full, dimension).Values.Min();

    /// <summary>
    /// The first principal axis of a full row-major covariance: the eigenvector of its largest eigenvalue, as long as that one's square
    /// root; its largest entry is positive.
    /// </summary>
    public static double[] LongestAxis(ReadOnlySpan<double> full, int dimension)
    {
        (double[] values, double[] vectors) = Decompose(full, dimension);
        int largest = 0;
        for (int e = 1; e < dimension; e++)
            if (values[e] > values[largest]) largest = e;
        double[] axis = vectors[(largest * dimension)..((largest + 1) * dimension)];
        double length = Math.Sqrt(Math.Max(0, values[largest]));
        double sign = Math.CopySign(length, axis.MaxBy(Math.Abs));
        for (int i = 0; i < dimension; i++) axis[i] *= sign;
        return axis;
    }

    /// <summary>
    /// Smallest eigenvalue of all of several full row-major symmetric matrices, one after the other. Only a matrix that can have it is
    /// decomposed: one that stays positive definite less the smallest found so far has none below it.
    /// </summary>
    public static double MinEigenvalueOfAll(ReadOnlySpan<double> matrices, int dimension)
    {
        int size = dimension * dimension, first = 0;
        // An eigenvalue is at most the smallest entry of the diagonal: the matrix with that one is the likeliest.
        for (int k = 1; k < matrices.Length / size; k++)
            if (LeastDiagonal(matrices.Slice(k * size, size), dimension) < LeastDiagonal(matrices.Slice(first * size, size), dimension))
                first = k;

        double smallest = MinEigenvalue(matrices.Slice(first * size, size), dimension);
        double[] shifted = new double[Packed.Length(dimension)];
        for (int k = 0; k < matrices.Length / size; k++)
        {
            ReadOnlySpan<double> matrix = matrices.Slice(k * size, size);
            Pack(matrix, dimension, shifted);
            for (int d = 0; d < dimension; d++) shifted[Packed.Index(d, d)] -= smallest;
            if (k != first && Cholesky.Factor(shifted, dimension, out _) >= 0)
                smallest = Math.Min(smallest, MinEigenvalue(matrix, dimension));
        }
        return smallest;
    }

    /// <summary>
    /// If the full matrix is not positive definite, raises its eigenvalues to <paramref name="floor"/>.
    /// </summary>
    /// <param name="full">D x D, row-major; overwritten only when floored.</param>
    /// <param name="dimension">D.</param>
    /// <param name="floor">Smallest eigenvalue allowed.</param>
    /// <param name="scratch">P(D) doubles.</param>
    /// <returns>The smallest eigenvalue found when it was floored, NaN where there is none; null when it was positive definite.</returns>
    public static double? EnsurePositiveDefinite(Span<double> full, int dimension, double floor, Span<double> scratch)
    {
        Pack(full, dimension, scratch);
        if (Cholesky.Factor(scratch, dimension, out _) < 0) return null;
        (double[] values, double[] vectors) = Decompose(full, dimension);
        full.Clear();
        if (Array.Exists(values, value => !double.IsFinite(value)))
        {
            // Of sums that have grown beyond all numbers nothing is known but how narrow it may be.
            for (int d = 0; d < dimension; d++) full[d * (dimension + 1)] = floor;
            return double.NaN;
        }
        for (int e = 0; e < dimension; e++)
        {
            ReadOnlySpan<double> vector = vectors.AsSpan(e * dimension, dimension);
            double value = Math.Max(values[e], floor);
            for (int i = 0; i < dimension; i++)
                for (int j = 0; j < dimension; j++) full[i * dimension + j] += value * (vector[i] * vector[j]);
        }
        return values.Min();
    }

    /// <summary>Packed inverse Cholesky factor of a full covariance, and sum_i log L_ii.</summary>
    /// <exception cref="ArithmeticException">Not positive definite; names the component, the pivot and the row.</exception>
    public static double InverseFactor(ReadOnlySpan<double> full, int dimension, int component, Span<double> packed)
    {
        Pack(full, dimension, packed);
        int failed = Cholesky.Factor(packed, dimension, out double pivot);
        if (failed >= 0)
            throw new ArithmeticException(string.Create(CultureInfo.InvariantCulture,
                $"Covariance of component {component} is not positive definite (pivot {pivot:R} in row {failed}). Increase reg_covar or "
                    + $"lower components."));
        double logDeterminant = 0;
        for (int i = 0; i < dimension; i++) logDeterminant += ScalarMath.Log(packed[Packed.Index(i, i)]);
        Cholesky.InvertLower(packed, dimension);
        return logDeterminant;
    }

    /// <summary>
    /// Eigenvalues and unit eigenvectors, one after the other, of a full row-major symmetric matrix, by the library's own C#: what it would
    /// choose by itself may be a native library that it finds on the machine, whose bytes are others. Of entries that are no numbers, none
    /// either.
    /// </summary>
    public static (double[] Values, double[] Vectors) Decompose(ReadOnlySpan<double> full, int dimension)
    {
        var values = new Complex[dimension];
        double[] vectors = new double[full.Length];
        try
        {
            ManagedLinearAlgebraProvider.Instance.EigenDecomp(true, dimension, full.ToArray(), vectors, values, new double[full.Length]);
        }
        catch (IndexOutOfRangeException)
        {
            // What is no number, or becomes none on the way, is never found small, and the library looks for it beyond the end.
            return (NaNs(dimension), NaNs(full.Length));
        }
        return (Array.ConvertAll(values, value => value.Real), vectors);
    }

    private static double[] NaNs(int length)
    {
        double[] none = new double[length];
        Array.Fill(none, double.NaN);
        return none;
    }

    private static double LeastDiagonal(ReadOnlySpan<double> full, int dimension)
    {
        double least = double.PositiveInfinity;
        for (int d = 0; d < dimension; d++) least = Math.Min(least, full[d * (dimension + 1)]);
        return least;
    }

    /// <summary>full[i, j] *= factors[i] * factors[j], or divided by it.</summary>
    public static void Scale(Span<double> full, ReadOnlySpan<double> factors, bool inverse)
    {
        int dimension = factors.Length;
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < dimension; j++)
            {
                double factor = factors[i] * factors[j];
                full[i * dimension + j] = inverse ? full[i * dimension + j] / factor : full[i * dimension + j] * factor;
            }
    }

    /// <summary>Throws when a full matrix is not symmetric to 1e-9 of its diagonal or not positive definite.</summary>
    public static void Validate(ReadOnlySpan<double> full, int dimension, int component)
    {
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < i; j++)
            {
                double a = full[i * dimension + j], b = full[j * dimension + i];
                double tolerance = 1e-9 * Math.Sqrt(Math.Abs(full[i * dimension + i] * full[j * dimension + j]));
                if (!(Math.Abs(a - b) <= tolerance))
                    throw new ArgumentException(FormattableString.Invariant(
                        $"Covariance of component {component} is not symmetric: entry ({i}, {j}) is {a:R}, entry ({j}, {i}) is {b:R}."));
            }
        Span<double> packed = new double[Packed.Length(dimension)];
        Pack(full, dimension, packed);
        int failed = Cholesky.Factor(packed, dimension, out double pivot);
        if (failed >= 0)
            throw new ArgumentException(FormattableString.Invariant(
                $"Covariance of component {component} is not positive definite (pivot {pivot:R} in row {failed})."));
    }
}
