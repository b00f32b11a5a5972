using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// sum_n r_kn x_n x_n' as packed lower triangles, and sum_n r_kn x_n with it, for vectors of up to four doubles; <see
/// cref="PairedOuterProducts"/> is the same for eight. Four rows of r x are written once to a strip in the first-level cache (their sums,
/// plain additions, use ports the FMAs leave idle); tiles of 4 rows by 2 or 3 features then keep their accumulators in registers over all
/// lanes and are reduced once per block. The triangle is exact. Every sum is of four lanes (<see cref="LaneSums"/>): a vector of two
/// doubles goes over the rows twice.
/// </summary>
internal static unsafe class OuterProductSums
{
    /// <summary>What the halves of two-lane vectors add up in: first moments and one triangle.</summary>
    [ThreadStatic]
    private static AlignedDoubles? _halves;

    /// <summary>Adds to <paramref name="second"/> (K packed triangles) and, unless null, to <paramref name="first"/> (K x D).</summary>
    [SkipLocalsInit]
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, double* responsibilities, int components, double* first, double* second, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* strip = stackalloc double[4 * RowBlock.Stride + 8];
        strip = (double*)(((nint)strip + 63) & ~63);
        int packed = Packed.Length(dimension);
        if (TLanes.Count < LaneSums.Fours && (_halves is null || _halves.Length < dimension + packed))
            _halves = new AlignedDoubles(dimension + packed);
        for (int k = 0; k < components; k++, responsibilities += RowBlock.Stride, second += packed)
        {
            double* moments = first == null ? null : first + k * dimension;
            if (TLanes.Count == LaneSums.Fours)
            {
                Pass<TLanes, TVector>(columns, dimension, responsibilities, strip, moments, second, lanes);
                continue;
            }
            Span<double> halves = _halves!.Span[..(dimension + packed)];
            halves.Clear();
            double* sums = _halves.Pointer;
            for (int offset = 0; offset < LaneSums.Fours; offset += TLanes.Count)
                Pass<TLanes, TVector>(
                    columns + offset, dimension, responsibilities + offset, strip + offset, sums, sums + dimension, lanes);
            for (int d = 0; d < dimension && moments != null; d++) moments[d] += sums[d];
            for (int at = 0; at < packed; at++) second[at] += sums[dimension + at];
        }
    }

    /// <summary>One component over the lanes that a vector holds of every four.</summary>
    private static void Pass<TLanes, TVector>(
        double* columns, int dimension, double* responsibilities, double* strip, double* moments, double* second, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int i = 0; i < dimension; i += 4)
        {
            int rows = Math.Min(4, dimension - i);
            for (int row = 0; row < rows; row++)
            {
                double sum = Weigh<TLanes, TVector>(
                    responsibilities, columns + (i + row) * RowBlock.Stride, strip + row * RowBlock.Stride, lanes);
                if (moments != null) moments[i + row] += sum;
            }
            if (rows == 4) Strip<TLanes, TVector>(strip, columns, second, i, lanes);
            else Rest<TLanes, TVector>(strip, columns, second + Packed.Index(i, 0), i, rows, lanes);
        }
    }

    /// <summary>target = r x; returns its sum, of four times four lanes.</summary>
    private static double Weigh<TLanes, TVector>(double* r, double* x, double* target, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector sum0 = TLanes.Broadcast(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        for (int n = 0; n < lanes; n += 16)
        {
            int n1 = n + 4, n2 = n + 8, n3 = n + 12;
            TVector w0 = TLanes.Multiply(TLanes.Load(r + n), TLanes.Load(x + n)),
                w1 = TLanes.Multiply(TLanes.Load(r + n1), TLanes.Load(x + n1));
            TVector w2 = TLanes.Multiply(TLanes.Load(r + n2), TLanes.Load(x + n2)),
                w3 = TLanes.Multiply(TLanes.Load(r + n3), TLanes.Load(x + n3));
            TLanes.Store(w0, target + n);
            TLanes.Store(w1, target + n1);
            TLanes.Store(w2, target + n2);
            TLanes.Store(w3, target + n3);
            sum0 = TLanes.Add(sum0, w0);
            sum1 = TLanes.Add(sum1, w1);
            sum2 = TLanes.Add(sum2, w2);
            sum3 = TLanes.Add(sum3, w3);
        }
        return TLanes.Sum(TLanes.Add(TLanes.Add(sum0, sum1), TLanes.Add(sum2, sum3)));
    }

    /// <summary>Rows i .. i + 3 of one triangle.</summary>
    private static void Strip<TLanes, TVector>(double* strip, double* columns, double* triangle, int i, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* row0 = triangle + Packed.Index(i, 0), row1 = row0 + i + 1, row2 = row1 + i + 2, row3 = row2 + i + 3;
        int j = 0;
        for (; i - j != 4 && i - j != 2 && j < i; j += 3)
            FourByThree<TLanes, TVector>(strip, columns + j * RowBlock.Stride, row0 + j, row1 + j, row2 + j, row3 + j, lanes);
        for (; j < i; j += 2)
            FourByTwo<TLanes, TVector>(strip, columns + j * RowBlock.Stride, row0 + j, row1 + j, row2 + j, row3 + j, lanes);
        Triangle<TLanes, TVector>(strip, columns + i * RowBlock.Stride, row0 + i, row1 + i, row2 + i, row3 + i, lanes);
    }

    /// <summary>The last 1 to 3 rows, whose entries are contiguous: four dot products at a time.</summary>
    private static void Rest<TLanes, TVector>(double* strip, double* columns, double* target, int i, int rows, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double** a = stackalloc double*[4];
        double** b = stackalloc double*[4];
        int held = 0;
        for (int row = 0; row < rows; row++)
            for (int j = 0; j <= i + row; j++)
            {
                a[held] = strip + row * RowBlock.Stride;
                b[held] = columns + j * RowBlock.Stride;
                if (++held < 4) continue;
                Add4(target, Dots<TLanes, TVector>(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], lanes));
                target += 4;
                held = 0;
            }
        if (held == 0) return;
        for (int spare = held; spare < 4; spare++)
        {
            a[spare] = a[0];
            b[spare] = b[0];
        }
        Vector256<double> last = Dots<TLanes, TVector>(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3], lanes);
        for (int at = 0; at < held; at++) target[at] += last[at];
    }

    private static Vector256<double> Dots<TLanes, TVector>(
        double* a0, double* b0, double* a1, double* b1, double* a2, double* b2, double* a3, double* b3, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3;
        s0 = s1 = s2 = s3 = TLanes.Broadcast(0);
        for (int n = 0; n < lanes; n += LaneSums.Fours)
        {
            s0 = TLanes.Fma(TLanes.Load(a0 + n), TLanes.Load(b0 + n), s0);
            s1 = TLanes.Fma(TLanes.Load(a1 + n), TLanes.Load(b1 + n), s1);
            s2 = TLanes.Fma(TLanes.Load(a2 + n), TLanes.Load(b2 + n), s2);
            s3 = TLanes.Fma(TLanes.Load(a3 + n), TLanes.Load(b3 + n), s3);
        }
        return TLanes.Sum4(s0, s1, s2, s3);
    }

    /// <summary>4 rows by 2 features: 8 accumulators, for 16 registers.</summary>
    private static void FourByTwo<TLanes, TVector>(
        double* weighted, double* x, double* row0, double* row1, double* row2, double* row3, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector a00, a01, a10, a11, a20, a21, a30, a31;
        a00 = a01 = a10 = a11 = a20 = a21 = a30 = a31 = TLanes.Broadcast(0);
        for (double* end = weighted + lanes; weighted < end; weighted += LaneSums.Fours, x += LaneSums.Fours)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + RowBlock.Stride), w;
            w = TLanes.Load(weighted);
            a00 = TLanes.Fma(w, x0, a00); a01 = TLanes.Fma(w, x1, a01);
            w = TLanes.Load(weighted + RowBlock.Stride);
            a10 = TLanes.Fma(w, x0, a10); a11 = TLanes.Fma(w, x1, a11);
            w = TLanes.Load(weighted + 2 * RowBlock.Stride);
            a20 = TLanes.Fma(w, x0, a20); a21 = TLanes.Fma(w, x1, a21);
            w = TLanes.Load(weighted + 3 * RowBlock.Stride);
            a30 = TLanes.Fma(w, x0, a30); a31 = TLanes.Fma(w, x1, a31);
        }
        Add2And2(row0, row1, TLanes.Sum4(a00, a01, a10, a11));
        Add2And2(row2, row3, TLanes.Sum4(a20, a21, a30, a31));
    }

    /// <summary>4 rows by 3 features: 12 accumulators and all 16 registers.</summary>
    private static void FourByThree<TLanes, TVector>(
        double* weighted, double* x, double* row0, double* row1, double* row2, double* row3, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector a00, a01, a02, a10, a11, a12, a20, a21, a22, a30, a31, a32;
        a00 = a01 = a02 = a10 = a11 = a12 = a20 = a21 = a22 = a30 = a31 = a32 = TLanes.Broadcast(0);
        for (double* end = weighted + lanes; weighted < end; weighted += LaneSums.Fours, x += LaneSums.Fours)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + RowBlock.Stride), x2 = TLanes.Load(x + 2 * RowBlock.Stride), w;
            w = TLanes.Load(weighted);
            a00 = TLanes.Fma(w, x0, a00); a01 = TLanes.Fma(w, x1, a01); a02 = TLanes.Fma(w, x2, a02);
            w = TLanes.Load(weighted + RowBlock.Stride);
            a10 = TLanes.Fma(w, x0, a10); a11 = TLanes.Fma(w, x1, a11); a12 = TLanes.Fma(w, x2, a12);
            w = TLanes.Load(weighted + 2 * RowBlock.Stride);
            a20 = TLanes.Fma(w, x0, a20); a21 = TLanes.Fma(w, x1, a21); a22 = TLanes.Fma(w, x2, a22);
            w = TLanes.Load(weighted + 3 * RowBlock.Stride);
            a30 = TLanes.Fma(w, x0, a30); a31 = TLanes.Fma(w, x1, a31); a32 = TLanes.Fma(w, x2, a32);
        }
        Vector256<double> third = TLanes.Sum4(a02, a12, a22, a32);
        Add2And2(row0, row1, TLanes.Sum4(a00, a01, a10, a11));
        Add2And2(row2, row3, TLanes.Sum4(a20, a21, a30, a31));
        row0[2] += third[0];
        row1[2] += third[1];
        row2[2] += third[2];
        row3[2] += third[3];
    }

    /// <summary>The 4 x 4 triangle on the diagonal: 10 accumulators.</summary>
    private static void Triangle<TLanes, TVector>(
        double* weighted, double* x, double* row0, double* row1, double* row2, double* row3, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector a00, a10, a11, a20, a21, a22, a30, a31, a32, a33;
        a00 = a10 = a11 = a20 = a21 = a22 = a30 = a31 = a32 = a33 = TLanes.Broadcast(0);
        for (double* end = weighted + lanes; weighted < end; weighted += LaneSums.Fours, x += LaneSums.Fours)
        {
            TVector w0 = TLanes.Load(weighted), w1 = TLanes.Load(weighted + RowBlock.Stride);
            TVector w2 = TLanes.Load(weighted + 2 * RowBlock.Stride), w3 = TLanes.Load(weighted + 3 * RowBlock.Stride);
            TVector v = TLanes.Load(x);
            a00 = TLanes.Fma(w0, v, a00); a10 = TLanes.Fma(w1, v, a10); a20 = TLanes.Fma(w2, v, a20); a30 = TLanes.Fma(w3, v, a30);
            v = TLanes.Load(x + RowBlock.Stride);
            a11 = TLanes.Fma(w1, v, a11); a21 = TLanes.Fma(w2, v, a21); a31 = TLanes.Fma(w3, v, a31);
            v = TLanes.Load(x + 2 * RowBlock.Stride);
            a22 = TLanes.Fma(w2, v, a22); a32 = TLanes.Fma(w3, v, a32);
            a33 = TLanes.Fma(w3, TLanes.Load(x + 3 * RowBlock.Stride), a33);
        }
        Vector256<double> first = TLanes.Sum4(a00, a10, a11, a22), third = TLanes.Sum4(a20, a21, a22, a33);
        row0[0] += first[0];
        Add2(row1, Vector128.Create(first[1], first[2]));
        Add2(row2, third.GetLower());
        row2[2] += third[2];
        Add4(row3, TLanes.Sum4(a30, a31, a32, a33));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add4(double* target, Vector256<double> value) => Vector256.Store(Vector256.Load(target) + value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add2(double* target, Vector128<double> value) => Vector128.Store(Vector128.Load(target) + value, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add2And2(double* target0, double* target1, Vector256<double> value)
    {
        Add2(target0, value.GetLower());
        Add2(target1, value.GetUpper());
    }
}
