using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Sources.Decoding;

/// <summary>Finds the separators, line ends and quotes of CSV text, 64 bytes at a time.</summary>
internal static class SeparatorIndex
{
    private const int Step = 64;
    private const int WrittenAtOnce = 8;

    /// <summary>How many more places than bytes the result must have.</summary>
    public const int Slack = Step;

    /// <summary>Writes the places of the separator, <c>\n</c> and <c>"</c> in ascending order.</summary>
    /// <returns>How many there are; what lies beyond in <paramref name="places"/> is overwritten too.</returns>
    public static int Find<TMarks>(ReadOnlySpan<byte> text, Span<int> places)
        where TMarks : struct, IMarks
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(places.Length, text.Length + Slack);
        ref byte bytes = ref MemoryMarshal.GetReference(text);
        ref int place = ref MemoryMarshal.GetReference(places);
        int found = 0, at = 0;
        for (; at <= text.Length - Step; at += Step)
        {
            ulong mask = Mask<TMarks>(ref Unsafe.Add(ref bytes, at));
            int count = BitOperations.PopCount(mask);
            ref int next = ref Unsafe.Add(ref place, found);
            // Eight are written whether there are so many or not: a loop of the right length would be mispredicted.
            for (int i = 0; i < WrittenAtOnce; i++)
            {
                Unsafe.Add(ref next, i) = at + BitOperations.TrailingZeroCount(mask);
                mask &= mask - 1;
            }
            for (int i = WrittenAtOnce; i < count; i++)
            {
                Unsafe.Add(ref next, i) = at + BitOperations.TrailingZeroCount(mask);
                mask &= mask - 1;
            }
            found += count;
        }
        for (; at < text.Length; at++)
        {
            if (text[at] == TMarks.Separator || text[at] is (byte)'\n' or (byte)'"') places[found++] = at;
        }
        return found;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mask<TMarks>(ref byte bytes)
        where TMarks : struct, IMarks
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<byte> v = Vector512.LoadUnsafe(ref bytes);
            return (Vector512.Equals(v, Vector512.Create(TMarks.Separator)) | Vector512.Equals(v, Vector512.Create((byte)'\n')) |
                Vector512.Equals(v, Vector512.Create((byte)'"'))).ExtractMostSignificantBits();
        }
        if (Vector256.IsHardwareAccelerated)
            return Mask256<TMarks>(ref bytes) | ((ulong)Mask256<TMarks>(ref Unsafe.Add(ref bytes, 32)) << 32);
        return Mask128<TMarks>(ref bytes) | ((ulong)Mask128<TMarks>(ref Unsafe.Add(ref bytes, 16)) << 16) |
            ((ulong)Mask128<TMarks>(ref Unsafe.Add(ref bytes, 32)) << 32) | ((ulong)Mask128<TMarks>(ref Unsafe.Add(ref bytes, 48)) << 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mask256<TMarks>(ref byte bytes)
        where TMarks : struct, IMarks
    {
        Vector256<byte> v = Vector256.LoadUnsafe(ref bytes);
        return (Vector256.Equals(v, Vector256.Create(TMarks.Separator)) | Vector256.Equals(v, Vector256.Create((byte)'\n')) |
            Vector256.Equals(v, Vector256.Create((byte)'"'))).ExtractMostSignificantBits();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mask128<TMarks>(ref byte bytes)
        where TMarks : struct, IMarks
    {
        Vector128<byte> v = Vector128.LoadUnsafe(ref bytes);
        return (Vector128.Equals(v, Vector128.Create(TMarks.Separator)) | Vector128.Equals(v, Vector128.Create((byte)'\n')) |
            Vector128.Equals(v, Vector128.Create((byte)'"'))).ExtractMostSignificantBits();
    }
}
