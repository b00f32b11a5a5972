using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>The tiles of <see cref="PairedOuterProducts"/> for up to four features: several components keep the FMA ports busy.</summary>
internal static unsafe class PairedSmallProducts
{
    private const int Pair = PairedOuterProducts.Pair;

    /// <summary>Two components of 3 or 4 features: 12 accumulators.</summary>
    public static void TwoComponents(double* w, double* pairs, double* sums, int dimension, double* triangles, int count, int lanes)
    {
        Vector512<double> a00, a01, a10, a11, a12, a13, b00, b01, b10, b11, b12, b13;
        a00 = a01 = a10 = a11 = a12 = a13 = b00 = b01 = b10 = b11 = b12 = b13 = Vector512<double>.Zero;
        double* x = pairs, y = pairs + 4, last = dimension == 4 ? pairs + Pair + 4 : pairs;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, y += 8, last += 8)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), u0 = Vector512.Load(w + 2 * Pair),
                u1 = Vector512.Load(w + 3 * Pair), v = Lanes8.Twice(x);
            a00 = Lanes8.Fma(v0, v, a00); a10 = Lanes8.Fma(v1, v, a10); b00 = Lanes8.Fma(u0, v, b00); b10 = Lanes8.Fma(u1, v, b10);
            v = Lanes8.Twice(y);
            a01 = Lanes8.Fma(v0, v, a01); a11 = Lanes8.Fma(v1, v, a11); b01 = Lanes8.Fma(u0, v, b01); b11 = Lanes8.Fma(u1, v, b11);
            v = Lanes8.Twice(x + Pair);
            a12 = Lanes8.Fma(v1, v, a12); b12 = Lanes8.Fma(u1, v, b12);
            v = Lanes8.Twice(last);
            a13 = Lanes8.Fma(v1, v, a13); b13 = Lanes8.Fma(u1, v, b13);
        }
        PairedOuterProducts.Leave(sums, a00, a01, a00, a01);
        PairedOuterProducts.Leave(sums + 32, a10, a11, a12, a13);
        PairedOuterProducts.Leave(sums + 64, b00, b01, b00, b01);
        PairedOuterProducts.Leave(sums + 96, b10, b11, b12, b13);
        for (int c = 0; c < count; c++, triangles += Packed.Length(dimension), sums += 64)
        {
            PairedOuterProducts.AddTo(triangles, 1, triangles + 1, 2, sums);
            PairedOuterProducts.AddTo(triangles + 3, 3, dimension == 4 ? triangles + 6 : null, 4, sums + 32);
        }
    }

    /// <summary>Four components of 1 or 2 features: 8 accumulators.</summary>
    public static void FourComponents(double* w, double* pairs, double* sums, int dimension, double* triangles, int count, int lanes)
    {
        Vector512<double> a0, a1, b0, b1, c0, c1, d0, d1;
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = Vector512<double>.Zero;
        double* x = pairs, last = dimension == 2 ? pairs + 4 : pairs;
        for (double* end = w + 2 * lanes; w < end; w += 8, x += 8, last += 8)
        {
            Vector512<double> v0 = Vector512.Load(w), v1 = Vector512.Load(w + Pair), v2 = Vector512.Load(w + 2 * Pair),
                v3 = Vector512.Load(w + 3 * Pair), v = Lanes8.Twice(x);
            a0 = Lanes8.Fma(v0, v, a0); b0 = Lanes8.Fma(v1, v, b0); c0 = Lanes8.Fma(v2, v, c0); d0 = Lanes8.Fma(v3, v, d0);
            v = Lanes8.Twice(last);
            a1 = Lanes8.Fma(v0, v, a1); b1 = Lanes8.Fma(v1, v, b1); c1 = Lanes8.Fma(v2, v, c1); d1 = Lanes8.Fma(v3, v, d1);
        }
        PairedOuterProducts.Leave(sums, a0, a1, a0, a1);
        PairedOuterProducts.Leave(sums + 32, b0, b1, b0, b1);
        PairedOuterProducts.Leave(sums + 64, c0, c1, c0, c1);
        PairedOuterProducts.Leave(sums + 96, d0, d1, d0, d1);
        for (int c = 0; c < count; c++, triangles += Packed.Length(dimension), sums += 32)
            PairedOuterProducts.AddTo(triangles, 1, dimension == 2 ? triangles + 1 : null, 2, sums);
    }
}
