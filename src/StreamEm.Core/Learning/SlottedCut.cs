using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>A cut that gives every key a slot, in which the model remembers where the key's sequence stands.</summary>
/// <param name="maxKeys">Keys remembered at once.</param>
/// <param name="memory">What is remembered of them.</param>
/// <param name="sequences">What ends a sequence: the key's next row begins another.</param>
internal abstract class SlottedCut(int maxKeys, StreamMemory memory, SequenceOptions sequences) : MinibatchCut
{
    /// <inheritdoc/>
    public sealed override StreamMemory? Memory => memory;

    /// <inheritdoc/>
    public sealed override KeyTable? Keys => Table;

    /// <inheritdoc/>
    public sealed override SequenceLengths? Lengths { get; } = sequences.HasLimits ? new(maxKeys, sequences) : null;

    /// <summary>The keys' slots.</summary>
    protected KeyTable Table { get; } = new(maxKeys);

    /// <inheritdoc/>
    public sealed override Minibatch Whole(Minibatch rows) => KeyedRows.Whole(rows, sequences);

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        Table.Save(writer);
        memory.Save(writer);
        Lengths?.Save(writer);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        Table.Load(reader);
        memory.Load(reader);
        Lengths?.Load(reader);
    }

    /// <inheritdoc/>
    /// <remarks>Rows that the other has looked at are looked at again where they are not taken over.</remarks>
    public override void CopyFrom(MinibatchCut other)
    {
        // Whole sequences are pending, and nothing else is remembered of them.
        if (other is not SlottedCut slotted) return;
        int[] from = Table.TakeNewest(slotted.Table);
        for (int slot = 0; slot < from.Length; slot++)
        {
            if (slotted.Remembers(from[slot])) memory.CopyFrom(slotted.Memory!, from[slot], slot);
            if (slotted.Lengths is { } lengths) Lengths?.CopyFrom(lengths, from[slot], slot);
        }
    }

    /// <summary>Whether what is remembered of a slot is of the sequence that its rows pending go on with.</summary>
    protected virtual bool Remembers(int slot) => true;

    /// <summary>Whether another cut's state fits here as it is.</summary>
    protected bool IsLike(SlottedCut other) =>
        other.Table.Capacity == Table.Capacity && other.Lengths is null == Lengths is null;

    /// <summary>The key of a row; empty where it has none.</summary>
    protected static string KeyOf(Minibatch rows, int row) => rows.Texts?.Find(rows.Key(row)) ?? "";
}
