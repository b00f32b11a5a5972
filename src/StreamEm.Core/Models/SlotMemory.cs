using StreamEm.Core.Data;

namespace StreamEm.Core.Models;

/// <summary>Of every key so many numbers: where its sequence stands after its last row.</summary>
/// <param name="keys">Slots.</param>
/// <param name="width">Numbers of a slot.</param>
internal abstract class SlotMemory(int keys, int width) : StreamMemory
{
    private readonly double[] _values = new double[keys * width];
    private readonly bool[] _isKnown = new bool[keys];

    /// <summary>Whether a slot has had rows.</summary>
    public bool IsKnown(int slot) => _isKnown[slot];

    /// <summary>What is known of a slot [width].</summary>
    public ReadOnlySpan<double> Of(int slot) => _values.AsSpan(slot * width, width);

    /// <summary>Remembers a slot.</summary>
    public void Set(int slot, ReadOnlySpan<double> values)
    {
        values.CopyTo(_values.AsSpan(slot * width));
        _isKnown[slot] = true;
    }

    /// <summary>Whether a sequence goes on from what is remembered of its key.</summary>
    /// <param name="memory">What is remembered; null for nothing.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="row">The sequence's first row.</param>
    /// <param name="slot">The slot of its key, where its end is to be remembered; -1 for none.</param>
    public static bool GoesOn(SlotMemory? memory, Minibatch batch, int row, out int slot)
    {
        slot = memory is null ? -1 : batch.Key(row);
        return slot >= 0 && memory!.IsKnown(slot) && !SequenceRows.FollowsItsKey(batch, row);
    }

    /// <inheritdoc/>
    public override void Forget(int slot) => _isKnown[slot] = false;

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other)
    {
        var slots = (SlotMemory)other;
        slots._values.CopyTo(_values, 0);
        slots._isKnown.CopyTo(_isKnown, 0);
    }

    /// <inheritdoc/>
    public override void CopyFrom(StreamMemory other, int from, int to)
    {
        var slots = (SlotMemory)other;
        if (slots.IsKnown(from)) Set(to, slots.Of(from));
        else Forget(to);
    }

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        writer.WriteArray<int>([.. Enumerable.Range(0, keys).Where(IsKnown)]);
        for (int slot = 0; slot < keys; slot++)
            if (_isKnown[slot]) foreach (double value in Of(slot)) writer.Write(value);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        Array.Clear(_isKnown);
        int[] known = reader.ReadArray<int>();
        foreach (int slot in known)
        {
            if ((uint)slot >= (uint)keys) throw new InvalidDataException($"A saved memory of keys has slot {slot}; there are {keys}.");
            for (int at = 0; at < width; at++)
            {
                double value = _values[slot * width + at] = reader.ReadDouble();
                if (!double.IsFinite(value)) throw new InvalidDataException($"A saved memory of keys has {value} in slot {slot}.");
            }
            if (Problem(Of(slot)) is { } problem) throw new InvalidDataException($"The saved memory of slot {slot} {problem}.");
            _isKnown[slot] = true;
        }
    }

    /// <summary>What is wrong with the numbers of a slot that were read, as the end of a sentence; null where nothing is.</summary>
    protected abstract string? Problem(ReadOnlySpan<double> values);
}
