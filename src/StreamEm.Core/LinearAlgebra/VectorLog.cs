using System.Runtime.CompilerServices;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The natural logarithm of any double with a relative error below 1e-15: x = 2^e m, m in [sqrt(1/2), sqrt 2), and
/// log m = 2 atanh(s), s = (m - 1) / (m + 1), with degree 6 in s^2. log 0 = -inf, log inf = inf; NaN below zero.
/// </summary>
internal static class VectorLog
{
    private const double Ln2 = 0.6931471805599453;
    private const double SmallestNormal = 2.2250738585072014e-308, TwoTo54 = 18014398509481984, TwoTo52 = 4503599627370496;

    /// <summary>Bits of sqrt(1/2): what is subtracted so that the exponent field steps at sqrt(1/2) instead of 1.</summary>
    private const long RootOfHalf = 0x3FE6A09E667F3BCD;

    /// <summary>log of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Log<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector zero = TLanes.Broadcast(0), infinity = TLanes.Broadcast(double.PositiveInfinity);
        TVector normal = TLanes.Broadcast(SmallestNormal);
        TVector scaled = TLanes.SelectLess(x, normal, TLanes.Multiply(x, TLanes.Broadcast(TwoTo54)), x);
        TVector shift = TLanes.SelectLess(x, normal, TLanes.Broadcast(TwoTo52 + 1024 + 54), TLanes.Broadcast(TwoTo52 + 1024));

        // Exponent e + 1024 as an integer, twice: as bits to take out of x, and in the mantissa of 2^52 + e + 1024 to become a double.
        TVector exponent = TLanes.ShiftRightAdd(TLanes.ShiftRightAdd(scaled, 0, (1024L << 52) - RootOfHalf), 52, 0);
        TVector m = TLanes.SubtractBits(scaled, TLanes.ShiftLeft(TLanes.ShiftRightAdd(exponent, 0, -1024), 52));
        TVector e = TLanes.Subtract(TLanes.ShiftRightAdd(exponent, 0, BitConverter.DoubleToInt64Bits(TwoTo52)), shift);

        TVector p = Assemble<TLanes, TVector>(m, e);
        p = TLanes.SelectLess(x, infinity, p, TLanes.Add(x, x));
        TVector notPositive = TLanes.SelectLess(x, zero, TLanes.Broadcast(double.NaN), TLanes.Subtract(x, infinity));
        return TLanes.SelectLess(zero, x, p, notPositive);
    }

    /// <summary>
    /// The same for sums of exponentials that were divided by their largest: 0, NaN or at least 1. Without the cases it does not need.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LogOfSum<TLanes, TVector>(TVector x)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector exponent = TLanes.ShiftRightAdd(TLanes.ShiftRightAdd(x, 0, -RootOfHalf), 52, BitConverter.DoubleToInt64Bits(TwoTo52));
        TVector m = TLanes.SubtractBits(x, TLanes.ShiftLeft(exponent, 52));
        TVector p = Assemble<TLanes, TVector>(m, TLanes.Subtract(exponent, TLanes.Broadcast(TwoTo52)));
        return TLanes.SelectLess(TLanes.Broadcast(0), x, p, TLanes.Subtract(x, TLanes.Broadcast(double.PositiveInfinity)));
    }

    /// <summary>log(2^e m).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Assemble<TLanes, TVector>(TVector m, TVector e)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector one = TLanes.Broadcast(1);
        TVector s = TLanes.Divide(TLanes.Subtract(m, one), TLanes.Add(m, one));
        TVector z = TLanes.Multiply(s, s);

        // Pairs, then pairs of pairs: half the latency of six dependent steps.
        TVector square = TLanes.Multiply(z, z);
        TVector p01 = TLanes.Fma(TLanes.Broadcast(0.3999999999989924), z, TLanes.Broadcast(0.666666666666667));
        TVector p23 = TLanes.Fma(TLanes.Broadcast(0.2222221111514416), z, TLanes.Broadcast(0.2857142862609589));
        TVector p45 = TLanes.Fma(TLanes.Broadcast(0.1533167403016786), z, TLanes.Broadcast(0.18182890556695602));
        TVector p46 = TLanes.Fma(TLanes.Broadcast(0.1461703754879165), square, p45);
        TVector p = TLanes.Fma(TLanes.Fma(p46, square, p23), square, p01);
        return TLanes.Fma(p, TLanes.Multiply(z, s), TLanes.Fma(e, TLanes.Broadcast(Ln2), TLanes.Add(s, s)));
    }
}
