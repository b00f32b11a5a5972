using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Sums over complete rows as they come, for records so wide that their columns would not stay in the cache: a SIMD lane is a feature, and
/// every sum is made in the order of the rows. Tiles of 4 codes by 4 vectors of features (2 where there are 16 registers) stay in
/// registers over all rows, so that a loaded x serves four codes and a broadcast code four vectors.
/// </summary>
internal static unsafe class RowMoments
{
    /// <summary>
    /// products[j, d] += sum_i c_ji x_id; first[d] += sum_i r_i x_id; squares[d] += sum_i r_i x_id^2.
    /// </summary>
    /// <param name="rows">count x D, row-major.</param>
    /// <param name="count">Rows.</param>
    /// <param name="dimension">D.</param>
    /// <param name="codes">c, q x Stride: row i's in lane i.</param>
    /// <param name="shares">r, Stride.</param>
    /// <param name="products">q x D, added to.</param>
    /// <param name="first">D, added to.</param>
    /// <param name="squares">D, added to.</param>
    public static void Add(
        ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> codes, ReadOnlySpan<double> shares,
        Span<double> products, Span<double> first, Span<double> squares) =>
        Add(Kernels.Path, rows, count, dimension, codes, shares, products, first, squares);

    /// <summary>The same on a chosen path.</summary>
    internal static void Add(
        KernelPath path, ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> codes, ReadOnlySpan<double> shares,
        Span<double> products, Span<double> first, Span<double> squares)
    {
        int kinds = products.Length / dimension;
        KernelShape.Require(rows.Length, count, dimension, nameof(rows));
        if (kinds > 0) KernelShape.Require(codes.Length, 1, (kinds - 1) * RowBlock.Stride + count, nameof(codes));
        KernelShape.Require(shares.Length, count, 1, nameof(shares));
        KernelShape.Require(first.Length, 1, dimension, nameof(first));
        KernelShape.Require(squares.Length, 1, dimension, nameof(squares));
        fixed (double* x = rows, c = codes, r = shares, p = products, f = first, s = squares)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(x, count, dimension, c, kinds, r, p, f, s);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(x, count, dimension, c, kinds, r, p, f, s);
            else Run<Lanes2, Vector128<double>>(x, count, dimension, c, kinds, r, p, f, s);
        }
    }

    private static void Run<TLanes, TVector>(
        double* rows, int count, int dimension, double* codes, int kinds, double* shares, double* products, double* first, double* squares)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int wide = 4 * TLanes.Count, end = dimension / TLanes.Count * TLanes.Count, d = 0;
        while (d < end && wide <= end)
        {
            // The last tile begins where a whole one fits: what of it has been added is left.
            int begin = Math.Min(d, end - wide), left = (d - begin) / TLanes.Count;
            Both<TLanes, TVector>(rows + begin, dimension, count, shares, first + begin, squares + begin, left);
            Codes<TLanes, TVector>(rows + begin, dimension, count, codes, kinds, products + begin, left);
            d = begin + wide;
        }
        Rest(rows, count, dimension, d, codes, kinds, shares, products, first, squares);
    }

    /// <summary>All codes of four vectors of features.</summary>
    private static void Codes<TLanes, TVector>(
        double* x, int dimension, int count, double* codes, int kinds, double* products, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int j = 0;
        for (; j + 4 <= kinds; j += 4)
        {
            double* c = codes + j * RowBlock.Stride, to = products + j * dimension;
            if (TLanes.Count == 8)
            {
                FourByFour<TLanes, TVector>(x, dimension, count, c, to, left);
                continue;
            }
            FourByTwo<TLanes, TVector>(x, dimension, count, c, to, left);
            FourByTwo<TLanes, TVector>(x + 2 * TLanes.Count, dimension, count, c, to + 2 * TLanes.Count, left - 2);
        }
        for (; j < kinds; j += 2)
            TwoByFour<TLanes, TVector>(
                x, dimension, count, codes + j * RowBlock.Stride, products + j * dimension, left, hasOther: j + 1 < kinds);
    }

    /// <summary>4 codes by 4 vectors: 21 registers of 32.</summary>
    private static void FourByFour<TLanes, TVector>(double* x, int dimension, int count, double* c, double* target, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* c1 = c + RowBlock.Stride, c2 = c1 + RowBlock.Stride, c3 = c2 + RowBlock.Stride;
        TVector s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33;
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = TLanes.Broadcast(0);
        for (int i = 0; i < count; i++, x += dimension)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Count), x2 = TLanes.Load(x + 2 * TLanes.Count),
                x3 = TLanes.Load(x + 3 * TLanes.Count), v = TLanes.Broadcast(c[i]);
            s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01); s02 = TLanes.Fma(v, x2, s02); s03 = TLanes.Fma(v, x3, s03);
            v = TLanes.Broadcast(c1[i]);
            s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11); s12 = TLanes.Fma(v, x2, s12); s13 = TLanes.Fma(v, x3, s13);
            v = TLanes.Broadcast(c2[i]);
            s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21); s22 = TLanes.Fma(v, x2, s22); s23 = TLanes.Fma(v, x3, s23);
            v = TLanes.Broadcast(c3[i]);
            s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31); s32 = TLanes.Fma(v, x2, s32); s33 = TLanes.Fma(v, x3, s33);
        }
        AddTo<TLanes, TVector>(target, s00, s01, s02, s03, left);
        AddTo<TLanes, TVector>(target + dimension, s10, s11, s12, s13, left);
        AddTo<TLanes, TVector>(target + 2 * dimension, s20, s21, s22, s23, left);
        AddTo<TLanes, TVector>(target + 3 * dimension, s30, s31, s32, s33, left);
    }

    /// <summary>4 codes by 2 vectors: 11 registers of 16.</summary>
    private static void FourByTwo<TLanes, TVector>(double* x, int dimension, int count, double* c, double* target, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* c1 = c + RowBlock.Stride, c2 = c1 + RowBlock.Stride, c3 = c2 + RowBlock.Stride;
        TVector s00, s01, s10, s11, s20, s21, s30, s31;
        s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = TLanes.Broadcast(0);
        for (int i = 0; i < count; i++, x += dimension)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Count), v = TLanes.Broadcast(c[i]);
            s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01);
            v = TLanes.Broadcast(c1[i]);
            s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11);
            v = TLanes.Broadcast(c2[i]);
            s20 = TLanes.Fma(v, x0, s20); s21 = TLanes.Fma(v, x1, s21);
            v = TLanes.Broadcast(c3[i]);
            s30 = TLanes.Fma(v, x0, s30); s31 = TLanes.Fma(v, x1, s31);
        }
        AddTwo<TLanes, TVector>(target, s00, s01, left);
        AddTwo<TLanes, TVector>(target + dimension, s10, s11, left);
        AddTwo<TLanes, TVector>(target + 2 * dimension, s20, s21, left);
        AddTwo<TLanes, TVector>(target + 3 * dimension, s30, s31, left);
    }

    /// <summary>2 codes, or one, by 4 vectors: 13 registers of 16.</summary>
    private static void TwoByFour<TLanes, TVector>(
        double* x, int dimension, int count, double* c, double* target, int left, bool hasOther)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* c1 = hasOther ? c + RowBlock.Stride : c;
        TVector s00, s01, s02, s03, s10, s11, s12, s13;
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = TLanes.Broadcast(0);
        for (int i = 0; i < count; i++, x += dimension)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Count), x2 = TLanes.Load(x + 2 * TLanes.Count),
                x3 = TLanes.Load(x + 3 * TLanes.Count), v = TLanes.Broadcast(c[i]);
            s00 = TLanes.Fma(v, x0, s00); s01 = TLanes.Fma(v, x1, s01); s02 = TLanes.Fma(v, x2, s02); s03 = TLanes.Fma(v, x3, s03);
            v = TLanes.Broadcast(c1[i]);
            s10 = TLanes.Fma(v, x0, s10); s11 = TLanes.Fma(v, x1, s11); s12 = TLanes.Fma(v, x2, s12); s13 = TLanes.Fma(v, x3, s13);
        }
        AddTo<TLanes, TVector>(target, s00, s01, s02, s03, left);
        if (hasOther) AddTo<TLanes, TVector>(target + dimension, s10, s11, s12, s13, left);
    }

    /// <summary>{x, x^2} by 4 vectors.</summary>
    private static void Both<TLanes, TVector>(
        double* x, int dimension, int count, double* shares, double* first, double* squares, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3, q0, q1, q2, q3;
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = TLanes.Broadcast(0);
        for (int i = 0; i < count; i++, x += dimension)
        {
            TVector r = TLanes.Broadcast(shares[i]), v = TLanes.Load(x), y = TLanes.Multiply(r, v);
            s0 = TLanes.Add(s0, y);
            q0 = TLanes.Fma(y, v, q0);
            v = TLanes.Load(x + TLanes.Count);
            y = TLanes.Multiply(r, v);
            s1 = TLanes.Add(s1, y);
            q1 = TLanes.Fma(y, v, q1);
            v = TLanes.Load(x + 2 * TLanes.Count);
            y = TLanes.Multiply(r, v);
            s2 = TLanes.Add(s2, y);
            q2 = TLanes.Fma(y, v, q2);
            v = TLanes.Load(x + 3 * TLanes.Count);
            y = TLanes.Multiply(r, v);
            s3 = TLanes.Add(s3, y);
            q3 = TLanes.Fma(y, v, q3);
        }
        AddTo<TLanes, TVector>(first, s0, s1, s2, s3, left);
        AddTo<TLanes, TVector>(squares, q0, q1, q2, q3, left);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo<TLanes, TVector>(double* target, TVector a, TVector b, TVector c, TVector d, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        AddTwo<TLanes, TVector>(target, a, b, left);
        AddTwo<TLanes, TVector>(target + 2 * TLanes.Count, c, d, left - 2);
    }

    /// <summary>Adds two vectors, but the first <paramref name="left"/> of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTwo<TLanes, TVector>(double* target, TVector a, TVector b, int left)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        if (left < 1) TLanes.Store(TLanes.Add(TLanes.Load(target), a), target);
        target += TLanes.Count;
        if (left < 2) TLanes.Store(TLanes.Add(TLanes.Load(target), b), target);
    }

    /// <summary>Features from d on, one by one.</summary>
    private static void Rest(
        double* rows, int count, int dimension, int d, double* codes, int kinds, double* shares, double* products, double* first,
        double* squares)
    {
        for (; d < dimension; d++)
        {
            double sum = 0, square = 0;
            for (int i = 0; i < count; i++)
            {
                double x = rows[i * dimension + d], y = shares[i] * x;
                sum += y;
                square = Math.FusedMultiplyAdd(y, x, square);
            }
            first[d] += sum;
            squares[d] += square;
            for (int j = 0; j < kinds; j++)
            {
                double product = 0;
                for (int i = 0; i < count; i++)
                    product = Math.FusedMultiplyAdd(codes[j * RowBlock.Stride + i], rows[i * dimension + d], product);
                products[j * dimension + d] += product;
            }
        }
    }
}
