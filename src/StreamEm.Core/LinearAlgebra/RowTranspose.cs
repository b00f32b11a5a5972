using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Turns rows into columns, so that a SIMD lane is an observation.</summary>
internal static unsafe class RowTranspose
{
    /// <summary>How far ahead of the rows being read the next ones are asked for: the next block of 8 features.</summary>
    private const int PrefetchBytes = 16384;

    /// <summary>
    /// Overwrites <paramref name="columns"/> (D x <see cref="RowBlock.Stride"/>) with <paramref name="count"/> rows of D values. Lanes from
    /// <paramref name="count"/> on, and every lane of a row with a NaN, become zero; the indices of such rows go to
    /// <paramref name="incomplete"/>.
    /// </summary>
    /// <returns>The number of rows with a NaN.</returns>
    public static int ToColumns(ReadOnlySpan<double> rows, int count, int dimension, Span<double> columns, Span<int> incomplete) =>
        ToColumns(Kernels.Path, rows, count, dimension, columns, incomplete);

    /// <summary>The same on a chosen path.</summary>
    internal static int ToColumns(
        KernelPath path, ReadOnlySpan<double> rows, int count, int dimension, Span<double> columns, Span<int> incomplete)
    {
        KernelShape.Require(rows.Length, count, dimension, nameof(rows));
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(RowBlock.Capacity, count, 1, nameof(count));
        int found = 0, row = 0;
        fixed (double* from = rows, to = columns)
        {
            // Blocks of 4 x 4 read up to 3 doubles past a row: into the next ones, so the last rows may have to go one by one.
            int read = 3 * dimension + ((dimension + 3) & ~3);
            if (path != KernelPath.Portable && Avx.IsSupported)
                for (; row * dimension + read <= count * dimension; row += 4)
                {
                    double* first = from + row * dimension;
                    if (FourRows(first, first + dimension, first + 2 * dimension, first + 3 * dimension, dimension, to + row))
                        found += FixIncomplete(from, row, 4, dimension, to, incomplete[found..]);
                }
            for (; row < count; row++)
            {
                for (int d = 0; d < dimension; d++) to[d * RowBlock.Stride + row] = from[row * dimension + d];
                found += FixIncomplete(from, row, 1, dimension, to, incomplete[found..]);
            }
        }
        if (count < RowBlock.Stride)
            for (int d = 0; d < dimension; d++) columns.Slice(d * RowBlock.Stride + count, RowBlock.Stride - count).Clear();
        return found;
    }

    /// <summary>Writes down the indices of the rows with a NaN, and nothing else.</summary>
    /// <returns>Their number.</returns>
    public static int FindIncomplete(ReadOnlySpan<double> rows, int count, int dimension, Span<int> incomplete)
    {
        KernelShape.Require(rows.Length, count, dimension, nameof(rows));
        KernelShape.Require(incomplete.Length, count, 1, nameof(incomplete));
        int found = 0;
        fixed (double* from = rows)
        {
            for (int row = 0; row < count; row++)
            {
                double* x = from + row * dimension;
                bool isSuspect = Kernels.Path == KernelPath.Avx512 ? IsSuspect<Lanes8, Vector512<double>>(x, dimension)
                    : Kernels.Path == KernelPath.Avx2 ? IsSuspect<Lanes4, Vector256<double>>(x, dimension)
                    : IsSuspect<Lanes2, Vector128<double>>(x, dimension);
                if (isSuspect && rows.Slice(row * dimension, dimension).Contains(double.NaN)) incomplete[found++] = row;
            }
        }
        return found;
    }

    /// <summary>
    /// Overwrites lanes 0 .. count - 1 of <paramref name="columns"/> with the rows that <paramref name="indices"/> names. Lanes up to the
    /// next multiple of 4 may get some of these rows again.
    /// </summary>
    internal static void Gather(KernelPath path, double* rows, int* indices, int count, int dimension, double* columns)
    {
        if (path == KernelPath.Portable || !Avx.IsSupported || dimension % 4 != 0)
        {
            for (int at = 0; at < count; at++)
                for (int d = 0; d < dimension; d++) columns[d * RowBlock.Stride + at] = rows[indices[at] * dimension + d];
            return;
        }
        for (int at = 0; at < count; at += 4)
        {
            int last = count - 1;
            double* row0 = rows + indices[at] * dimension, row1 = rows + indices[Math.Min(at + 1, last)] * dimension;
            FourRows(row0, row1, rows + indices[Math.Min(at + 2, last)] * dimension, rows + indices[Math.Min(at + 3, last)] * dimension,
                dimension, columns + at);
        }
    }

