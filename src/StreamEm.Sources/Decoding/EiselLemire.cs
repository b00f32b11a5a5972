using System.Numerics;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The double nearest to w x 10^q for a 64-bit integer w: one or two 64 x 64 multiplications with a 128-bit approximation of 5^q decide all
/// but very few cases, which are left to an exact method (D. Lemire, Number Parsing at a Gigabyte per Second, 2021, algorithm 1).
/// </summary>
internal static class EiselLemire
{
    private const int SmallestPower = -342;
    private const int LargestPower = 308;
    private const int MantissaBits = 52;
    private const int Bias = 1023;

    /// <summary>High and low half of 5^q, scaled to have its top bit set, from <see cref="SmallestPower"/> on.</summary>
    private static readonly ulong[] Powers = CreatePowers();

    /// <summary>False where the approximation cannot decide, or the result is subnormal or overflows.</summary>
    public static bool TryRound(ulong w, int q, out double value)
    {
        value = 0;
        if (w == 0) return true;
        if (q is < SmallestPower or > LargestPower) return false;
        int leading = BitOperations.LeadingZeroCount(w);
        w <<= leading;
        int index = 2 * (q - SmallestPower);
        ulong high = Math.BigMul(w, Powers[index], out ulong low);
        const ulong Undecided = ulong.MaxValue >> (MantissaBits + 3);
        if ((high & Undecided) == Undecided)
        {
            ulong second = Math.BigMul(w, Powers[index + 1], out _);
            low += second;
            if (low < second) high++;
        }
        // The truncated power can leave the product one unit short only when the low half is all ones and 5^q was not exact.
        if (low == ulong.MaxValue && q is < -27 or > 55) return false;

        int upper = (int)(high >> 63);
        int shift = upper + 64 - MantissaBits - 3;
        ulong mantissa = high >> shift;
        int exponent = ((217706 * q) >> 16) + 64 + upper - leading + Bias - 1;
        if (exponent is <= 0 or >= 2046) return false;
        // Exactly half way between two doubles is possible only for small powers: round to even by hand.
        if (low <= 1 && q is >= -4 and <= 23 && (mantissa & 3) == 1 && mantissa << shift == high) mantissa &= ~1UL;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        if (mantissa >= 2UL << MantissaBits)
        {
            mantissa = 1UL << MantissaBits;
            exponent++;
        }
        value = BitConverter.UInt64BitsToDouble((mantissa & ~(1UL << MantissaBits)) | ((ulong)exponent << MantissaBits));
        return true;
    }

    private static ulong[] CreatePowers()
    {
        var powers = new ulong[2 * (LargestPower - SmallestPower + 1)];
        BigInteger lowHalf = ulong.MaxValue;
        for (int q = SmallestPower; q <= LargestPower; q++)
        {
            BigInteger five = BigInteger.Pow(5, Math.Abs(q));
            int bits = (int)five.GetBitLength();
            // Reciprocals of exactly representable powers are rounded up, all else is cut off: the paper's error bounds rest on it.
            BigInteger scaled = q < 0 ? (BigInteger.One << (q >= -27 ? bits + 127 : (2 * bits) + 128)) / five + 1 : five << 128;
            scaled >>= (int)(scaled.GetBitLength() - 128);
            powers[2 * (q - SmallestPower)] = (ulong)(scaled >> 64);
            powers[2 * (q - SmallestPower) + 1] = (ulong)(scaled & lowHalf);
        }
        return powers;
    }
}
