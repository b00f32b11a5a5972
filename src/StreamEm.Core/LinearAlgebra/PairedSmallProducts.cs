using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>The tiles of <see cref="PairedOuterProducts"/> for up to four features: several components keep the FMA ports busy.</summary>
internal static unsafe class PairedSmallProducts
{
    private const int Pair = PairedOuterProducts.Pair;

    /// <summary>Two components of 3 or 4 features: 12 accumulators.</summary>
    public static void TwoComponents(double* w, double* columns, int dimension, double* triangles, int count, int lanes)
    {
        Vector512<double> a00, a01, a10, a11, a12, a13, b00, b01, b10, b11, b12, b13;
        a00 = a01 = a10 = a11 = a12 = a13 = b00 = b01 = b10 = b11 = b12 = b13 = Vector512<double>.Zero;
        double* x = columns, last = dimension == 4 ? columns + 3 * RowBlock.Stride : columns;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 4, last += 4)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), u0 = Vector512.Load(w + 2 * Pair),
                u1 = Vector512.Load(w + 3 * Pair), v = Lanes8.Twice(x);
            a00 = Lanes8.Fma(v0, v, a00); a10 = Lanes8.Fma(v1, v, a10); b00 = Lanes8.Fma(u0, v, b00); b10 = Lanes8.Fma(u1, v, b10);
            v = Lanes8.Twice(x + RowBlock.Stride);
            a01 = Lanes8.Fma(v0, v, a01); a11 = Lanes8.Fma(v1, v, a11); b01 = Lanes8.Fma(u0, v, b01); b11 = Lanes8.Fma(u1, v, b11);
            v = Lanes8.Twice(x + 2 * RowBlock.Stride);
            a12 = Lanes8.Fma(v1, v, a12); b12 = Lanes8.Fma(u1, v, b12);
            v = Lanes8.Twice(last);
            a13 = Lanes8.Fma(v1, v, a13); b13 = Lanes8.Fma(u1, v, b13);
        }
        Add(triangles, a00, a01, a10, a11, a12, a13);
        if (count > 1) Add(triangles + Packed.Length(dimension), b00, b01, b10, b11, b12, b13);

        void Add(double* target, Vector512<double> t00, Vector512<double> t01, Vector512<double> t10, Vector512<double> t11,
            Vector512<double> t12, Vector512<double> t13)
        {
            PairedOuterProducts.AddTo(target, 1, target + 1, 2, t00, t01, Vector512<double>.Zero, Vector512<double>.Zero);
            PairedOuterProducts.AddTo(target + 3, 3, dimension == 4 ? target + 6 : null, 4, t10, t11, t12, t13);
        }
    }

    /// <summary>Four components of 1 or 2 features: 8 accumulators.</summary>
    public static void FourComponents(double* w, double* columns, int dimension, double* triangles, int count, int lanes)
    {
        Vector512<double> a0, a1, b0, b1, c0, c1, d0, d1;
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = Vector512<double>.Zero;
        double* x = columns, last = dimension == 2 ? columns + RowBlock.Stride : columns;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 4, last += 4)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), v2 = Vector512.Load(w + 2 * Pair),
                v3 = Vector512.Load(w + 3 * Pair), v = Lanes8.Twice(x);
            a0 = Lanes8.Fma(v0, v, a0); b0 = Lanes8.Fma(v1, v, b0); c0 = Lanes8.Fma(v2, v, c0); d0 = Lanes8.Fma(v3, v, d0);
            v = Lanes8.Twice(last);
            a1 = Lanes8.Fma(v0, v, a1); b1 = Lanes8.Fma(v1, v, b1); c1 = Lanes8.Fma(v2, v, c1); d1 = Lanes8.Fma(v3, v, d1);
        }
        int packed = Packed.Length(dimension);
        Add(triangles, a0, a1);
        if (count > 1) Add(triangles + packed, b0, b1);
        if (count > 2) Add(triangles + 2 * packed, c0, c1);
        if (count > 3) Add(triangles + 3 * packed, d0, d1);

        void Add(double* target, Vector512<double> t0, Vector512<double> t1) =>
            PairedOuterProducts.AddTo(
                target, 1, dimension == 2 ? target + 1 : null, 2, t0, t1, Vector512<double>.Zero, Vector512<double>.Zero);
    }
}
