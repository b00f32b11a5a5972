using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Sources.Decoding;

/// <summary>The loop that most of the time of reading CSV is spent in, alone so that it keeps its values in registers.</summary>
internal static class PlainNumbers
{
    /// <summary>Takes the fields of a row as long as they are plain numbers without exponent, or not wanted.</summary>
    /// <param name="block">The bytes.</param>
    /// <param name="rowStart">Where the row starts in them.</param>
    /// <param name="ends">Where each of its fields should end.</param>
    /// <param name="slots">Which value of <paramref name="row"/> each field is, from D on something else, -1 nothing.</param>
    /// <param name="groups">Whether the four fields from each on are four neighbouring values of the row.</param>
    /// <param name="column">The first field to take.</param>
    /// <param name="row">Takes D values.</param>
    /// <returns>The first field not taken; the number of fields when all were.</returns>
    public static int Take(ReadOnlySpan<byte> block, int rowStart, ReadOnlySpan<int> ends, ReadOnlySpan<int> slots, ReadOnlySpan<bool> groups, int column, Span<double> row)
    {
        // A single column needs to be told from a blank line.
        if (!FixedPoint.IsSupported || slots.Length != ends.Length || groups.Length != ends.Length || ends.Length == 1) return column;
        ref byte bytes = ref MemoryMarshal.GetReference(block);
        ref int end = ref Unsafe.Add(ref MemoryMarshal.GetReference(ends), column);
        ref int slot = ref Unsafe.Add(ref MemoryMarshal.GetReference(slots), column);
        int start = column == 0 ? rowStart : Unsafe.Add(ref end, -1) + 1;
        while (FourNumbers.IsSupported && column < groups.Length && groups[column])
        {
            if (!TakeFour(ref bytes, start, ref end, isLast: column + FourNumbers.Count == ends.Length, ref row[slot])) break;
            column += FourNumbers.Count;
            if (column == ends.Length) return column;
            start = Unsafe.Add(ref end, FourNumbers.Count - 1) + 1;
            end = ref Unsafe.Add(ref end, FourNumbers.Count);
            slot = ref Unsafe.Add(ref slot, FourNumbers.Count);
        }
        for (; column < ends.Length - 1; column++)
        {
            if (Unsafe.Add(ref bytes, end) != ',') return column;
            if (slot >= 0)
            {
                if (slot >= row.Length) return column;
                if (!FixedPoint.TryParse(ref bytes, start, end, out double value) && !FixedPoint.TryParseLong(ref bytes, start, end, out value)) return column;
                row[slot] = value;
            }
            start = end + 1;
            end = ref Unsafe.Add(ref end, 1);
            slot = ref Unsafe.Add(ref slot, 1);
        }
        if (Unsafe.Add(ref bytes, end) != '\n' || slot >= row.Length) return column;
        if (slot < 0) return column + 1;
        int stop = end > start && Unsafe.Add(ref bytes, end - 1) == '\r' ? end - 1 : end;
        if (!FixedPoint.TryParse(ref bytes, start, stop, out double last) && !FixedPoint.TryParseLong(ref bytes, start, stop, out last)) return column;
        row[slot] = last;
        return column + 1;
    }

    /// <summary>Takes four fields into four neighbouring values.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="start">Where the first starts.</param>
    /// <param name="end">Where each should end.</param>
    /// <param name="isLast">Whether they are the last of their row.</param>
    /// <param name="values">Takes them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TakeFour(ref byte bytes, int start, ref int end, bool isLast, ref double values)
    {
        int last = Unsafe.Add(ref end, 3);
        if (Unsafe.Add(ref bytes, end) != ',' || Unsafe.Add(ref bytes, Unsafe.Add(ref end, 1)) != ',' || Unsafe.Add(ref bytes, Unsafe.Add(ref end, 2)) != ',') return false;
        if (Unsafe.Add(ref bytes, last) != (isLast ? '\n' : ',')) return false;
        if (isLast && Unsafe.Add(ref bytes, last - 1) == '\r') last--;
        if (!FourNumbers.TryParse(ref bytes, start, ref end, last, out Vector256<double> four)) return false;
        four.StoreUnsafe(ref values);
        return true;
    }
}
