using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// <see cref="FixedPoint"/> for four neighbouring fields at once: a 256-bit vector holds the last 16 bytes of two of them, and the four
/// digit sums meet in one vector for the conversion and the division. The same arithmetic, so the same correctly rounded numbers.
/// </summary>
internal static unsafe class FourNumbers
{
    /// <summary>Fields read at once.</summary>
    public const int Count = 4;

    private const int Width = FixedPoint.Width;

    /// <summary>Bits of 2^52: an integer below 2^32 in the low bits makes the double 2^52 + integer.</summary>
    private const ulong TwoTo52 = 0x4330_0000_0000_0000;

    /// <summary>Where a field's last byte is in each half.</summary>
    private const uint LastBytes = 0x8000_8000;

    /// <summary>Whether this machine has the instructions.</summary>
    public static bool IsSupported => Avx2.IsSupported && Vector256.IsHardwareAccelerated;

    /// <summary>Reads four fields: the first starts after <c>ends[-1]</c>, each of the others after the end before it.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="ends">Where the fields should end, at separators, or the fourth at the end of the line.</param>
    /// <param name="isLast">Whether they are the last of their line.</param>
    /// <param name="values">Takes the numbers.</param>
    /// <returns>False when one is not what <see cref="FixedPoint.TryParse{TMarks}"/> reads, or ends with its point; nothing is taken
    /// then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryTake<TMarks>(byte* data, int* ends, bool isLast, double* values)
        where TMarks : struct, IMarks
    {
        nuint end0 = (uint)ends[0], end1 = (uint)ends[1], end2 = (uint)ends[2], end3 = (uint)ends[3];
        if (data[end0] != TMarks.Separator || data[end1] != TMarks.Separator || data[end2] != TMarks.Separator ||
            data[end3] != (isLast ? (byte)'\n' : TMarks.Separator) || end0 < Width)
            return false;
        Vector128<int> lengths = Vector128.Load(ends) - Vector128.Load(ends - 1) - Vector128<int>.One;
        if (isLast && data[end3 - 1] == '\r')
        {
            end3--;
            lengths -= Vector128.Create(0, 0, 0, 1);
        }
        return TryParse<TMarks>(data, end0, end1, end2, end3, lengths, values);
    }

    /// <summary>Reads four fields wherever they are.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="end0">Where the first ends: at least 16 bytes in.</param>
    /// <param name="end1">Where the second ends, and so on.</param>
    /// <param name="end2">Of the third.</param>
    /// <param name="end3">Of the fourth.</param>
    /// <param name="lengths">Their lengths.</param>
    /// <param name="values">Takes the numbers.</param>
    /// <returns>False when one is not what <see cref="FixedPoint.TryParse{TMarks}"/> reads, or ends with its point; nothing is taken
    /// then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse<TMarks>(
        byte* data, nuint end0, nuint end1, nuint end2, nuint end3, Vector128<int> lengths, double* values)
        where TMarks : struct, IMarks
    {
        Vector256<byte> even = Windows(data, end0 - Width, end2 - Width), odd = Windows(data, end1 - Width, end3 - Width);
        Vector256<byte> both = Vector256.Create(lengths, lengths).AsByte();
        uint evenPoints = Digits<TMarks>(
            ref even, Avx2.Shuffle(both, Vector256.Create(0UL, 0, 0x0808080808080808, 0x0808080808080808).AsByte()),
            out Vector256<byte> evenMinus);
        uint oddPoints = Digits<TMarks>(
            ref odd,
            Avx2.Shuffle(both, Vector256.Create(0x0404040404040404UL, 0x0404040404040404, 0x0C0C0C0C0C0C0C0C, 0x0C0C0C0C0C0C0C0C).AsByte()),
            out Vector256<byte> oddMinus);
        nuint point0 = Point(evenPoints), point1 = Point(oddPoints), point2 = Point(evenPoints >> Width),
            point3 = Point(oddPoints >> Width);
        byte* squeeze = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(FixedPoint.Squeeze));
        even = Avx2.Shuffle(even, Windows(squeeze, point0 * Width, point2 * Width));
        odd = Avx2.Shuffle(odd, Windows(squeeze, point1 * Width, point3 * Width));

        // A byte that is no digit, a minus alone, a length out of 1 .. 16, a point at the end.
        Vector256<byte> nine = Vector256.Create((byte)9);
        Vector256<byte> wrong = Avx2.SubtractSaturate(even, nine) | Avx2.SubtractSaturate(odd, nine) |
            ((evenMinus | oddMinus) & Vector256.Create(0UL, 0xFF00_0000_0000_0000, 0UL, 0xFF00_0000_0000_0000).AsByte()) |
            ((lengths - Vector128<int>.One) & Vector128.Create(~(Width - 1))).ToVector256().AsByte();
        if (((evenPoints | oddPoints) & LastBytes) != 0 || wrong != Vector256<byte>.Zero) return false;

        Vector256<double> mantissas = Sum(even, odd);
        if (Vector256.GreaterThanOrEqualAny(mantissas, Vector256.Create((double)FixedPoint.MaxExactInteger))) return false;
        double* scale = (double*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(FixedPoint.Scale));
        Vector256<double> scales = Vector256.Create(scale[point0], scale[point1], scale[point2], scale[point3]);
        (mantissas / scales | Signs(evenMinus, oddMinus)).Store(values);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Windows(byte* data, nuint lower, nuint upper) =>
        Vector256.Create(Vector128.Load(data + lower), Vector128.Load(data + upper));

    /// <summary>Place of the point among a field's 16 bytes; 16 without.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Point(uint points) => (uint)BitOperations.TrailingZeroCount(points | (1u << Width));

    /// <summary>Turns text into digits where it counts and zeros where it does not; finds the points and the minus in front.</summary>
    /// <param name="text">The last 16 bytes of two fields.</param>
    /// <param name="length">The field's length in each of its 16 bytes.</param>
    /// <param name="minus">255 where the field begins with a minus.</param>
    /// <returns>One bit per point.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Digits<TMarks>(ref Vector256<byte> text, Vector256<byte> length, out Vector256<byte> minus)
        where TMarks : struct, IMarks
    {
        Vector256<byte> untilEnd =
            Vector256.Create(0x090A_0B0C_0D0E_0F10UL, 0x0102_0304_0506_0708, 0x090A_0B0C_0D0E_0F10, 0x0102_0304_0506_0708).AsByte();
        Vector256<byte> before = Vector256.GreaterThan(untilEnd.AsSByte(), length.AsSByte()).AsByte();
        uint points = Vector256.AndNot(Vector256.Equals(text, TMarks.Points), before).ExtractMostSignificantBits();
        minus = Vector256.Equals(text, Vector256.Create((byte)'-')) & Vector256.Equals(untilEnd, length);
        text = Vector256.AndNot(text - Vector256.Create((byte)'0'), before | minus);
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
