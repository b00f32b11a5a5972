using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// <see cref="FixedPoint"/> for four neighbouring fields at once: a 256-bit vector holds the last 16 bytes of two of them, and the four digit sums meet in
/// one vector for the conversion and the division. The same arithmetic, so the same correctly rounded numbers.
/// </summary>
internal static class FourNumbers
{
    /// <summary>Fields read at once.</summary>
    public const int Count = 4;

    private const int Width = FixedPoint.Width;

    /// <summary>Bits of 2^52: an integer below 2^32 in the low bits makes the double 2^52 + integer.</summary>
    private const ulong TwoTo52 = 0x4330_0000_0000_0000;

    /// <summary>Where a field's last byte is in each half.</summary>
    private const uint LastBytes = 0x8000_8000;

    /// <summary>One 255 after 16 zeros: the window that starts n bytes in marks the first of the last n bytes.</summary>
    private static ReadOnlySpan<byte> First => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Whether this machine has the instructions.</summary>
    public static bool IsSupported => Avx2.IsSupported && Vector256.IsHardwareAccelerated;

    /// <summary>Reads the four fields that end before <paramref name="ends"/>.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="start">Where the first field starts; the others start one byte after the end before them.</param>
    /// <param name="ends">Where the first three end.</param>
    /// <param name="lastEnd">Where the fourth ends.</param>
    /// <param name="values">The numbers.</param>
    /// <returns>False when one is not what <see cref="FixedPoint.TryParse"/> reads, or ends with its point.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse(ref byte data, int start, ref int ends, int lastEnd, out Vector256<double> values)
    {
        Unsafe.SkipInit(out values);
        int end0 = ends, end1 = Unsafe.Add(ref ends, 1), end2 = Unsafe.Add(ref ends, 2);
        int length0 = end0 - start, length1 = end1 - end0 - 1, length2 = end2 - end1 - 1, length3 = lastEnd - end2 - 1;
        if (end0 < Width || (uint)((length0 - 1) | (length1 - 1) | (length2 - 1) | (length3 - 1)) >= Width) return false;

        Vector256<byte> even = Windows(ref data, end0 - Width, end2 - Width), odd = Windows(ref data, end1 - Width, lastEnd - Width);
        ref byte keep = ref MemoryMarshal.GetReference(FixedPoint.Keep);
        ref byte first = ref MemoryMarshal.GetReference(First);
        uint evenPoints = Digits(ref even, Windows(ref keep, length0, length2), Windows(ref first, length0, length2), out Vector256<byte> evenMinus);
        uint oddPoints = Digits(ref odd, Windows(ref keep, length1, length3), Windows(ref first, length1, length3), out Vector256<byte> oddMinus);
        int point0 = BitOperations.TrailingZeroCount((evenPoints & 0xFFFF) | (1u << Width)), point2 = BitOperations.TrailingZeroCount((evenPoints >> Width) | (1u << Width));
        int point1 = BitOperations.TrailingZeroCount((oddPoints & 0xFFFF) | (1u << Width)), point3 = BitOperations.TrailingZeroCount((oddPoints >> Width) | (1u << Width));
        ref byte squeeze = ref MemoryMarshal.GetReference(FixedPoint.Squeeze);
        even = Avx2.Shuffle(even, Windows(ref squeeze, point0 * Width, point2 * Width));
        odd = Avx2.Shuffle(odd, Windows(ref squeeze, point1 * Width, point3 * Width));

        // A byte that is no digit, a minus alone, a point at the end.
        Vector256<byte> nine = Vector256.Create((byte)9);
        Vector256<byte> wrong = Avx2.SubtractSaturate(even, nine) | Avx2.SubtractSaturate(odd, nine) |
            ((evenMinus | oddMinus) & Vector256.Create(0UL, 0xFF00_0000_0000_0000, 0UL, 0xFF00_0000_0000_0000).AsByte());
        if (((evenPoints | oddPoints) & LastBytes) != 0 || wrong != Vector256<byte>.Zero) return false;

        Vector256<double> mantissas = Sum(even, odd);
        if (Vector256.GreaterThanOrEqualAny(mantissas, Vector256.Create((double)FixedPoint.MaxExactInteger))) return false;
        ref double scale = ref MemoryMarshal.GetArrayDataReference(FixedPoint.Scale);
        Vector256<double> scales = Vector256.Create(Unsafe.Add(ref scale, point0), Unsafe.Add(ref scale, point1), Unsafe.Add(ref scale, point2), Unsafe.Add(ref scale, point3));
        values = mantissas / scales | Signs(evenMinus, oddMinus);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Windows(ref byte data, int lower, int upper) =>
        Vector256.Create(Vector128.LoadUnsafe(ref data, (nuint)(uint)lower), Vector128.LoadUnsafe(ref data, (nuint)(uint)upper));

    /// <summary>Turns text into digits where it counts and zeros where it does not; finds the points and the minus in front.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Digits(ref Vector256<byte> text, Vector256<byte> keep, Vector256<byte> first, out Vector256<byte> minus)
    {
        uint points = (Vector256.Equals(text, Vector256.Create((byte)'.')) & keep).ExtractMostSignificantBits();
        minus = Vector256.Equals(text, Vector256.Create((byte)'-')) & first;
        text = Vector256.AndNot((text - Vector256.Create((byte)'0')) & keep, minus);
        return points;
    }

    /// <summary>The 16 digits of each field as one integer, below 10^16; not exact from 2^53 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Sum(Vector256<byte> even, Vector256<byte> odd)
    {
        Vector256<sbyte> tens = Vector256.Create((ushort)0x010A).AsSByte();
        Vector256<short> hundreds = Vector256.Create(0x0001_0064).AsInt16();
        Vector256<int> evenFours = Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(even, tens), hundreds);
        Vector256<int> oddFours = Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(odd, tens), hundreds);
        Vector256<ushort> packed = Avx2.PackUnsignedSaturate(evenFours, oddFours);
        Vector256<ulong> eights = Avx2.MultiplyAddAdjacent(packed.AsInt16(), Vector256.Create(0x0001_2710).AsInt16()).AsUInt64();
        Vector256<ulong> magic = Vector256.Create(TwoTo52);
        Vector256<double> high = ((eights & Vector256.Create(0xFFFF_FFFFUL)) | magic).AsDouble() - magic.AsDouble();
        Vector256<double> low = ((eights >> 32) | magic).AsDouble() - magic.AsDouble();
        return Vector256.FusedMultiplyAdd(high, Vector256.Create(1e8), low);
    }

    /// <summary>The sign bits of the four fields.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Signs(Vector256<byte> evenMinus, Vector256<byte> oddMinus)
    {
        Vector256<ulong> even = Avx2.SumAbsoluteDifferences(evenMinus, Vector256<byte>.Zero).AsUInt64();
        Vector256<ulong> odd = Avx2.SumAbsoluteDifferences(oddMinus, Vector256<byte>.Zero).AsUInt64();
        return ((Avx2.UnpackLow(even, odd) | Avx2.UnpackHigh(even, odd)) << 63).AsDouble();
    }
}
