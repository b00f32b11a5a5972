using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// <see cref="OuterProductSums"/> for vectors of eight doubles and 32 registers, to the same bytes: a vector holds the four lanes of two
/// sums, those of rows i and i + 1 of the triangle. Up to eight rows of r x are written as four such pairs to a strip in the first-level
/// cache; a feature is loaded into both halves of a register, which costs nothing. Tiles then run over all lanes, 8 to 20 accumulators in
/// registers; up to four features fill them with two or four components. Of every pair's diagonal block one entry in four lies above the
/// diagonal and is dropped.
/// </summary>
internal static unsafe class PairedOuterProducts
{
    /// <summary>Doubles from one pair of the strip to the next: two features' lanes.</summary>
    public const int Pair = 2 * RowBlock.Stride;

    /// <summary>The features of a block as pairs.</summary>
    [ThreadStatic]
    private static AlignedDoubles? _pairs;

    /// <summary>Adds to <paramref name="second"/> (K packed triangles) and, unless null, to <paramref name="first"/> (K x D).</summary>
    [SkipLocalsInit]
    public static void Add(
        double* columns, int dimension, double* responsibilities, int components, double* first, double* second, int lanes)
    {
        double* memory = stackalloc double[4 * Pair + 20 * 8 + 8];
        double* strip = (double*)(((nint)memory + 63) & ~63), sums = strip + 4 * Pair;
        int packed = Packed.Length(dimension);
        if (_pairs is null || _pairs.Length < (dimension + 1) / 2 * Pair) _pairs = new AlignedDoubles((dimension + 1) / 2 * Pair);
        double* pairs = _pairs.Pointer;
        for (int d = 0; d < dimension; d += 2)
        {
            double* x = columns + d * RowBlock.Stride;
            Interleave(x, d + 1 < dimension ? x + RowBlock.Stride : x, pairs + d / 2 * Pair, lanes);
        }
        int group = dimension <= 2 ? 4 : dimension <= 4 ? 2 : 1;
        for (int k = 0; k < components; k += group, second += group * packed)
        {
            int count = Math.Min(group, components - k);
            for (int c = 0; c < group; c++)
            {
                double* r = responsibilities + (k + Math.Min(c, count - 1)) * RowBlock.Stride;
                double* moments = first == null || c >= count ? null : first + (k + c) * dimension;
                if (group > 1)
                    for (int d = 0; d < dimension; d += 2)
                        Weigh(r, pairs + d / 2 * Pair, d + 1 < dimension, strip + (c * 4 / group + d / 2) * Pair, lanes,
                            moments == null ? null : moments + d);
                else
                    for (int i = 0, rows; i < dimension; i += rows)
                    {
                        // Seven rows go as eight; of fewer, four and the rest cost less.
                        rows = dimension - i >= 7 ? Math.Min(8, dimension - i) : Math.Min(4, dimension - i);
                        for (int row = 0; row < rows; row += 2)
                            Weigh(r, pairs + (i + row) / 2 * Pair, row + 1 < rows, strip + row / 2 * Pair, lanes,
                                moments == null ? null : moments + i + row);
                        Rows(strip, sums, pairs, second, i, rows, lanes);
                    }
            }
            if (group == 4) PairedSmallProducts.FourComponents(strip, pairs, sums, dimension, second, count, lanes);
            else if (group == 2) PairedSmallProducts.TwoComponents(strip, pairs, sums, dimension, second, count, lanes);
        }
    }

    /// <summary>Writes the lanes of two features as those of pairs: four of the one, four of the other.</summary>
    private static void Interleave(double* x, double* y, double* target, int lanes)
    {
        for (int n = 0; n < lanes; n += 4, target += 8)
        {
            Vector256.Store(Vector256.Load(x + n), target);
            Vector256.Store(Vector256.Load(y + n), target + 4);
        }
    }

