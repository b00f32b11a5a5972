using System.Buffers.Binary;
using System.Numerics;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// The decimal text of a double with the fewest digits that read back as the same double, of those the one nearest to it (R. Giulietti, The
/// Schubfach way to render doubles, 2021): three 64 x 128-bit products with a power of ten settle every double. Laid out as
/// the runtime does, but for integers of 16 and 17 digits that end in zeros: these take an exponent.
/// </summary>
public static class ShortestNumber
{
    /// <summary>The longest text: <c>-2.2250738585072014E-308</c>.</summary>
    public const int MaxLength = 24;

    private const int MantissaBits = 52, ExponentOffset = 1075;
    private const ulong HiddenBit = 1UL << MantissaBits;

    /// <summary>Powers of ten that a double can ask for.</summary>
    private const int SmallestPower = -292, LargestPower = 324;

    /// <summary>
    /// More digits than so many before the point, or more zeros than <see cref="MaxLeadingZeros"/> after it, take an exponent.
    /// </summary>
    private const int MaxIntegerDigits = 15;

    private const int MaxLeadingZeros = 3;

    /// <summary>High and low half of 10^p scaled to 128 bits, rounded up, from <see cref="SmallestPower"/> on.</summary>
    private static readonly ulong[] Powers = CreatePowers();

    private static ReadOnlySpan<ulong> Tens =>
    [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000,
        10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
    ];

