using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// sum_n r_kn x_nd and sum_n r_kn x_nd^2: tiles of 4 components by {x, x^2} of one feature, so that a loaded x and its square serve four
/// components and a loaded r both sums. The sums stay in registers over all lanes.
/// </summary>
internal static unsafe class DiagonalMoments
{
    /// <summary>Adds to <paramref name="first"/> and <paramref name="second"/>, K x D each; either may be null.</summary>
    public static void Add<TLanes, TVector>(
        double* columns, int dimension, double* responsibilities, int components, double* first, double* second, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int k = 0; k < components; k += 4)
        {
            double* r = responsibilities + k * RowBlock.Stride;
            int count = Math.Min(4, components - k);
            for (int d = 0; d < dimension; d++)
            {
                Vector256<double> sums, squares;
                if (count == 1) One<TLanes, TVector>(columns + d * RowBlock.Stride, r, lanes, out sums, out squares);
                else
                    Four<TLanes, TVector>(columns + d * RowBlock.Stride, r, r + RowBlock.Stride, Row(r, 2, count), Row(r, 3, count), lanes,
                        out sums, out squares);
                int at = k * dimension + d;
                if (first != null) Scatter(sums, first + at, dimension, count);
                if (second != null) Scatter(squares, second + at, dimension, count);
            }
        }
    }

    /// <summary>Row <paramref name="index"/>, or the first again where there is none: its sums are then not used.</summary>
    private static double* Row(double* r, int index, int count) => index < count ? r + index * RowBlock.Stride : r;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scatter(Vector256<double> sums, double* target, int dimension, int count)
    {
        target[0] += sums[0];
        if (count > 1) target[dimension] += sums[1];
        if (count > 2) target[2 * dimension] += sums[2];
        if (count > 3) target[3 * dimension] += sums[3];
    }

    private static void Four<TLanes, TVector>(
        double* x, double* r0, double* r1, double* r2, double* r3, int lanes, out Vector256<double> sums, out Vector256<double> squares)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3, q0, q1, q2, q3;
        s0 = s1 = s2 = s3 = q0 = q1 = q2 = q3 = TLanes.Broadcast(0);
        for (int n = 0; n < lanes; n += TLanes.Count)
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
        sums = TLanes.Sum4(s0, s1, s2, s3);
        squares = TLanes.Sum4(q0, q1, q2, q3);
    }

    private static void One<TLanes, TVector>(double* x, double* r, int lanes, out Vector256<double> sums, out Vector256<double> squares)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, q0, q1, zero = TLanes.Broadcast(0);
        s0 = s1 = q0 = q1 = zero;
        for (int n = 0; n < lanes; n += 2 * TLanes.Count)
        {
            TVector v = TLanes.Load(x + n), w = TLanes.Multiply(TLanes.Load(r + n), v);
            s0 = TLanes.Add(s0, w);
            q0 = TLanes.Fma(w, v, q0);
            v = TLanes.Load(x + n + TLanes.Count);
            w = TLanes.Multiply(TLanes.Load(r + n + TLanes.Count), v);
            s1 = TLanes.Add(s1, w);
            q1 = TLanes.Fma(w, v, q1);
        }
        sums = TLanes.Sum4(TLanes.Add(s0, s1), zero, zero, zero);
        squares = TLanes.Sum4(TLanes.Add(q0, q1), zero, zero, zero);
    }
}
