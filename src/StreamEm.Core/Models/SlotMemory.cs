using StreamEm.Core.Data;

namespace StreamEm.Core.Models;

/// <summary>
/// Of every key so many numbers: where its sequence stands after its last row. Memory is taken for slots that are used, some at a time.
/// </summary>
/// <param name="keys">Slots.</param>
/// <param name="width">Numbers of a slot.</param>
internal abstract class SlotMemory(int keys, int width) : StreamMemory
{
    /// <summary>Numbers of a part of the slots, at least those of one.</summary>
    private const int PartLength = 8192;

    private readonly int _slots = Math.Clamp(PartLength / Math.Max(1, width), 1, keys);
    private readonly double[]?[] _parts = new double[]?[(keys - 1) / Math.Clamp(PartLength / Math.Max(1, width), 1, keys) + 1];
    private readonly bool[] _isKnown = new bool[keys];

    /// <summary>Whether a slot has had rows.</summary>
    public bool IsKnown(int slot) => _isKnown[slot];

    /// <summary>What is known of a slot [width].</summary>
    public ReadOnlySpan<double> Of(int slot) => Mutable(slot);

    /// <summary>Remembers a slot.</summary>
    public void Set(int slot, ReadOnlySpan<double> values)
    {
        values.CopyTo(Mutable(slot));
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
        for (int part = 0; part < _parts.Length; part++)
            if (slots._parts[part] is { } values) values.CopyTo(_parts[part] ??= new double[values.Length], 0);
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
            Span<double> values = Mutable(slot);
            for (int at = 0; at < width; at++)
            {
                double value = values[at] = reader.ReadDouble();
                if (!double.IsFinite(value)) throw new InvalidDataException($"A saved memory of keys has {value} in slot {slot}.");
            }
            if (Problem(Of(slot)) is { } problem) throw new InvalidDataException($"The saved memory of slot {slot} {problem}.");
            _isKnown[slot] = true;
        }
    }

    /// <summary>The numbers of a slot; threads may ask for slots of one part at once.</summary>
    private Span<double> Mutable(int slot)
    {
        ref double[]? part = ref _parts[slot / _slots];
        if (part is null) Interlocked.CompareExchange(ref part, new double[_slots * width], null);
        return part.AsSpan(slot % _slots * width, width);
    }

    /// <summary>What is wrong with the numbers of a slot that were read, as the end of a sentence; null where nothing is.</summary>
    protected abstract string? Problem(ReadOnlySpan<double> values);
}
