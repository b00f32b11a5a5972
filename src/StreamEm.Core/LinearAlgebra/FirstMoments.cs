using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// sum_n r_kn x_nd as a matrix product: tiles of 4 components by 4 features (32 registers) or twice 4 by 2 (16), so that a loaded r serves
/// the tile's features and a loaded x its components: one FMA per (row, component, feature). The sums, of eight lanes
/// (<see cref="LaneSums"/>), stay in registers over all rows; every entry is the one that <see cref="DiagonalMoments"/> makes, to the byte.
/// </summary>
internal static unsafe class FirstMoments
{
    /// <summary>Components, and features, of a tile.</summary>
    private const int Side = 4;

    /// <summary>Adds to <paramref name="sums"/>, K x D.</summary>
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, double* responsibilities, int components, double* sums, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* memory = stackalloc double[Side * Side * LaneSums.Eights + 8];
        double* tile = (double*)(((nint)memory + 63) & ~63);
        for (int k = 0; k < components; k += Side)
        {
            double* r = responsibilities + (nint)k * RowBlock.Stride;
            int rows = Math.Min(Side, components - k);
            for (int d = 0; d < dimension; d += Side)
            {
                double* x = columns + (nint)d * RowBlock.Stride;
                int features = Math.Min(Side, dimension - d);
                if (TLanes.Count == LaneSums.Eights) FourByFour<TLanes, TVector>(x, features, r, rows, tile, lanes);
                else
                    for (int offset = 0; offset < LaneSums.Eights; offset += TLanes.Count)
                    {
                        FourByTwo<TLanes, TVector>(x + offset, features, r + offset, rows, tile + offset, lanes);
                        if (features > 2)
                            FourByTwo<TLanes, TVector>(
                                x + 2 * RowBlock.Stride + offset, features - 2, r + offset, rows, tile + 2 * LaneSums.Eights + offset,
                                lanes);
                    }
                Scatter(tile, sums + (nint)k * dimension + d, dimension, rows, features);
            }
        }
    }

    /// <summary>16 sums, 4 features and a responsibility: 21 registers of 32.</summary>
    private static void FourByFour<TLanes, TVector>(double* x0, int features, double* r0, int rows, double* tile, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* x1 = Row(x0, 1, features), x2 = Row(x0, 2, features), x3 = Row(x0, 3, features);
        double* r1 = Row(r0, 1, rows), r2 = Row(r0, 2, rows), r3 = Row(r0, 3, rows);
        TVector s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33;
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = TLanes.Broadcast(0);
        for (int n = 0; n < lanes; n += LaneSums.Eights)
        {
            TVector v0 = TLanes.Load(x0 + n), v1 = TLanes.Load(x1 + n), v2 = TLanes.Load(x2 + n), v3 = TLanes.Load(x3 + n),
                r = TLanes.Load(r0 + n);
            s00 = TLanes.Fma(r, v0, s00); s01 = TLanes.Fma(r, v1, s01); s02 = TLanes.Fma(r, v2, s02); s03 = TLanes.Fma(r, v3, s03);
            r = TLanes.Load(r1 + n);
            s10 = TLanes.Fma(r, v0, s10); s11 = TLanes.Fma(r, v1, s11); s12 = TLanes.Fma(r, v2, s12); s13 = TLanes.Fma(r, v3, s13);
            r = TLanes.Load(r2 + n);
            s20 = TLanes.Fma(r, v0, s20); s21 = TLanes.Fma(r, v1, s21); s22 = TLanes.Fma(r, v2, s22); s23 = TLanes.Fma(r, v3, s23);
            r = TLanes.Load(r3 + n);
            s30 = TLanes.Fma(r, v0, s30); s31 = TLanes.Fma(r, v1, s31); s32 = TLanes.Fma(r, v2, s32); s33 = TLanes.Fma(r, v3, s33);
        }
        Keep<TLanes, TVector>(tile, s00, s01, s02, s03);
        Keep<TLanes, TVector>(tile + Side * LaneSums.Eights, s10, s11, s12, s13);
        Keep<TLanes, TVector>(tile + 2 * Side * LaneSums.Eights, s20, s21, s22, s23);
        Keep<TLanes, TVector>(tile + 3 * Side * LaneSums.Eights, s30, s31, s32, s33);
    }

    /// <summary>8 sums, 2 features and a responsibility: 11 registers of 16. What a vector holds of every eight lanes.</summary>
    private static void FourByTwo<TLanes, TVector>(double* x0, int features, double* r0, int rows, double* tile, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* x1 = Row(x0, 1, features), r1 = Row(r0, 1, rows), r2 = Row(r0, 2, rows), r3 = Row(r0, 3, rows);
        TVector s00, s01, s10, s11, s20, s21, s30, s31;
        s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = TLanes.Broadcast(0);
        for (int n = 0; n < lanes; n += LaneSums.Eights)
        {
            TVector v0 = TLanes.Load(x0 + n), v1 = TLanes.Load(x1 + n), r = TLanes.Load(r0 + n);
            s00 = TLanes.Fma(r, v0, s00); s01 = TLanes.Fma(r, v1, s01);
            r = TLanes.Load(r1 + n);
            s10 = TLanes.Fma(r, v0, s10); s11 = TLanes.Fma(r, v1, s11);
            r = TLanes.Load(r2 + n);
            s20 = TLanes.Fma(r, v0, s20); s21 = TLanes.Fma(r, v1, s21);
            r = TLanes.Load(r3 + n);
            s30 = TLanes.Fma(r, v0, s30); s31 = TLanes.Fma(r, v1, s31);
        }
        TLanes.Store(s00, tile);
        TLanes.Store(s01, tile + LaneSums.Eights);
        TLanes.Store(s10, tile + Side * LaneSums.Eights);
        TLanes.Store(s11, tile + (Side + 1) * LaneSums.Eights);
        TLanes.Store(s20, tile + 2 * Side * LaneSums.Eights);
        TLanes.Store(s21, tile + (2 * Side + 1) * LaneSums.Eights);
        TLanes.Store(s30, tile + 3 * Side * LaneSums.Eights);
        TLanes.Store(s31, tile + (3 * Side + 1) * LaneSums.Eights);
    }

    /// <summary>Row <paramref name="index"/>, or the first again where there is none: its sums are then not used.</summary>
    private static double* Row(double* rows, int index, int count) => index < count ? rows + index * RowBlock.Stride : rows;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep<TLanes, TVector>(double* tile, TVector s0, TVector s1, TVector s2, TVector s3)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TLanes.Store(s0, tile);
        TLanes.Store(s1, tile + LaneSums.Eights);
        TLanes.Store(s2, tile + 2 * LaneSums.Eights);
        TLanes.Store(s3, tile + 3 * LaneSums.Eights);
    }

    /// <summary>Adds the sums over the lanes of <paramref name="rows"/> components and <paramref name="features"/> features.</summary>
    private static void Scatter(double* tile, double* target, int dimension, int rows, int features)
    {
        for (int k = 0; k < rows; k++, tile += Side * LaneSums.Eights, target += dimension)
        {
            Vector256<double> total = Lanes4.Sum4(
                Vector256.Load(tile) + Vector256.Load(tile + 4), Vector256.Load(tile + 8) + Vector256.Load(tile + 12),
                Vector256.Load(tile + 16) + Vector256.Load(tile + 20), Vector256.Load(tile + 24) + Vector256.Load(tile + 28));
            if (features == Side) Vector256.Store(Vector256.Load(target) + total, target);
            else
                for (int d = 0; d < features; d++) target[d] += total[d];
        }
    }
}
