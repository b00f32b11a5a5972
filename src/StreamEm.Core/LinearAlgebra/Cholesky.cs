using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Cholesky factorisation of small symmetric positive definite matrices, packed lower triangles (Golub &amp; Van Loan 2013, section 4.2).
/// Rows of a packed triangle are contiguous, so both operations run along rows, four of them at a time: one row alone is a chain of
/// dependent sums.
/// </summary>
internal static unsafe class Cholesky
{
    /// <summary>Overwrites a packed symmetric matrix by its factor L, A = L L'.</summary>
    /// <param name="packed">P(D) values; on failure partly overwritten.</param>
    /// <param name="dimension">D.</param>
    /// <param name="pivot">The smallest pivot met, or the one that failed.</param>
    /// <returns>-1, or the row whose pivot is not positive.</returns>
    public static int Factor(Span<double> packed, int dimension, out double pivot)
    {
        KernelShape.Require(packed.Length, 1, Packed.Length(dimension), nameof(packed));
        pivot = double.PositiveInfinity;
        fixed (double* a = packed)
            for (int j = 0; j < dimension; j += 2)
            {
                double* rowJ = a + Packed.Index(j, 0);
                if (!TryRoot(rowJ, j, ref pivot)) return j;
                if (j + 1 == dimension) break;
                double* rowK = rowJ + j + 1;
                rowK[j] = (rowK[j] - Dot(rowJ, rowK, j)) / rowJ[j];
                if (!TryRoot(rowK, j + 1, ref pivot)) return j + 1;
                TwoColumns(a, rowJ, rowK, j, dimension);
            }
        return -1;
    }

    /// <summary>
    /// Overwrites a packed lower triangle L by its inverse M, row after row: M_i = (e_i - sum_{d &lt; i} L_id M_d) / L_ii.
    /// </summary>
    public static void InvertLower(Span<double> packed, int dimension)
    {
        KernelShape.Require(packed.Length, 1, Packed.Length(dimension), nameof(packed));
        Span<double> factors = dimension <= 512 ? stackalloc double[dimension] : new double[dimension];
        fixed (double* m = packed, f = factors)
            for (int i = 0; i < dimension; i++)
            {
                double* row = m + Packed.Index(i, 0);
                double inverse = 1 / row[i];
                for (int d = 0; d < i; d++)
                {
                    f[d] = -row[d] * inverse;
                    row[d] = 0;
                }
                int at = 0;
                for (; at + 4 <= i; at += 4) AddFourRows(row, f + at, m + Packed.Index(at, 0), at);
                for (; at < i; at++)
                {
                    double* source = m + Packed.Index(at, 0);
                    for (int n = 0; n <= at; n++) row[n] = Math.FusedMultiplyAdd(f[at], source[n], row[n]);
                }
                row[i] = inverse;
            }
    }

    /// <summary>
    /// <see cref="Factor"/> of a matrix that is positive semidefinite but for rounding: where it is not positive definite, because a column
    /// is a sum of others or there are fewer rows than columns, its diagonal is raised by as little as it takes.
    /// </summary>
    /// <param name="packed">P(D) values; overwritten by the factor.</param>
    /// <param name="dimension">D.</param>
    /// <exception cref="ArithmeticException">The matrix holds what is no number.</exception>
    public static void FactorRaised(Span<double> packed, int dimension)
    {
        double[] kept = packed.ToArray();
        double trace = 0;
        for (int i = 0; i < dimension; i++) trace += kept[Packed.Index(i, i)];
        double least = 1e-14 * Math.Max(trace, 1e-200);
        for (double added = least; Factor(packed, dimension, out double pivot) >= 0; added *= 10)
        {
            if (!double.IsFinite(trace) || added > 1e17 * least)
                throw new ArithmeticException(FormattableString.Invariant($"A matrix of moments cannot be factored (pivot {pivot:R})."));
            kept.CopyTo(packed);
            for (int i = 0; i < dimension; i++) packed[Packed.Index(i, i)] += added;
        }
    }

    /// <summary>Overwrites b by the solution of L L' x = b: forwards, then backwards.</summary>
    /// <param name="packed">L, P(D) values.</param>
    /// <param name="dimension">D.</param>
    /// <param name="values">b, D values; overwritten.</param>
    public static void Solve(ReadOnlySpan<double> packed, int dimension, Span<double> values)
    {
        KernelShape.Require(packed.Length, 1, Packed.Length(dimension), nameof(packed));
        for (int i = 0; i < dimension; i++)
        {
            double value = values[i];
            for (int j = 0; j < i; j++) value = Math.FusedMultiplyAdd(-packed[Packed.Index(i, j)], values[j], value);
            values[i] = value / packed[Packed.Index(i, i)];
        }
        for (int i = dimension - 1; i >= 0; i--)
        {
            double value = values[i];
            for (int j = i + 1; j < dimension; j++) value = Math.FusedMultiplyAdd(-packed[Packed.Index(j, i)], values[j], value);
            values[i] = value / packed[Packed.Index(i, i)];
        }
    }

    /// <summary>L_jj from the entries before it; false when its square is not positive.</summary>
    private static bool TryRoot(double* rowJ, int j, ref double pivot)
    {
        double square = rowJ[j] - Dot(rowJ, rowJ, j);
        if (!(square > 0) || double.IsPositiveInfinity(square))
        {
            pivot = square;
            return false;
        }
        pivot = Math.Min(pivot, square);
        rowJ[j] = Math.Sqrt(square);
        return true;
    }

