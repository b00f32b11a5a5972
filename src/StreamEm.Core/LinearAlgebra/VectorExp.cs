using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// exp for x in [-inf, 709] with a relative error below 1e-15. Results below 2^-1022 (x &lt; -708.39) are lost: zero or
/// subnormal; from -708.75 down and at -inf exactly zero. NaN stays NaN.
/// x = n ln 2 + r; 2^n comes from the exponent bits of n plus a constant that pushes its integer into the low bits of the mantissa.
/// </summary>
internal static partial class VectorExp
{
    private const double Log2E = 1.4426950408889634;

    /// <summary>-1023 ln 2: x is cut off where the biased exponent becomes 0, whose bits are the factor 0.</summary>
    private const double Lowest = -709.08956571282405;
    private const double Ln2 = 0.6931471805599453, Ln2Tail = 2.3190468138462996e-17;

    /// <summary>1.5 * 2^52 + 1023: adding it rounds to an integer and leaves n + 1023, the biased exponent, in the low bits.</summary>
    private const double Rounder = 6755399441055744 + 1023;

    /// <summary>Overwrites every value by exp(value - <paramref name="subtrahend"/>), the difference in the range above.</summary>
    public static void OfDifferences(Span<double> values, double subtrahend)
    {
        Vector256<double> less = Vector256.Create(subtrahend);
        Span<double> four = stackalloc double[4];
        for (int at = 0; at < values.Length; at += 4)
        {
            Span<double> part = values.Slice(at, Math.Min(4, values.Length - at));
            part.CopyTo(four);
            Vector256<double> result = Polynomial<Lanes4, Vector256<double>>(Vector256.Create<double>(four) - less);
            if (part.Length == 4) result.CopyTo(part);
            else
                for (int lane = 0; lane < part.Length; lane++) part[lane] = result[lane];
        }
    }

    /// <summary>Degree 10 on |r| &lt;= ln 2 / 2, fitted at Chebyshev nodes, Horner's way: truncation 6e-16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Polynomial<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        x = TLanes.Max(TLanes.Broadcast(Lowest), x);
        TVector rounder = TLanes.Broadcast(Rounder);
        TVector biased = TLanes.Fma(x, TLanes.Broadcast(Log2E), rounder);
        TVector n = TLanes.Subtract(biased, rounder);
        TVector r = TLanes.Fma(n, TLanes.Broadcast(-Ln2), x);
        r = TLanes.Fma(n, TLanes.Broadcast(-Ln2Tail), r);

        TVector p = TLanes.Broadcast(2.7620075880345913e-07);
        p = TLanes.Fma(p, r, TLanes.Broadcast(2.763264067586544e-06));
        p = TLanes.Fma(p, r, TLanes.Broadcast(2.480152132236793e-05));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.00019841190647543324));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.0013888888917196719));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.008333333367311605));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.041666666666624164));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.16666666666615648));
        p = TLanes.Fma(p, r, TLanes.Broadcast(0.5000000000000001));
        p = TLanes.Fma(p, r, TLanes.Broadcast(1.0000000000000013));
        p = TLanes.Fma(p, r, TLanes.Broadcast(1));
        return TLanes.Multiply(p, TLanes.ShiftLeft(biased, 52));
    }

    /// <summary>
    /// Overwrites four vectors x by the same polynomial in the same order. Written out side by side because one exponential is a chain of
    /// 17 dependent operations: the scheduler is full long before it reaches a second chain, so program order has to hold four.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourPolynomials<TLanes, TVector>(ref TVector x0, ref TVector x1, ref TVector x2, ref TVector x3)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector c = TLanes.Broadcast(Lowest);
        TVector r0 = TLanes.Max(c, x0);
        TVector r1 = TLanes.Max(c, x1);
        TVector r2 = TLanes.Max(c, x2);
        TVector r3 = TLanes.Max(c, x3);
        c = TLanes.Broadcast(Rounder);
        TVector v = TLanes.Broadcast(Log2E);
        TVector b0 = TLanes.Fma(r0, v, c);
        TVector b1 = TLanes.Fma(r1, v, c);
        TVector b2 = TLanes.Fma(r2, v, c);
        TVector b3 = TLanes.Fma(r3, v, c);
        TVector n0 = TLanes.Subtract(b0, c);
        TVector n1 = TLanes.Subtract(b1, c);
        TVector n2 = TLanes.Subtract(b2, c);
        TVector n3 = TLanes.Subtract(b3, c);
        v = TLanes.Broadcast(-Ln2);
        r0 = TLanes.Fma(n0, v, r0);
        r1 = TLanes.Fma(n1, v, r1);
        r2 = TLanes.Fma(n2, v, r2);
        r3 = TLanes.Fma(n3, v, r3);
        v = TLanes.Broadcast(-Ln2Tail);
        r0 = TLanes.Fma(n0, v, r0);
        r1 = TLanes.Fma(n1, v, r1);
        r2 = TLanes.Fma(n2, v, r2);
        r3 = TLanes.Fma(n3, v, r3);
        b0 = TLanes.ShiftLeft(b0, 52);
        b1 = TLanes.ShiftLeft(b1, 52);
        b2 = TLanes.ShiftLeft(b2, 52);
        b3 = TLanes.ShiftLeft(b3, 52);
        v = TLanes.Broadcast(2.7620075880345913e-07);
        c = TLanes.Broadcast(2.763264067586544e-06);
        TVector p0 = TLanes.Fma(v, r0, c);
        TVector p1 = TLanes.Fma(v, r1, c);
        TVector p2 = TLanes.Fma(v, r2, c);
        TVector p3 = TLanes.Fma(v, r3, c);
        c = TLanes.Broadcast(2.480152132236793e-05);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.00019841190647543324);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.0013888888917196719);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.008333333367311605);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.041666666666624164);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.16666666666615648);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(0.5000000000000001);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(1.0000000000000013);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        c = TLanes.Broadcast(1);
        p0 = TLanes.Fma(p0, r0, c);
        p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c);
        p3 = TLanes.Fma(p3, r3, c);
        x0 = TLanes.Multiply(p0, b0);
        x1 = TLanes.Multiply(p1, b1);
        x2 = TLanes.Multiply(p2, b2);
        x3 = TLanes.Multiply(p3, b3);
    }
}
