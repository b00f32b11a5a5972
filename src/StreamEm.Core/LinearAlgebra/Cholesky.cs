using System.Numerics;
using System.Runtime.InteropServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Cholesky factorisation of small symmetric positive definite matrices, packed lower triangles (Golub &amp; Van Loan 2013, section 4.2). Rows of a
/// packed triangle are contiguous, so both operations are arranged to run along rows.
/// </summary>
internal static class Cholesky
{
    /// <summary>Overwrites a packed symmetric matrix by its factor L, A = L L'.</summary>
    /// <param name="packed">P(D) values; on failure partly overwritten.</param>
    /// <param name="dimension">D.</param>
    /// <param name="pivot">The smallest pivot met, or the one that failed.</param>
    /// <returns>-1, or the row whose pivot is not positive.</returns>
    public static int Factor(Span<double> packed, int dimension, out double pivot)
    {
        pivot = double.PositiveInfinity;
        for (int i = 0; i < dimension; i++)
        {
            Span<double> rowI = packed.Slice(Packed.Index(i, 0), i + 1);
            for (int j = 0, at = 0; j < i; at += ++j)
            {
                ReadOnlySpan<double> rowJ = packed.Slice(at, j + 1);
                rowI[j] = (rowI[j] - Dot(rowI[..j], rowJ)) / rowJ[j];
            }
            double diagonal = rowI[i] - Dot(rowI[..i], rowI);
            if (!(diagonal > 0) || double.IsPositiveInfinity(diagonal))
            {
                pivot = diagonal;
                return i;
            }
            pivot = Math.Min(pivot, diagonal);
            rowI[i] = Math.Sqrt(diagonal);
        }
        return -1;
    }

    /// <summary>
    /// Overwrites a packed lower triangle L by its inverse M, row after row: M_i = (e_i - sum_{d &lt; i} L_id M_d) / L_ii.
    /// </summary>
    public static void InvertLower(Span<double> packed, int dimension)
    {
        Span<double> factors = dimension <= 512 ? stackalloc double[dimension] : new double[dimension];
        for (int i = 0; i < dimension; i++)
        {
            Span<double> row = packed.Slice(Packed.Index(i, 0), i + 1);
            double inverse = 1 / row[i];
            for (int d = 0; d < i; d++) factors[d] = -row[d] * inverse;
            row.Clear();
            for (int d = 0, at = 0; d < i; at += ++d) AddMultiple(row[..(d + 1)], factors[d], packed.Slice(at, d + 1));
            row[i] = inverse;
        }
    }

    /// <summary>Sum of a[n] b[n] over the length of <paramref name="a"/>.</summary>
    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ref double x = ref MemoryMarshal.GetReference(a), y = ref MemoryMarshal.GetReference(b[..a.Length]);
        int width = Vector<double>.Count, at = 0;
        double sum = 0;
        if (a.Length >= width)
        {
            Vector<double> sums0 = Vector<double>.Zero, sums1 = Vector<double>.Zero;
            for (; at <= a.Length - 2 * width; at += 2 * width)
            {
                sums0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, (nuint)at), Vector.LoadUnsafe(ref y, (nuint)at), sums0);
                sums1 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, (nuint)(at + width)), Vector.LoadUnsafe(ref y, (nuint)(at + width)), sums1);
            }
            if (at <= a.Length - width)
            {
                sums0 = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, (nuint)at), Vector.LoadUnsafe(ref y, (nuint)at), sums0);
                at += width;
            }
            sum = Vector.Sum(sums0 + sums1);
        }
        for (; at < a.Length; at++) sum = Math.FusedMultiplyAdd(a[at], b[at], sum);
        return sum;
    }

    /// <summary>target += factor * source.</summary>
    private static void AddMultiple(Span<double> target, double factor, ReadOnlySpan<double> source)
    {
        ref double x = ref MemoryMarshal.GetReference(target), y = ref MemoryMarshal.GetReference(source[..target.Length]);
        int width = Vector<double>.Count, at = 0;
        var factors = new Vector<double>(factor);
        for (; at <= target.Length - width; at += width)
            Vector.FusedMultiplyAdd(factors, Vector.LoadUnsafe(ref y, (nuint)at), Vector.LoadUnsafe(ref x, (nuint)at)).StoreUnsafe(ref x, (nuint)at);
        for (; at < target.Length; at++) target[at] = Math.FusedMultiplyAdd(factor, source[at], target[at]);
    }
}
