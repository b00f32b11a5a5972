namespace StreamEm.Core.Data;

/// <summary>
/// How far the sequence of every slot has come, and so which rows begin another: a function of the rows of the slot and their order. Part
/// of the state.
/// </summary>
/// <param name="slots">How many slots.</param>
/// <param name="options">What ends a sequence.</param>
internal sealed class SequenceLengths(int slots, SequenceOptions options)
{
    private readonly long _gap = options.Gap is { } gap ? (long)gap.TotalMilliseconds : long.MaxValue;
    private readonly int _longest = options.MaxLength ?? int.MaxValue;
    private readonly int[] _lengths = new int[slots];
    private readonly long[] _last = new long[slots];

    /// <summary>Takes the next row of a slot.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="timestamp">The row's time, ms since 1970, or <see cref="Minibatch.NoTimestamp"/>.</param>
    /// <param name="isNew">Whether the slot is another key's from now on.</param>
    /// <param name="isLast">Whether the row says that it is its sequence's last.</param>
    /// <returns>Whether the row begins a sequence.</returns>
    public bool Take(int slot, long timestamp, bool isNew, bool isLast)
    {
        bool begins = isNew || _lengths[slot] == 0 || _lengths[slot] >= _longest || IsBeyondGap(_last[slot], timestamp, _gap);
        if (begins) (_lengths[slot], _last[slot]) = (0, Minibatch.NoTimestamp);
        _lengths[slot]++;
        _last[slot] = Math.Max(_last[slot], timestamp);
        if (isLast) _lengths[slot] = 0;
        return begins;
    }

    /// <summary>Whether the sequence of a slot is over with the row taken last.</summary>
    public bool IsOver(int slot) => _lengths[slot] == 0 || _lengths[slot] >= _longest;

    /// <summary>The latest time of the sequence of a slot.</summary>
    public long Last(int slot) => _last[slot];

    /// <summary>Whether two times are further apart than a gap; not where one of them is unknown.</summary>
    public static bool IsBeyondGap(long before, long after, long gap) =>
        gap != long.MaxValue && before != Minibatch.NoTimestamp && after != Minibatch.NoTimestamp && after - before > gap;

    /// <summary>Takes over what another one of as many slots knows.</summary>
    public void CopyFrom(SequenceLengths other)
    {
        other._lengths.CopyTo(_lengths, 0);
        other._last.CopyTo(_last, 0);
    }

    /// <summary>Takes over what another one knows of one of its slots.</summary>
    public void CopyFrom(SequenceLengths other, int from, int to) =>
        (_lengths[to], _last[to]) = (other._lengths[from], other._last[from]);

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteArray<int>(_lengths);
        writer.WriteArray<long>(_last);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is of another number of slots, or damaged.</exception>
    public void Load(BinaryReader reader)
    {
        int[] lengths = reader.ReadArray<int>();
        long[] last = reader.ReadArray<long>();
        if (lengths.Length != slots || last.Length != slots || lengths.Any(length => length < 0))
            throw new InvalidDataException($"The saved sequences are of {lengths.Length} keys; expected {slots}.");
        lengths.CopyTo(_lengths, 0);
        last.CopyTo(_last, 0);
    }
}
