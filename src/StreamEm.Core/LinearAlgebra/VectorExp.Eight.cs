using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

internal static partial class VectorExp
{
    /// <summary>
    /// <see cref="FourPolynomials"/> of eight vectors, to the same bytes, for 32 registers: 16 for arguments and results, 8 for the powers
    /// of two. With four, AVX-512 waits for its chain of 17 operations of four cycles most of the time.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EightPolynomials<TLanes, TVector>(
        ref TVector x0, ref TVector x1, ref TVector x2, ref TVector x3, ref TVector x4, ref TVector x5, ref TVector x6, ref TVector x7)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector c = TLanes.Broadcast(Lowest);
        TVector r0 = TLanes.Max(c, x0); TVector r1 = TLanes.Max(c, x1);
        TVector r2 = TLanes.Max(c, x2); TVector r3 = TLanes.Max(c, x3);
        TVector r4 = TLanes.Max(c, x4); TVector r5 = TLanes.Max(c, x5);
        TVector r6 = TLanes.Max(c, x6); TVector r7 = TLanes.Max(c, x7);
        c = TLanes.Broadcast(Rounder);
        TVector v = TLanes.Broadcast(Log2E);
        TVector b0 = TLanes.Fma(r0, v, c); TVector b1 = TLanes.Fma(r1, v, c);
        TVector b2 = TLanes.Fma(r2, v, c); TVector b3 = TLanes.Fma(r3, v, c);
        TVector b4 = TLanes.Fma(r4, v, c); TVector b5 = TLanes.Fma(r5, v, c);
        TVector b6 = TLanes.Fma(r6, v, c); TVector b7 = TLanes.Fma(r7, v, c);
        v = TLanes.Broadcast(-Ln2);
        TVector p0 = TLanes.Subtract(b0, c); TVector p1 = TLanes.Subtract(b1, c);
        TVector p2 = TLanes.Subtract(b2, c); TVector p3 = TLanes.Subtract(b3, c);
        TVector p4 = TLanes.Subtract(b4, c); TVector p5 = TLanes.Subtract(b5, c);
        TVector p6 = TLanes.Subtract(b6, c); TVector p7 = TLanes.Subtract(b7, c);
        r0 = TLanes.Fma(p0, v, r0); r1 = TLanes.Fma(p1, v, r1);
        r2 = TLanes.Fma(p2, v, r2); r3 = TLanes.Fma(p3, v, r3);
        r4 = TLanes.Fma(p4, v, r4); r5 = TLanes.Fma(p5, v, r5);
        r6 = TLanes.Fma(p6, v, r6); r7 = TLanes.Fma(p7, v, r7);
        v = TLanes.Broadcast(-Ln2Tail);
        r0 = TLanes.Fma(p0, v, r0); r1 = TLanes.Fma(p1, v, r1);
        r2 = TLanes.Fma(p2, v, r2); r3 = TLanes.Fma(p3, v, r3);
        r4 = TLanes.Fma(p4, v, r4); r5 = TLanes.Fma(p5, v, r5);
        r6 = TLanes.Fma(p6, v, r6); r7 = TLanes.Fma(p7, v, r7);
        b0 = TLanes.ShiftLeft(b0, 52); b1 = TLanes.ShiftLeft(b1, 52);
        b2 = TLanes.ShiftLeft(b2, 52); b3 = TLanes.ShiftLeft(b3, 52);
        b4 = TLanes.ShiftLeft(b4, 52); b5 = TLanes.ShiftLeft(b5, 52);
        b6 = TLanes.ShiftLeft(b6, 52); b7 = TLanes.ShiftLeft(b7, 52);
        v = TLanes.Broadcast(2.7620075880345913e-07);
        c = TLanes.Broadcast(2.763264067586544e-06);
        p0 = TLanes.Fma(v, r0, c); p1 = TLanes.Fma(v, r1, c);
        p2 = TLanes.Fma(v, r2, c); p3 = TLanes.Fma(v, r3, c);
        p4 = TLanes.Fma(v, r4, c); p5 = TLanes.Fma(v, r5, c);
        p6 = TLanes.Fma(v, r6, c); p7 = TLanes.Fma(v, r7, c);
        c = TLanes.Broadcast(2.480152132236793e-05);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.00019841190647543324);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.0013888888917196719);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.008333333367311605);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.041666666666624164);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.16666666666615648);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(0.5000000000000001);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(1.0000000000000013);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        c = TLanes.Broadcast(1);
        p0 = TLanes.Fma(p0, r0, c); p1 = TLanes.Fma(p1, r1, c);
        p2 = TLanes.Fma(p2, r2, c); p3 = TLanes.Fma(p3, r3, c);
        p4 = TLanes.Fma(p4, r4, c); p5 = TLanes.Fma(p5, r5, c);
        p6 = TLanes.Fma(p6, r6, c); p7 = TLanes.Fma(p7, r7, c);
        x0 = TLanes.Multiply(p0, b0); x1 = TLanes.Multiply(p1, b1);
        x2 = TLanes.Multiply(p2, b2); x3 = TLanes.Multiply(p3, b3);
        x4 = TLanes.Multiply(p4, b4); x5 = TLanes.Multiply(p5, b5);
        x6 = TLanes.Multiply(p6, b6); x7 = TLanes.Multiply(p7, b7);
    }
}