    /// <summary>Writes a finite double.</summary>
    /// <returns>The length of its text.</returns>
    public static int Write(double value, Span<byte> text)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int sign = 0;
        if ((long)bits < 0) text[sign++] = (byte)'-';
        ulong fraction = bits & (HiddenBit - 1);
        int exponent = (int)(bits >> MantissaBits) & 0x7FF;
        if (exponent == 0x7FF) throw new ArgumentOutOfRangeException(nameof(value), value, "Only finite numbers have digits.");
        if (fraction == 0 && exponent == 0)
        {
            text[sign] = (byte)'0';
            return sign + 1;
        }
        (ulong digits, int power) = Shortest(fraction, exponent);
        return sign + Lay(digits, power, text[sign..]);
    }

    /// <summary>The shortest decimal digits x 10^power within the interval of numbers that round to the double.</summary>
    private static (ulong Digits, int Power) Shortest(ulong fraction, int exponent)
    {
        ulong c = exponent == 0 ? fraction : fraction | HiddenBit;
        int q = Math.Max(exponent, 1) - ExponentOffset;
        if (q is <= 0 and > -MantissaBits - 1 && BitOperations.TrailingZeroCount(c) >= -q) return WithoutZeros(c >> -q, 0);

        // The interval's ends belong to it when the mantissa is even; below a power of two it is half as wide.
        uint odd = (uint)c & 1;
        bool isClose = fraction == 0 && exponent > 1;
        int power = (q * 1262611 - (isClose ? 524031 : 0)) >> 22;
        int shift = q + ((-power * 1741647) >> 19) + 1;
        int at = 2 * (-power - SmallestPower);
        ulong high = Powers[at], low = Powers[at + 1];
        ulong below = RoundToOdd(high, low, (4 * c - 2 + (isClose ? 1u : 0)) << shift) + odd;
        ulong middle = RoundToOdd(high, low, 4 * c << shift);
        ulong above = RoundToOdd(high, low, (4 * c + 2) << shift) - odd;

        ulong s = middle >> 2;
        if (s >= 10)
        {
            ulong ten = s / 10;
            bool isLowerInside = below <= 40 * ten, isUpperInside = 40 * ten + 40 <= above;
            if (isLowerInside != isUpperInside) return WithoutZeros(ten + (isUpperInside ? 1u : 0), power + 1);
        }
        bool isDownInside = below <= 4 * s, isUpInside = 4 * s + 4 <= above;
        if (isDownInside != isUpInside) return WithoutZeros(s + (isUpInside ? 1u : 0), power);
        ulong half = 4 * s + 2;
        return WithoutZeros(s + (middle > half || (middle == half && (s & 1) != 0) ? 1u : 0), power);
    }

    /// <summary>The product's upper 64 of 192 bits, the last of them set when anything below is.</summary>
    private static ulong RoundToOdd(ulong high, ulong low, ulong c)
    {
        ulong carry = Math.BigMul(low, c, out _), upper = Math.BigMul(high, c, out ulong lower);
        lower += carry;
        if (lower < carry) upper++;
        return upper | (lower > 1 ? 1u : 0);
    }

    private static (ulong Digits, int Power) WithoutZeros(ulong digits, int power)
    {
        while (true)
        {
            (ulong tenth, ulong last) = Math.DivRem(digits, 10);
            if (last != 0) return (digits, power);
            (digits, power) = (tenth, power + 1);
        }
    }

    private static int Lay(ulong digits, int power, Span<byte> text)
    {
        int length = Length(digits), point = length + power;
        if (point > Math.Max(length, MaxIntegerDigits) || point < -MaxLeadingZeros) return LayWithExponent(digits, length, point - 1, text);
        if (point <= 0)
        {
            "0.000"u8[..(2 - point)].CopyTo(text);
            WriteDigits(digits, text.Slice(2 - point, length));
            return 2 - point + length;
        }
        if (point >= length)
        {
            WriteDigits(digits, text[..length]);
            text[length..point].Fill((byte)'0');
            return point;
        }
        WriteWithPoint(digits, length, point, text);
        return length + 1;
    }

    private static int LayWithExponent(ulong digits, int length, int exponent, Span<byte> text)
    {
        int at = length == 1 ? 1 : length + 1;
        if (length == 1) text[0] = (byte)('0' + digits);
        else WriteWithPoint(digits, length, 1, text);
        text[at++] = (byte)'E';
        text[at++] = (byte)(exponent < 0 ? '-' : '+');
        int size = Math.Abs(exponent);
        if (size >= 100) text[at++] = (byte)('0' + size / 100);
        WritePair((uint)(size % 100), text[at..]);
        return at + 2;
    }

    private static void WriteWithPoint(ulong digits, int length, int point, Span<byte> text)
    {
        WriteDigits(digits, text.Slice(1, length));
        for (int at = 0; at < point; at++) text[at] = text[at + 1];
        text[point] = (byte)'.';
    }

    /// <summary>Fills <paramref name="text"/>, as long as there are digits.</summary>
    private static void WriteDigits(ulong digits, Span<byte> text)
    {
        int first = text.Length;
        uint rest = (uint)digits;
        if (first > 8)
        {
            // Halves that fit 32 bits are divided faster, and beside each other.
            (ulong upper, ulong eight) = Math.DivRem(digits, 100_000_000);
            (uint four, uint last) = Math.DivRem((uint)eight, 10_000);
            first -= 8;
            WritePair(four / 100, text[first..]);
            WritePair(four % 100, text[(first + 2)..]);
            WritePair(last / 100, text[(first + 4)..]);
            WritePair(last % 100, text[(first + 6)..]);
            rest = (uint)upper;
        }
        for (; first >= 2; rest /= 100) WritePair(rest % 100, text[(first -= 2)..]);
        if (first == 1) text[0] = (byte)('0' + rest);
    }

    private static int Length(ulong digits)
    {
        int atMost = ((BitOperations.Log2(digits) + 1) * 1233 >> 12) + 1;
        return digits < Tens[atMost - 1] ? atMost - 1 : atMost;
    }

    /// <summary>Two digits of a number below 100.</summary>
    private static void WritePair(uint number, Span<byte> text)
    {
        uint tens = number * 103 >> 10;
        BinaryPrimitives.WriteUInt16LittleEndian(text, (ushort)(0x3030 | tens | (number - 10 * tens) << 8));
    }

    private static ulong[] CreatePowers()
    {
        ulong[] powers = new ulong[2 * (LargestPower - SmallestPower + 1)];
        for (int p = SmallestPower; p <= LargestPower; p++)
        {
            // 128 leading bits of 10^p: as an integer, or of 2^n / 10^-p with n large enough.
            BigInteger ten = BigInteger.Pow(10, Math.Abs(p));
            BigInteger scaled = p >= 0 ? ten << 128 : (BigInteger.One << (int)(ten.GetBitLength() + 256)) / ten;
            int excess = (int)scaled.GetBitLength() - 128;
            bool isExact = p >= 0 && (scaled & ((BigInteger.One << excess) - 1)).IsZero;
            scaled = (scaled >> excess) + (isExact ? 0 : 1);
            powers[2 * (p - SmallestPower)] = (ulong)(scaled >> 64);
            powers[2 * (p - SmallestPower) + 1] = (ulong)(scaled & ulong.MaxValue);
        }
        return powers;
    }
}