    /// <summary>Transposes four rows; true if one holds a NaN.</summary>
    private static bool FourRows(double* row, double* row1, double* row2, double* row3, int dimension, double* column)
    {
        Vector256<double> nan = Vector256<double>.Zero;
        for (int d = 0; d < dimension; d += 4, column += 4 * RowBlock.Stride)
        {
            if (Sse.IsSupported && (d & 4) == 0)
            {
                Sse.Prefetch0((byte*)(row + d) + PrefetchBytes);
                Sse.Prefetch0((byte*)(row2 + d) + PrefetchBytes);
            }
            Vector256<double> a = Vector256.Load(row + d), b = Vector256.Load(row1 + d), c = Vector256.Load(row2 + d),
                e = Vector256.Load(row3 + d);
            Vector256<double> ab0 = Avx.UnpackLow(a, b), ab1 = Avx.UnpackHigh(a, b), ce0 = Avx.UnpackLow(c, e), ce1 = Avx.UnpackHigh(c, e);
            Vector256<double> x = Avx.Permute2x128(ab0, ce0, 0x20);
            Vector256.Store(x, column);
            nan |= Unordered(x);
            if (dimension - d == 1) break;
            x = Avx.Permute2x128(ab1, ce1, 0x20);
            Vector256.Store(x, column + RowBlock.Stride);
            nan |= Unordered(x);
            if (dimension - d == 2) break;
            x = Avx.Permute2x128(ab0, ce0, 0x31);
            Vector256.Store(x, column + 2 * RowBlock.Stride);
            nan |= Unordered(x);
            if (dimension - d == 3) break;
            x = Avx.Permute2x128(ab1, ce1, 0x31);
            Vector256.Store(x, column + 3 * RowBlock.Stride);
            nan |= Unordered(x);
        }
        return Avx.MoveMask(nan) != 0;
    }

    /// <summary>Whether a value is no number, or not finite: 0 x is 0 of all others.</summary>
    private static bool IsSuspect<TLanes, TVector>(double* x, int dimension)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3, zero;
        s0 = s1 = s2 = s3 = zero = TLanes.Broadcast(0);
        int d = 0;
        for (; d + 4 * TLanes.Count <= dimension; d += 4 * TLanes.Count)
        {
            s0 = TLanes.Fma(zero, TLanes.Load(x + d), s0);
            s1 = TLanes.Fma(zero, TLanes.Load(x + d + TLanes.Count), s1);
            s2 = TLanes.Fma(zero, TLanes.Load(x + d + 2 * TLanes.Count), s2);
            s3 = TLanes.Fma(zero, TLanes.Load(x + d + 3 * TLanes.Count), s3);
        }
        double sum = TLanes.Sum(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)));
        for (; d < dimension; d++) sum += 0 * x[d];
        return double.IsNaN(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Unordered(Vector256<double> x) => Avx.Compare(x, x, FloatComparisonMode.UnorderedNonSignaling);

    /// <summary>Zeroes the lanes of those of the rows that hold a NaN and writes down their indices; returns how many.</summary>
    private static int FixIncomplete(double* rows, int first, int count, int dimension, double* columns, Span<int> incomplete)
    {
        int found = 0;
        for (int row = first; row < first + count; row++)
        {
            bool missing = false;
            for (int d = 0; d < dimension; d++) missing |= double.IsNaN(rows[row * dimension + d]);
            if (!missing) continue;
            incomplete[found++] = row;
            for (int d = 0; d < dimension; d++) columns[d * RowBlock.Stride + row] = 0;
        }
        return found;
    }
}