    private static double Dot(double* x, double* y, int count)
    {
        Vector256<double> sums = Vector256<double>.Zero;
        int n = 0;
        for (; n + 4 <= count; n += 4) sums = Vector256.FusedMultiplyAdd(Vector256.Load(x + n), Vector256.Load(y + n), sums);
        double sum = Lanes4.Sum(sums);
        for (; n < count; n++) sum = Math.FusedMultiplyAdd(x[n], y[n], sum);
        return sum;
    }

    /// <summary>
    /// Columns j and k = j + 1 below row k: L_ij = (A_ij - sum_{n &lt; j} L_in L_jn) / L_jj, and L_ik with one product more. Their entries
    /// do not wait for each other: eight sums at a time.
    /// </summary>
    private static void TwoColumns(double* a, double* rowJ, double* rowK, int j, int dimension)
    {
        double inverseJ = 1 / rowJ[j], inverseK = 1 / rowK[j + 1];
        int i = j + 2;
        for (; i + 4 <= dimension; i += 4)
        {
            double* row0 = a + Packed.Index(i, 0), row1 = row0 + i + 1, row2 = row1 + i + 2, row3 = row2 + i + 3;
            Vector256<double> s0 = Vector256<double>.Zero, s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
            int n = 0;
            for (; n + 4 <= j; n += 4)
            {
                Vector256<double> v = Vector256.Load(rowJ + n), w = Vector256.Load(rowK + n), row = Vector256.Load(row0 + n);
                s0 = Vector256.FusedMultiplyAdd(v, row, s0);
                t0 = Vector256.FusedMultiplyAdd(w, row, t0);
                row = Vector256.Load(row1 + n);
                s1 = Vector256.FusedMultiplyAdd(v, row, s1);
                t1 = Vector256.FusedMultiplyAdd(w, row, t1);
                row = Vector256.Load(row2 + n);
                s2 = Vector256.FusedMultiplyAdd(v, row, s2);
                t2 = Vector256.FusedMultiplyAdd(w, row, t2);
                row = Vector256.Load(row3 + n);
                s3 = Vector256.FusedMultiplyAdd(v, row, s3);
                t3 = Vector256.FusedMultiplyAdd(w, row, t3);
            }
            Vector256<double> sumsJ = Lanes4.Sum4(s0, s1, s2, s3), sumsK = Lanes4.Sum4(t0, t1, t2, t3);
            for (; n < j; n++)
            {
                Vector256<double> column = Vector256.Create(row0[n], row1[n], row2[n], row3[n]);
                sumsJ = Vector256.FusedMultiplyAdd(Vector256.Create(rowJ[n]), column, sumsJ);
                sumsK = Vector256.FusedMultiplyAdd(Vector256.Create(rowK[n]), column, sumsK);
            }
            Vector256<double> entriesJ = (Vector256.Create(row0[j], row1[j], row2[j], row3[j]) - sumsJ) * inverseJ;
            sumsK = Vector256.FusedMultiplyAdd(Vector256.Create(rowK[j]), entriesJ, sumsK);
            Vector256<double> entriesK = (Vector256.Create(row0[j + 1], row1[j + 1], row2[j + 1], row3[j + 1]) - sumsK) * inverseK;
            (row0[j], row1[j], row2[j], row3[j]) = (entriesJ[0], entriesJ[1], entriesJ[2], entriesJ[3]);
            (row0[j + 1], row1[j + 1], row2[j + 1], row3[j + 1]) = (entriesK[0], entriesK[1], entriesK[2], entriesK[3]);
        }
        for (; i < dimension; i++)
        {
            double* row = a + Packed.Index(i, 0);
            row[j] = (row[j] - Dot(row, rowJ, j)) * inverseJ;
            row[j + 1] = (row[j + 1] - Dot(row, rowK, j + 1)) * inverseK;
        }
    }

    /// <summary>row += sum over the rows d .. d + 3 of M, each times its factor.</summary>
    private static void AddFourRows(double* row, double* factors, double* row0, int d)
    {
        double* row1 = row0 + d + 1, row2 = row1 + d + 2, row3 = row2 + d + 3;
        Vector256<double> f0 = Vector256.Create(factors[0]), f1 = Vector256.Create(factors[1]), f2 = Vector256.Create(factors[2]),
            f3 = Vector256.Create(factors[3]);
        for (int n = 0; n < d; n += 4)
        {
            Vector256<double> sum = Vector256.FusedMultiplyAdd(f0, Vector256.Load(row0 + n), Vector256.Load(row + n));
            Vector256<double> other = f2 * Vector256.Load(row2 + n);
            sum = Vector256.FusedMultiplyAdd(f1, Vector256.Load(row1 + n), sum);
            other = Vector256.FusedMultiplyAdd(f3, Vector256.Load(row3 + n), other);
            Vector256.Store(sum + other, row + n);
        }
        row[d] += factors[0] * row0[d] + factors[1] * row1[d] + factors[2] * row2[d] + factors[3] * row3[d];
        row[d + 1] += factors[1] * row1[d + 1] + factors[2] * row2[d + 1] + factors[3] * row3[d + 1];
        row[d + 2] += factors[2] * row2[d + 2] + factors[3] * row3[d + 2];
        row[d + 3] += factors[3] * row3[d + 3];
    }
}
