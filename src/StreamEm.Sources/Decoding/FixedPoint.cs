using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Short decimal numbers without exponent, all digits at once: the 16 bytes up to the number's end are loaded, what is before the number is
/// zeroed, the point squeezed out, and the digits summed pairwise with weights 10, 100, 10 000 and 10^8. The digits and the power of ten
/// are exact in double precision, so their quotient is correctly rounded. Everything else is for <see cref="Numbers"/>.
/// </summary>
internal static class FixedPoint
{
    /// <summary>The most bytes of a number read this way, and how many bytes before its end must be readable.</summary>
    public const int Width = 16;

    /// <summary>Integers up to here are doubles.</summary>
    internal const ulong MaxExactInteger = 1UL << 53;

    /// <summary>In a shuffle: a zero.</summary>
    private const byte Z = 0x80;

    /// <summary>16 zeros, 16 ones: the window that starts n bytes in keeps the last n bytes.</summary>
    internal static ReadOnlySpan<byte> Keep =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    ];

    /// <summary>Row p moves the bytes before the point at p one place on; row 16 leaves all in place.</summary>
    internal static ReadOnlySpan<byte> Squeeze =>
    [
        Z, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15,
        Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];

    /// <summary>10^(digits after a point at p); for p = 16, no point, 1.</summary>
    internal static ReadOnlySpan<double> Scale => [1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1, 1];

    /// <summary>Whether this machine has the instructions.</summary>
    public static bool IsSupported => Sse41.IsSupported;

    /// <summary>Reads bytes <paramref name="start"/> .. <paramref name="end"/> of <paramref name="data"/>.</summary>
    /// <returns>False when they are not 1 to 16 digits with at most one point and a minus, or less than 16 bytes lie before the
    /// end.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse<TMarks>(ref byte data, int start, int end, out double value)
        where TMarks : struct, IMarks
    {
        Unsafe.SkipInit(out value);
        int length = end - start;
        if (end < Width || (uint)(length - 1) >= Width) return false;
        int negative = Unsafe.Add(ref data, start) == '-' ? 1 : 0;
        length -= negative;
        if (!TrySum<TMarks>(ref data, end, length, out int point, out ulong mantissa) || length - (point >> 4 ^ 1) <= 0
            || mantissa > MaxExactInteger)
            return false;
        double magnitude = (long)mantissa / Unsafe.Add(ref MemoryMarshal.GetReference(Scale), point);
        value = BitConverter.UInt64BitsToDouble(BitConverter.DoubleToUInt64Bits(magnitude) | ((ulong)negative << 63));
        return true;
    }

    /// <summary>
    /// The same for 17 to 22 bytes with up to 19 digits: the last 16 bytes at once, those before one by one, and the rounding by
    /// <see cref="EiselLemire"/>.
    /// </summary>
    public static bool TryParseLong<TMarks>(ref byte data, int start, int end, out double value)
        where TMarks : struct, IMarks
    {
        value = 0;
        int length = end - start;
        if (end < Width || length is <= Width or > Width + 6) return false;
        if (!TrySum<TMarks>(ref data, end, Width, out int point, out ulong mantissa)) return false;
        bool negative = Unsafe.Add(ref data, start) == '-';
        int headPoint = -1, headEnd = end - Width, digits = 0;
        uint head = 0;
        for (int at = negative ? start + 1 : start; at < headEnd; at++)
        {
            uint digit = (uint)(Unsafe.Add(ref data, at) - '0');
            if (digit <= 9)
            {
                head = (10 * head) + digit;
                digits++;
                continue;
            }
            if (digit != unchecked((uint)(TMarks.Point - '0')) || headPoint >= 0 || point < Width) return false;
            headPoint = at;
        }
        // Three digits and 16 fit 64 bits.
        if (digits > 3) return false;
        int exponent = headPoint >= 0 ? headPoint + 1 - end : point < Width ? point - (Width - 1) : 0;
        mantissa += head * (point < Width ? 1_000_000_000_000_000UL : 10_000_000_000_000_000UL);
        if (!EiselLemire.TryRound(mantissa, exponent, out value)) return false;
        if (negative) value = -value;
        return true;
    }

    /// <summary>
    /// The digits of the last <paramref name="length"/> of the 16 bytes before <paramref name="end"/> as one integer, the point left out.
    /// </summary>
    /// <param name="data">The bytes.</param>
    /// <param name="end">Where they end.</param>
    /// <param name="length">How many of the 16 count.</param>
    /// <param name="point">Place of the point among the 16; 16 without.</param>
    /// <param name="mantissa">The integer.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySum<TMarks>(ref byte data, int end, int length, out int point, out ulong mantissa)
        where TMarks : struct, IMarks
    {
        Unsafe.SkipInit(out mantissa);
        Vector128<byte> text = Vector128.LoadUnsafe(ref data, (nuint)(end - Width));
        Vector128<byte> keep = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Keep), (nuint)length);
        uint points = (Vector128.Equals(text, TMarks.Points.GetLower()) & keep).ExtractMostSignificantBits();
        point = BitOperations.TrailingZeroCount(points | (1u << Width));
        Vector128<byte> digits = (text - Vector128.Create((byte)'0')) & keep;
        digits = Ssse3.Shuffle(digits, Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Squeeze), (nuint)(point * Width)));
        if (Vector128.GreaterThanAny(digits, Vector128.Create((byte)9))) return false;

        Vector128<short> twos = Ssse3.MultiplyAddAdjacent(digits, Vector128.Create((ushort)0x010A).AsSByte());
        Vector128<int> fours = Sse2.MultiplyAddAdjacent(twos, Vector128.Create(0x0001_0064).AsInt16());
        Vector128<ushort> packed = Sse41.PackUnsignedSaturate(fours, fours);
        Vector128<int> eights = Sse2.MultiplyAddAdjacent(packed.AsInt16(), Vector128.Create(0x0001_2710).AsInt16());
        ulong halves = eights.AsUInt64().ToScalar();
        mantissa = ((uint)halves * 100_000_000UL) + (halves >> 32);
        return true;
    }
}
