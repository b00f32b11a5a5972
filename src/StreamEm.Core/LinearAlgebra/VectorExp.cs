using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// exp for x in [-inf, 709] with a relative error below 1e-15. Results below 2^-1022 (x &lt; -708.39) are lost: zero or
/// subnormal; from -708.75 down and at -inf exactly zero. NaN stays NaN.
/// x = n ln 2 + r; 2^n comes from the exponent bits of n plus a constant that pushes its integer into the low bits of the mantissa.
/// </summary>
internal static class VectorExp
{
    private const double Log2E = 1.4426950408889634;

    /// <summary>-1023 ln 2: x is cut off where the biased exponent becomes 0, whose bits are the factor 0.</summary>
    private const double Lowest = -709.08956571282405;
    private const double Ln2 = 0.6931471805599453, Ln2Tail = 2.3190468138462996e-17;

    /// <summary>1.5 * 2^52 + 1023: adding it rounds to an integer and leaves n + 1023, the biased exponent, in the low bits.</summary>
    private const double Rounder = 6755399441055744 + 1023;

    /// <summary>The same for sixteenths: the integer is 16 (n + 1023) + j.</summary>
    private const double RounderOf16 = 6755399441055744 + 16 * 1023;

    /// <summary>Degree 10 on |r| &lt;= ln 2 / 2, fitted at Chebyshev nodes: truncation 6e-16.</summary>
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

        // Even and odd powers apart and each in pairs: a third of the chain of dependent operations, which is what one vector alone waits
        // for.
        TVector square = TLanes.Multiply(r, r), fourth = TLanes.Multiply(square, square);
        TVector even = TLanes.Fma(TLanes.Broadcast(0.0013888888917196719), square, TLanes.Broadcast(0.041666666666624164));
        TVector odd = TLanes.Fma(TLanes.Broadcast(0.00019841190647543324), square, TLanes.Broadcast(0.008333333367311605));
        TVector high = TLanes.Fma(TLanes.Broadcast(2.7620075880345913e-07), square, TLanes.Broadcast(2.480152132236793e-05));
        even = TLanes.Fma(TLanes.Fma(high, fourth, even), square, TLanes.Broadcast(0.5000000000000001));
        odd = TLanes.Fma(TLanes.Broadcast(2.763264067586544e-06), fourth, odd);
        odd = TLanes.Fma(odd, fourth, TLanes.Fma(TLanes.Broadcast(0.16666666666615648), square, TLanes.Broadcast(1.0000000000000013)));
        TVector p = TLanes.Fma(even, square, TLanes.Fma(odd, r, TLanes.Broadcast(1)));
        return TLanes.Multiply(p, TLanes.ShiftLeft(biased, 52));
    }

    /// <summary>
    /// Overwrites four vectors x by the same polynomial, Horner's way. Written out side by side because one exponential is a chain of 17
    /// dependent operations: the scheduler is full long before it reaches a second chain, so program order has to hold four.
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

    /// <summary>A table of 2^(j/16) in two registers and degree 6 on |r| &lt;= ln 2 / 32: truncation 2e-17.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Table(Vector512<double> x)
    {
        x = Vector512.MaxNative(Vector512.Create(Lowest), x);
        Vector512<double> rounder = Vector512.Create(RounderOf16);
        Vector512<double> biased = Vector512.FusedMultiplyAdd(x, Vector512.Create(16 * Log2E), rounder);
        Vector512<double> n = biased - rounder;
        Vector512<double> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2 / 16), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Tail / 16), r);
        Vector512<double> p =
            Vector512.FusedMultiplyAdd(Vector512.Create(0.0013889034348612895), r, Vector512.Create(0.008333449701264201));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.04166666666496045));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.1666666666530169));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5));
        p = Vector512.FusedMultiplyAdd(p * r, r, r);
        Vector512<double> root = Lookup(biased.AsInt64());
        p = Vector512.FusedMultiplyAdd(p, root, root);
        Vector512<double> scale = Vector512.ShiftLeft(Vector512.ShiftRightLogical(biased.AsInt64(), 4), 52).AsDouble();
        return p * scale;
    }

    /// <summary>2^(j/16) for the low four bits j of every index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Lookup(Vector512<long> indices)
    {
        Vector512<double> lower = Vector512.Create(
            1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916, 1.189207115002721, 1.241857812073484, 1.2968395546510096,
            1.3542555469368927);
        Vector512<double> upper = Vector512.Create(
            1.4142135623730951, 1.4768261459394993, 1.5422108254079407, 1.6104903319492543, 1.681792830507429, 1.7562521603732995,
            1.8340080864093424, 1.9152065613971474);
        if (Avx512F.IsSupported) return Avx512F.PermuteVar8x64x2(lower, indices, upper);
        Vector512<long> inHalf = indices & Vector512.Create(7L);
        Vector512<long> inUpper = Vector512.Equals(indices & Vector512.Create(8L), Vector512.Create(8L));
        return Vector512.ConditionalSelect(inUpper.AsDouble(), Vector512.Shuffle(upper, inHalf), Vector512.Shuffle(lower, inHalf));
    }
}
