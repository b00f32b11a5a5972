namespace StreamEm.Sources.Decoding;

/// <summary>
/// The short way through CSV rows without quotes: an index of all separators of a block (<see cref="SeparatorIndex"/>), then one number
/// after another. Whatever that cannot handle, or finds wrong, is left to the long way.
/// </summary>
internal abstract class PlainRows
{
    /// <summary>Bytes indexed at once.</summary>
    public const int BlockBytes = 16 * 1024;

    /// <summary>The separators of a block, after the place of the byte before the first row.</summary>
    private protected readonly int[] Places = new int[1 + BlockBytes + SeparatorIndex.Slack];
    private protected int Found, Next;

    /// <summary>The loops for these marks; null where there are none and every record goes the long way.</summary>
    public static PlainRows? Of(byte separator, bool hasDecimalComma) => (separator, hasDecimalComma) switch
    {
        ((byte)',', false) => new PlainRows<CommaAndPoint>(),
        ((byte)';', false) => new PlainRows<SemicolonAndPoint>(),
        ((byte)';', true) => new PlainRows<SemicolonAndComma>(),
        ((byte)'\t', false) => new PlainRows<TabAndPoint>(),
        ((byte)'\t', true) => new PlainRows<TabAndComma>(),
        ((byte)'|', false) => new PlainRows<BarAndPoint>(),
        ((byte)'|', true) => new PlainRows<BarAndComma>(),
        _ => null,
    };

    /// <summary>Separators of the block from the next row on.</summary>
    public int Left => Found - Next;

    /// <summary>Finds the separators of a block.</summary>
    public abstract void Index(ReadOnlySpan<byte> block);

    /// <summary>Goes on at a row that starts <paramref name="place"/> bytes into the block.</summary>
    public void SkipTo(int place)
    {
        while (Next < Found && Places[1 + Next] < place) Next++;
    }

    /// <summary>Decodes rows without quotes as long as all is well with them.</summary>
    /// <param name="data">All the bytes.</param>
    /// <param name="blockStart">Where the block that was indexed starts in them.</param>
    /// <param name="at">Where the first row starts in them.</param>
    /// <param name="offset">Position of the first byte.</param>
    /// <param name="header">The columns.</param>
    /// <param name="fields">Takes what is no plain number.</param>
    /// <param name="comment">What a line begins with that may be a comment; -1 where there are none.</param>
    /// <param name="batch">Takes the rows.</param>
    /// <returns>Where the first row starts that was not taken.</returns>
    public abstract int Take(
        ReadOnlySpan<byte> data, int blockStart, int at, long offset, CsvHeader header, RecordFields fields, int comment,
        RecordBatch batch);
}

/// <inheritdoc/>
/// <typeparam name="TMarks">The separator and the decimal mark.</typeparam>
internal sealed unsafe class PlainRows<TMarks> : PlainRows
    where TMarks : struct, IMarks
{
    /// <inheritdoc/>
    public override void Index(ReadOnlySpan<byte> block)
    {
        Found = SeparatorIndex.Find<TMarks>(block, Places.AsSpan(1));
        Next = 0;
    }

    /// <inheritdoc/>
    public override int Take(
        ReadOnlySpan<byte> data, int blockStart, int at, long offset, CsvHeader header, RecordFields fields, int comment, RecordBatch batch)
    {
        ReadOnlySpan<byte> block = data[blockStart..];
        int columns = header.Width, dimension = fields.Dimension, found = Found, next = Next;
        bool featuresOnly = fields.FeaturesOnly;
        Places[next] = at - blockStart - 1;
        fixed (byte* bytes = block)
        fixed (int* places = Places, slots = header.PlainSlots)
        fixed (bool* groups = header.Groups)
        {
            while (found - next >= columns && !batch.IsFull)
            {
                int* ends = places + 1 + next;
                if (bytes[ends[-1] + 1] == comment) return at;
                Span<double> row = batch.NextRow;
                if (header.Absent >= 0) row[header.Absent] = double.NaN;
                if (!featuresOnly) fields.Begin(RecordDefaults.None);
                fixed (double* values = row)
                {
                    int column = PlainNumbers.Take<TMarks>(bytes, ends, columns, slots, groups, 0, values, dimension);
                    for (; column < columns;
                        column = PlainNumbers.Take<TMarks>(bytes, ends, columns, slots, groups, column + 1, values, dimension))
                        if (!TakeField(block, ends, column, header.Slots[column], header, fields, row)) return at;
                }
                if (header.Further.Length > 0 && !TakeFurther(block, ends, header, fields, row)) return at;
                if (!fields.Accepts(row)) return at;
                at = blockStart + ends[columns - 1] + 1;
                Next = next += columns;
                if (featuresOnly) batch.Commit(offset + at);
                else fields.Commit(batch, offset + at);
            }
        }
        return at;
    }

    /// <summary>Takes one field of a row without quotes, if it is one and can be used.</summary>
    private static bool TakeField(
        ReadOnlySpan<byte> block, int* ends, int column, int slot, CsvHeader header, RecordFields fields, Span<double> row)
    {
        bool last = column + 1 == header.Width;
        int start = ends[column - 1] + 1, end = ends[column];
        if (block[end] != (last ? (byte)'\n' : TMarks.Separator)) return false;
        if (last && end > start && block[end - 1] == '\r') end--;
        ReadOnlySpan<byte> text = block[start..end];
        if (slot == CsvHeader.Nothing) return Numbers.Trim(text).IsEmpty;
        // A single column with nothing in it is a blank line.
        if (header.Width == 1 && Numbers.Trim(text).IsEmpty) return false;
        return slot < 0 || fields.Set(slot, text, row) is null;
    }

    private static bool TakeFurther(ReadOnlySpan<byte> block, int* ends, CsvHeader header, RecordFields fields, Span<double> row)
    {
        foreach ((int column, int slot) in header.Further)
        {
            if (!TakeField(block, ends, column, slot, header, fields, row)) return false;
        }
        return true;
    }
}