    /// <summary>target = r x of two features; adds their sums, of four times four lanes each, the second only if there is one.</summary>
    private static void Weigh(double* r, double* x, bool hasSecond, double* target, int lanes, double* moments)
    {
        Vector512<double> sum0 = Vector512<double>.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
        double* r1 = r + 4, r2 = r + 8, r3 = r + 12;
        for (double* end = r + lanes; r < end; r += 16, r1 += 16, r2 += 16, r3 += 16, x += 32, target += 32)
        {
            Vector512<double> w0 = Lanes8.Twice(r) * Vector512.Load(x), w1 = Lanes8.Twice(r1) * Vector512.Load(x + 8);
            Vector512<double> w2 = Lanes8.Twice(r2) * Vector512.Load(x + 16), w3 = Lanes8.Twice(r3) * Vector512.Load(x + 24);
            Vector512.Store(w0, target);
            Vector512.Store(w1, target + 8);
            Vector512.Store(w2, target + 16);
            Vector512.Store(w3, target + 24);
            sum0 += w0;
            sum1 += w1;
            sum2 += w2;
            sum3 += w3;
        }
        if (moments == null) return;
        Vector512<double> sum = (sum0 + sum1) + (sum2 + sum3);
        moments[0] += Lanes4.Sum(sum.GetLower());
        if (hasSecond) moments[1] += Lanes4.Sum(sum.GetUpper());
    }

    /// <summary>Rows i .. i + rows - 1 of one triangle.</summary>
    private static void Rows(double* strip, double* sums, double* pairs, double* triangle, int i, int rows, int lanes)
    {
        double** row = stackalloc double*[8];
        for (int r = 0; r < 8; r++) row[r] = r < rows ? triangle + Packed.Index(i + r, 0) : null;
        for (int j = 0; j < i; j += 4)
            if (rows > 4) FourByFour(strip, pairs + j / 2 * Pair, row, sums, j, lanes);
            else TwoByFour(strip, rows > 2 ? strip + Pair : strip, pairs + j / 2 * Pair, row, sums, j, lanes);
        for (int r = 0; r < rows; r++) row[r] += i;
        double* x = pairs + i / 2 * Pair;
        if (rows > 4) EightRows(strip, x, rows == 8 ? x + 3 * Pair + 4 : x, row, sums, lanes);
        else if (rows > 2) FourRows(strip, x, rows == 4 ? x + Pair + 4 : x, row, sums, lanes);
        else TwoRows(strip, x, rows == 2 ? x + 4 : x, row, sums, lanes);
    }

    /// <summary>Adds the sums of a pair over up to four features, as a tile left them, to its two rows.</summary>
    /// <remarks>Inlined, or the first blocks of a process, until the runtime compiles it again, take several times as long.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddTo(double* row0, int count0, double* row1, int count1, double* sums)
    {
        Add(row0, count0, Lanes4.Sum4(
            Vector256.Load(sums), Vector256.Load(sums + 8), Vector256.Load(sums + 16), Vector256.Load(sums + 24)));
        if (row1 == null) return;
        sums += 4;
        Add(row1, count1, Lanes4.Sum4(
            Vector256.Load(sums), Vector256.Load(sums + 8), Vector256.Load(sums + 16), Vector256.Load(sums + 24)));
    }

