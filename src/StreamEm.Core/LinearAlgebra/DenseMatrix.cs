using System.Numerics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Products of small full matrices, row-major, in one order of additions: for models whose state has a few dimensions. Results may not
/// overlap what they are made of.
/// </summary>
internal static class DenseMatrix
{
    /// <summary>result = A B, A [rows, inner], B [inner, columns].</summary>
    public static void Multiply(
        ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result, int rows, int inner, int columns)
    {
        result[..(rows * columns)].Clear();
        for (int i = 0; i < rows; i++)
            for (int n = 0; n < inner; n++)
            {
                double factor = a[i * inner + n];
                for (int j = 0; j < columns; j++)
                    result[i * columns + j] = Math.FusedMultiplyAdd(factor, b[n * columns + j], result[i * columns + j]);
            }
    }

    /// <summary>result = A B', A [rows, inner], B [columns, inner].</summary>
    public static void MultiplyTransposed(
        ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result, int rows, int inner, int columns)
    {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                result[i * columns + j] = Dot(a.Slice(i * inner, inner), b.Slice(j * inner, inner));
    }

    /// <summary>result = A' B, A [inner, rows], B [inner, columns].</summary>
    public static void TransposedMultiply(
        ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result, int rows, int inner, int columns)
    {
        result[..(rows * columns)].Clear();
        for (int n = 0; n < inner; n++)
            for (int i = 0; i < rows; i++)
            {
                double factor = a[n * rows + i];
                for (int j = 0; j < columns; j++)
                    result[i * columns + j] = Math.FusedMultiplyAdd(factor, b[n * columns + j], result[i * columns + j]);
            }
    }

    /// <summary>result = A S A', A [rows, inner], S symmetric; symmetric to the bit.</summary>
    public static void Sandwich(
        ReadOnlySpan<double> a, ReadOnlySpan<double> s, Span<double> result, Span<double> scratch, int rows, int inner)
    {
        Multiply(a, s, scratch, rows, inner, inner);
        MultiplyTransposed(scratch, a, result, rows, inner, rows);
        Symmetrize(result, rows);
    }

    /// <summary>sum_i a_i b_i.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < b.Length; i++) sum = Math.FusedMultiplyAdd(a[i], b[i], sum);
        return sum;
    }

    /// <summary>result += factor A.</summary>
    public static void Add(Span<double> result, ReadOnlySpan<double> a, double factor = 1)
    {
        int at = 0, width = Vector<double>.Count;
        var scale = new Vector<double>(factor);
        for (; at <= a.Length - width; at += width)
            Vector.FusedMultiplyAdd(scale, new Vector<double>(a[at..]), new Vector<double>(result[at..])).CopyTo(result[at..]);
        for (; at < a.Length; at++) result[at] = Math.FusedMultiplyAdd(factor, a[at], result[at]);
    }

    /// <summary>A = (A + A') / 2, a square matrix.</summary>
    public static void Symmetrize(Span<double> a, int dimension)
    {
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < i; j++) a[i * dimension + j] = a[j * dimension + i] = 0.5 * (a[i * dimension + j] + a[j * dimension + i]);
    }

    /// <summary>
    /// Overwrites a symmetric positive definite matrix by its inverse; false, and its entries mean nothing, where it is not.
    /// </summary>
    /// <param name="a">[dimension, dimension].</param>
    /// <param name="dimension">Its size.</param>
    /// <param name="packed">P(dimension) doubles; overwritten.</param>
    /// <param name="logDeterminant">log |A|.</param>
    public static bool TryInvert(Span<double> a, int dimension, Span<double> packed, out double logDeterminant)
    {
        packed = packed[..Packed.Length(dimension)];
        SymmetricMatrix.Pack(a, dimension, packed);
        logDeterminant = 0;
        if (Cholesky.Factor(packed, dimension, out _) >= 0) return false;
        for (int i = 0; i < dimension; i++) logDeterminant += 2 * ScalarMath.Log(packed[Packed.Index(i, i)]);
        Cholesky.InvertLower(packed, dimension);
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int n = i; n < dimension; n++)
                    sum = Math.FusedMultiplyAdd(packed[Packed.Index(n, i)], packed[Packed.Index(n, j)], sum);
                a[i * dimension + j] = a[j * dimension + i] = sum;
            }
        return true;
    }

    /// <summary>The largest modulus of the eigenvalues of a square matrix, by repeated squaring: |A^n|^(1/n) (Gelfand 1941).</summary>
    public static double SpectralRadius(ReadOnlySpan<double> a, int dimension)
    {
        const int squarings = 40;
        double[] power = a.ToArray(), next = new double[power.Length];
        double log = 0, weight = 1;
        for (int step = 0; step < squarings; step++)
        {
            double norm = 0;
            foreach (double value in power) norm = Math.Max(norm, Math.Abs(value));
            if (norm == 0) return 0;
            log += weight * ScalarMath.Log(norm);
            for (int i = 0; i < power.Length; i++) power[i] /= norm;
            Multiply(power, power, next, dimension, dimension, dimension);
            (power, next) = (next, power);
            weight /= 2;
        }
        return ScalarMath.Exp(log);
    }
}
