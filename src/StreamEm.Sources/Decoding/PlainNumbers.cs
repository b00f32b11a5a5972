using System.Runtime.CompilerServices;

namespace StreamEm.Sources.Decoding;

/// <summary>The loop that most of the time of reading CSV is spent in, alone so that it keeps its values in registers.</summary>
internal static unsafe class PlainNumbers
{
    /// <summary>Takes the fields of a row as long as they are plain numbers without exponent, or not wanted.</summary>
    /// <param name="data">The bytes of the block.</param>
    /// <param name="ends">Where each of the fields should end in them; <c>ends[-1]</c> is the byte before the row.</param>
    /// <param name="columns">How many fields a row has.</param>
    /// <param name="slots">Which value of <paramref name="row"/> each field is, from D on something else, -1 nothing.</param>
    /// <param name="groups">Whether the four fields from each on are four neighbouring values of the row.</param>
    /// <param name="column">The first field to take.</param>
    /// <param name="row">Takes D values.</param>
    /// <param name="dimension">D.</param>
    /// <returns>The first field not taken; the number of fields when all were.</returns>
    public static int Take<TMarks>(byte* data, int* ends, int columns, int* slots, bool* groups, int column, double* row, int dimension)
        where TMarks : struct, IMarks
    {
        // A single column needs to be told from a blank line.
        if (!FixedPoint.IsSupported || columns == 1) return column;
        if (FourNumbers.IsSupported)
        {
            for (; column + FourNumbers.Count <= columns && groups[column]; column += FourNumbers.Count)
                if (!FourNumbers.TryTake<TMarks>(data, ends + column, column + FourNumbers.Count == columns, row + slots[column])) break;
        }
        for (; column < columns; column++)
        {
            bool last = column + 1 == columns;
            int start = ends[column - 1] + 1, end = ends[column], slot = slots[column];
            if (data[end] != (last ? (byte)'\n' : TMarks.Separator) || slot >= dimension) return column;
            if (slot < 0) continue;
            if (last && end > start && data[end - 1] == '\r') end--;
            ref byte bytes = ref Unsafe.AsRef<byte>(data);
            if (!FixedPoint.TryParse<TMarks>(ref bytes, start, end, out double value) &&
                !FixedPoint.TryParseLong<TMarks>(ref bytes, start, end, out value))
                return column;
            row[slot] = value;
        }
        return columns;
    }
}