    /// <summary>Leaves four accumulators in memory: live beyond the loop they would be spilled in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(double* sums, Vector512<double> a, Vector512<double> b, Vector512<double> c, Vector512<double> d)
    {
        Vector512.Store(a, sums);
        Vector512.Store(b, sums + 8);
        Vector512.Store(c, sums + 16);
        Vector512.Store(d, sums + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(double* target, int count, Vector256<double> value)
    {
        if (count == 4)
        {
            Vector256.Store(Vector256.Load(target) + value, target);
            return;
        }
        target[0] += value[0];
        if (count > 1) target[1] += value[1];
        if (count > 2) target[2] += value[2];
    }

    /// <summary>The diagonal tile of 7 or 8 rows: 20 accumulators.</summary>
    private static void EightRows(double* w, double* x, double* last, double** row, double* sums, int lanes)
    {
        Vector512<double> a00, a01, a10, a11, a12, a13, a20, a21, a22, a23, a24, a25, a30, a31, a32, a33, a34, a35, a36, a37;
        a00 = a01 = a10 = a11 = a12 = a13 = a20 = a21 = a22 = a23 = a24 = a25 = Vector512<double>.Zero;
        a30 = a31 = a32 = a33 = a34 = a35 = a36 = a37 = a00;
        double* y = x + 4;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, y += 8, last += 8)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), v2 = Vector512.Load(w + 2 * Pair),
                v3 = Vector512.Load(w + 3 * Pair), v = Lanes8.Twice(x);
            a00 = Lanes8.Fma(v0, v, a00); a10 = Lanes8.Fma(v1, v, a10); a20 = Lanes8.Fma(v2, v, a20); a30 = Lanes8.Fma(v3, v, a30);
            v = Lanes8.Twice(y);
            a01 = Lanes8.Fma(v0, v, a01); a11 = Lanes8.Fma(v1, v, a11); a21 = Lanes8.Fma(v2, v, a21); a31 = Lanes8.Fma(v3, v, a31);
            v = Lanes8.Twice(x + Pair);
            a12 = Lanes8.Fma(v1, v, a12); a22 = Lanes8.Fma(v2, v, a22); a32 = Lanes8.Fma(v3, v, a32);
            v = Lanes8.Twice(y + Pair);
            a13 = Lanes8.Fma(v1, v, a13); a23 = Lanes8.Fma(v2, v, a23); a33 = Lanes8.Fma(v3, v, a33);
            v = Lanes8.Twice(x + 2 * Pair);
            a24 = Lanes8.Fma(v2, v, a24); a34 = Lanes8.Fma(v3, v, a34);
            v = Lanes8.Twice(y + 2 * Pair);
            a25 = Lanes8.Fma(v2, v, a25); a35 = Lanes8.Fma(v3, v, a35);
            a36 = Lanes8.Fma(v3, Lanes8.Twice(x + 3 * Pair), a36);
            a37 = Lanes8.Fma(v3, Lanes8.Twice(last), a37);
        }
        Leave(sums, a00, a01, a24, a25);
        Leave(sums + 32, a10, a11, a12, a13);
        Leave(sums + 64, a20, a21, a22, a23);
        Leave(sums + 96, a30, a31, a32, a33);
        Leave(sums + 128, a34, a35, a36, a37);
        AddTo(row[0], 1, row[1], 2, sums);
        AddTo(row[2], 3, row[3], 4, sums + 32);
        AddTo(row[4], 4, row[5], 4, sums + 64);
        AddTo(row[4] + 4, 1, row[5] + 4, 2, sums + 16);
        AddTo(row[6], 4, row[7], 4, sums + 96);
        AddTo(row[6] + 4, 3, row[7] == null ? null : row[7] + 4, 4, sums + 128);
    }

    /// <summary>The diagonal tile of 3 or 4 rows: 6 accumulators.</summary>
    private static void FourRows(double* w, double* x, double* last, double** row, double* sums, int lanes)
    {
        Vector512<double> a00, a01, a10, a11, a12, a13;
        a00 = a01 = a10 = a11 = a12 = a13 = Vector512<double>.Zero;
        double* y = x + 4;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, y += 8, last += 8)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), v = Lanes8.Twice(x);
            a00 = Lanes8.Fma(v0, v, a00); a10 = Lanes8.Fma(v1, v, a10);
            v = Lanes8.Twice(y);
            a01 = Lanes8.Fma(v0, v, a01); a11 = Lanes8.Fma(v1, v, a11);
            a12 = Lanes8.Fma(v1, Lanes8.Twice(x + Pair), a12);
            a13 = Lanes8.Fma(v1, Lanes8.Twice(last), a13);
        }
        Leave(sums, a00, a01, a00, a01);
        Leave(sums + 32, a10, a11, a12, a13);
        AddTo(row[0], 1, row[1], 2, sums);
        AddTo(row[2], 3, row[3], 4, sums + 32);
    }

    /// <summary>The diagonal tile of 1 or 2 rows.</summary>
    private static void TwoRows(double* w, double* x, double* last, double** row, double* sums, int lanes)
    {
        Vector512<double> a00, a01;
        a00 = a01 = Vector512<double>.Zero;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, last += 8)
        {
            Vector512<double> v0 = Vector512.Load(w);
            a00 = Lanes8.Fma(v0, Lanes8.Twice(x), a00);
            a01 = Lanes8.Fma(v0, Lanes8.Twice(last), a01);
        }
        Leave(sums, a00, a01, a00, a01);
        AddTo(row[0], 1, row[1], 2, sums);
    }

    /// <summary>4 pairs by features j .. j + 3, j below i: 16 accumulators.</summary>
    private static void FourByFour(double* w, double* x, double** row, double* sums, int j, int lanes)
    {
        Vector512<double> a00, a01, a02, a03, a10, a11, a12, a13, a20, a21, a22, a23, a30, a31, a32, a33;
        a00 = a01 = a02 = a03 = a10 = a11 = a12 = a13 = a20 = a21 = a22 = a23 = a30 = a31 = a32 = a33 = Vector512<double>.Zero;
        double* y = x + 4;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, y += 8)
        {
            Vector512<double> x0 = Lanes8.Twice(x), x1 = Lanes8.Twice(y), x2 = Lanes8.Twice(x + Pair),
                x3 = Lanes8.Twice(y + Pair), v;
            v = Vector512.Load(w);
            a00 = Lanes8.Fma(v, x0, a00); a01 = Lanes8.Fma(v, x1, a01); a02 = Lanes8.Fma(v, x2, a02); a03 = Lanes8.Fma(v, x3, a03);
            v = Vector512.Load(w + Pair);
            a10 = Lanes8.Fma(v, x0, a10); a11 = Lanes8.Fma(v, x1, a11); a12 = Lanes8.Fma(v, x2, a12); a13 = Lanes8.Fma(v, x3, a13);
            v = Vector512.Load(w + 2 * Pair);
            a20 = Lanes8.Fma(v, x0, a20); a21 = Lanes8.Fma(v, x1, a21); a22 = Lanes8.Fma(v, x2, a22); a23 = Lanes8.Fma(v, x3, a23);
            v = Vector512.Load(w + 3 * Pair);
            a30 = Lanes8.Fma(v, x0, a30); a31 = Lanes8.Fma(v, x1, a31); a32 = Lanes8.Fma(v, x2, a32); a33 = Lanes8.Fma(v, x3, a33);
        }
        Leave(sums, a00, a01, a02, a03);
        Leave(sums + 32, a10, a11, a12, a13);
        Leave(sums + 64, a20, a21, a22, a23);
        Leave(sums + 96, a30, a31, a32, a33);
        for (int pair = 0; pair < 4; pair++, row += 2, sums += 32)
            AddTo(row[0] + j, 4, row[1] == null ? null : row[1] + j, 4, sums);
    }

    /// <summary>2 pairs, or one twice, by features j .. j + 3: 8 accumulators.</summary>
    private static void TwoByFour(double* w, double* w1, double* x, double** rows, double* sums, int j, int lanes)
    {
        double** row = rows;
        Vector512<double> a00, a01, a02, a03, a10, a11, a12, a13;
        a00 = a01 = a02 = a03 = a10 = a11 = a12 = a13 = Vector512<double>.Zero;
        double* y = x + 4;
        for (double* end = w + 2 * lanes; w < end; w += 8, w1 += 8, x += 8, y += 8)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w1), v = Lanes8.Twice(x);
            a00 = Lanes8.Fma(v0, v, a00); a10 = Lanes8.Fma(v1, v, a10);
            v = Lanes8.Twice(y);
            a01 = Lanes8.Fma(v0, v, a01); a11 = Lanes8.Fma(v1, v, a11);
            v = Lanes8.Twice(x + Pair);
            a02 = Lanes8.Fma(v0, v, a02); a12 = Lanes8.Fma(v1, v, a12);
            v = Lanes8.Twice(y + Pair);
            a03 = Lanes8.Fma(v0, v, a03); a13 = Lanes8.Fma(v1, v, a13);
        }
        Leave(sums, a00, a01, a02, a03);
        Leave(sums + 32, a10, a11, a12, a13);
        for (; row[0] != null && row < rows + 4; row += 2, sums += 32)
            AddTo(row[0] + j, 4, row[1] == null ? null : row[1] + j, 4, sums);
    }
}
