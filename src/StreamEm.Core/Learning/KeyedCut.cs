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
internal class KeyedCut(int size, int maxKeys, StreamMemory memory, SequenceOptions sequences)
    : SlottedCut(maxKeys, memory, sequences)
{
    private readonly SequenceLengths? _before = sequences.HasLimits ? new(maxKeys, sequences) : null;
    private readonly SequenceGroups _groups = new();
    private Minibatch? _rows;
    private int[] _slots = [];
    private bool[] _begins = [];

    /// <inheritdoc/>
    public override SequenceLengths? LengthsBefore => _before;

    /// <inheritdoc/>
    public override int Room(Minibatch pending) => Math.Max(1, size - pending.Count);

    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, CutMoment moment, out int count)
    {
        if ((count = CountOf(pending, size, moment)) == 0) return null;
        if (Lengths is not null) _before!.CopyFrom(Lengths);
        if (_slots.Length < count) (_slots, _begins) = (new int[count], new bool[count]);
        for (int row = 0; row < count; row++)
        {
            string key = KeyOf(pending, row);
            int slot = _slots[row] = Table.Touch(key, out bool isNew);
            if (isNew) isNew = !Recalls(key, slot);
            _begins[row] = Lengths is null ? isNew : Lengths.Take(slot, pending.Timestamp(row), isNew, pending.IsLast(row));
            // Its first row in the minibatch goes on from nothing; a later one follows its key.
            if (isNew || (_begins[row] && !_slots.AsSpan(0, row).Contains(slot))) Memory!.Forget(slot);
        }
        _rows ??= new Minibatch(pending.Dimension, size);
        _groups.Group(pending, _slots.AsSpan(0, count), _rows, Lengths is null ? default : _begins.AsSpan(0, count));
        return _rows;
    }

    /// <summary>Whether a key that has just got a slot is known from elsewhere; the slot then has what is known of it.</summary>
    protected virtual bool Recalls(string key, int slot) => false;

    /// <inheritdoc/>
    public override void CopyFrom(MinibatchCut other)
    {
        if (other is KeyedCut keyed && IsLike(keyed)) CopyState(keyed);
        else base.CopyFrom(other);
    }
}
