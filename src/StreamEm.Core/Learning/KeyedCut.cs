using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// So many rows as they come, those of a key put together: each key is a sequence that goes on from minibatch to minibatch, of which the
/// model remembers where it stands. Slots are given when a minibatch is cut, not when a row is taken, so that a key that has rows pending
/// cannot lose its slot to them.
/// </summary>
/// <param name="size">Rows of a minibatch; at most <paramref name="maxKeys"/>, so that its rows never share a slot.</param>
/// <param name="maxKeys">Keys remembered at once.</param>
/// <param name="memory">What is remembered of them.</param>
/// <param name="sequences">What ends a sequence: the key's next row begins another.</param>
internal sealed class KeyedCut(int size, int maxKeys, StreamMemory memory, SequenceOptions sequences) : MinibatchCut
{
    private readonly KeyTable _keys = new(maxKeys);
    private readonly SequenceLengths? _lengths = sequences.HasLimits ? new(maxKeys, sequences) : null,
        _before = sequences.HasLimits ? new(maxKeys, sequences) : null;
    private readonly SequenceGroups _groups = new();
    private Minibatch? _rows;
    private int[] _slots = [];
    private bool[] _begins = [];

    /// <inheritdoc/>
    public override StreamMemory? Memory => memory;

    /// <inheritdoc/>
    public override KeyTable? Keys => _keys;

    /// <inheritdoc/>
    public override SequenceLengths? Lengths => _lengths;

    /// <inheritdoc/>
    public override SequenceLengths? LengthsBefore => _before;

    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, CutMoment moment, out int count)
    {
        if ((count = CountOf(pending, size, moment)) == 0) return null;
        if (_lengths is not null) _before!.CopyFrom(_lengths);
        if (_slots.Length < count) (_slots, _begins) = (new int[count], new bool[count]);
        for (int row = 0; row < count; row++)
        {
            int slot = _slots[row] = _keys.Touch(KeyOf(pending, row), out bool isNew);
            _begins[row] = _lengths is null ? isNew : _lengths.Take(slot, pending.Timestamp(row), isNew);
            // Its first row in the minibatch goes on from nothing; a later one follows its key.
            if (isNew || (_begins[row] && !_slots.AsSpan(0, row).Contains(slot))) memory.Forget(slot);
        }
        _rows ??= new Minibatch(pending.Dimension, size);
        _groups.Group(pending, _slots.AsSpan(0, count), _rows, _lengths is null ? default : _begins.AsSpan(0, count));
        return _rows;
    }

    /// <inheritdoc/>
    public override Minibatch Whole(Minibatch rows) => KeyedRows.Whole(rows, sequences);

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        _keys.Save(writer);
        memory.Save(writer);
        _lengths?.Save(writer);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        _keys.Load(reader);
        memory.Load(reader);
        _lengths?.Load(reader);
    }

    /// <inheritdoc/>
    public override void CopyFrom(MinibatchCut other)
    {
        // Whole sequences are pending, and nothing else is remembered of them.
        if (other is not KeyedCut keyed) return;
        if (keyed._keys.Capacity == _keys.Capacity && keyed._lengths is null == _lengths is null)
        {
            base.CopyFrom(other);
            return;
        }
        int[] from = _keys.TakeNewest(keyed._keys);
        for (int slot = 0; slot < from.Length; slot++)
        {
            memory.CopyFrom(keyed.Memory!, from[slot], slot);
            if (keyed._lengths is { } lengths) _lengths?.CopyFrom(lengths, from[slot], slot);
        }
    }

    private static string KeyOf(Minibatch rows, int row) => rows.Texts?.Find(rows.Key(row)) ?? "";
}
