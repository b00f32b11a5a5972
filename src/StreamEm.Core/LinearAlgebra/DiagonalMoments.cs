using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// sum_n r_kn x_nd and sum_n r_kn x_nd^2: tiles of 4 components by {x, x^2} of one feature, so that a loaded x and its square serve four
/// components and a loaded r both sums. The sums, of eight lanes (<see cref="LaneSums"/>), stay in registers over all lanes that a vector
/// holds of every eight; narrower ones go over the rows again.
/// </summary>
internal static unsafe class DiagonalMoments
{
    /// <summary>Sums of one tile: {x, x^2} of four components.</summary>
    private const int Tile = 8;

    /// <summary>Adds to <paramref name="first"/> and <paramref name="second"/>, K x D each; either may be null.</summary>
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, double* responsibilities, int components, double* first, double* second, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* memory = stackalloc double[Tile * LaneSums.Eights + 8];
        double* sums = (double*)(((nint)memory + 63) & ~63);
        for (int k = 0; k < components; k += 4)
        {
            double* r = responsibilities + k * RowBlock.Stride;
            int count = Math.Min(4, components - k);
            double* r1 = Row(r, 1, count), r2 = Row(r, 2, count), r3 = Row(r, 3, count);
            for (int d = 0; d < dimension; d++)
            {
                double* x = columns + d * RowBlock.Stride;
                for (int offset = 0; offset < LaneSums.Eights; offset += TLanes.Count)
                {
                    if (count == 1) One<TLanes, TVector>(x + offset, r + offset, lanes, sums + offset);
                    else Four<TLanes, TVector>(x + offset, r + offset, r1 + offset, r2 + offset, r3 + offset, lanes, sums + offset);
                }
                int at = k * dimension + d;
                if (first != null) Scatter(sums, first + at, dimension, count);
                if (second != null) Scatter(sums + 4 * LaneSums.Eights, second + at, dimension, count);
            }
        }
    }

    /// <summary>Row <paramref name="index"/>, or the first again where there is none: its sums are then not used.</summary>
    private static double* Row(double* r, int index, int count) => index < count ? r + index * RowBlock.Stride : r;

    /// <summary>Adds the sums over the lanes of <paramref name="count"/> components.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(double* sums, double* target, int dimension, int count)
    {
        Vector256<double> a = Vector256.Load(sums) + Vector256.Load(sums + 4);
        if (count == 1)
        {
            target[0] += Lanes4.Sum(a);
            return;
        }
        Vector256<double> total = Lanes4.Sum4(
            a, Vector256.Load(sums + 8) + Vector256.Load(sums + 12), Vector256.Load(sums + 16) + Vector256.Load(sums + 20),
            Vector256.Load(sums + 24) + Vector256.Load(sums + 28));
        target[0] += total[0];
        target[dimension] += total[1];
        if (count > 2) target[2 * dimension] += total[2];
        if (count > 3) target[3 * dimension] += total[3];
    }

    private static void Four<TLanes, TVector>(
        double* x, double* r0, double* r1, double* r2, double* r3, int lanes, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3, q0, q1, q2, q3;
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = TLanes.Broadcast(0);
        for (int n = 0; n < lanes; n += LaneSums.Eights)
        {
            TVector v = TLanes.Load(x + n), v2 = TLanes.Multiply(v, v), r = TLanes.Load(r0 + n);
            s0 = TLanes.Fma(r, v, s0);
            q0 = TLanes.Fma(r, v2, q0);
            r = TLanes.Load(r1 + n);
            s1 = TLanes.Fma(r, v, s1);
            q1 = TLanes.Fma(r, v2, q1);
            r = TLanes.Load(r2 + n);
            s2 = TLanes.Fma(r, v, s2);
            q2 = TLanes.Fma(r, v2, q2);
            r = TLanes.Load(r3 + n);
            s3 = TLanes.Fma(r, v, s3);
            q3 = TLanes.Fma(r, v2, q3);
        }
        TLanes.Store(s0, sums);
        TLanes.Store(s1, sums + 8);
        TLanes.Store(s2, sums + 16);
        TLanes.Store(s3, sums + 24);
        TLanes.Store(q0, sums + 32);
        TLanes.Store(q1, sums + 40);
        TLanes.Store(q2, sums + 48);
        TLanes.Store(q3, sums + 56);
    }

    private static void One<TLanes, TVector>(double* x, double* r, int lanes, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s = TLanes.Broadcast(0), q = s;
        for (int n = 0; n < lanes; n += LaneSums.Eights)
        {
            TVector v = TLanes.Load(x + n), w = TLanes.Load(r + n);
            s = TLanes.Fma(w, v, s);
            q = TLanes.Fma(w, TLanes.Multiply(v, v), q);
        }
        TLanes.Store(s, sums);
        TLanes.Store(q, sums + 4 * LaneSums.Eights);
    }
}
