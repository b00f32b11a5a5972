using System.Runtime.InteropServices;
using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Endless sequences a number of rows behind: a row is learned from once that many of its sequence have come after it, in their light
/// (fixed-lag smoothing: Anderson &amp; Moore 1979, chapter 7), or once its sequence is over. Until then it stays pending. What is
/// remembered of a key is where it stood after its last row that was learned from; the rows behind are the minibatch's
/// <see cref="Minibatch.Ahead"/>.
/// </summary>
/// <param name="size">Rows of a minibatch.</param>
/// <param name="maxKeys">Keys remembered at once; with more, the sequence of the one whose last row is furthest back is over.</param>
/// <param name="memory">What is remembered of them.</param>
/// <param name="sequences">What ends a sequence, and the lag.</param>
internal sealed class LaggedCut(int size, int maxKeys, StreamMemory memory, SequenceOptions sequences)
    : SlottedCut(maxKeys, memory, sequences)
{
    private readonly long _gap = sequences.Gap is { } gap ? (long)gap.TotalMilliseconds : long.MaxValue;
    private readonly int _lag = sequences.Lag;
    private readonly WaitingRows _waiting = new(maxKeys, sequences.Lag);
    private readonly SequenceGroups _groups = new();
    private readonly HashSet<int> _met = [];
    private readonly List<int> _order = [], _slots = [], _goingOn = [];
    private readonly List<bool> _begins = [];
    private Minibatch? _rows;
    private long _time = Minibatch.NoTimestamp;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Origins => CollectionsMarshal.AsSpan(_order)[.._slots.Count];

    /// <inheritdoc/>
    public override int Looked => _waiting.Count;

    /// <inheritdoc/>
    public override SlottedRows SlotsOfMinibatch => new([.. _slots], [.. _begins]);

    /// <inheritdoc/>
    public override SlottedRows SlotsOfPending => new(_waiting.Slots, _waiting.Begins);

    /// <inheritdoc/>
    /// <remarks>A row makes at most as many ready as wait in one sequence, and itself; where time ends sequences, any number.</remarks>
    public override int Room(Minibatch pending)
    {
        if (_gap != long.MaxValue) return 1;
        int missing = size - _waiting.Ready, most = _lag + 1;
        bool isOneEach = Lengths is null && Table.Count + missing <= Table.Capacity;
        return Math.Max(1, missing / (isOneEach ? 1 : most) - (pending.Count - _waiting.Count));
    }

    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, CutMoment moment, out int count)
    {
        count = 0;
        while (_waiting.Ready < size && _waiting.Count < pending.Count) Look(pending, _waiting.Count);
        if (moment == CutMoment.Ended && _waiting.Count == pending.Count) _waiting.ReleaseAll();
        if (_waiting.Ready == 0 || (moment == CutMoment.Full && _waiting.Ready < size)) return null;
        _waiting.Take(size, _order, _slots, _begins);
        for (int row = _order.Count; row < pending.Count; row++) _order.Add(row);
        count = _slots.Count;
        Reorder(pending, CollectionsMarshal.AsSpan(_order));
        _met.Clear();
        for (int row = 0; row < count; row++)
            if (_met.Add(_slots[row]) && _begins[row]) Memory!.Forget(_slots[row]);
        _rows ??= new Minibatch(pending.Dimension, size);
        _groups.Group(pending, CollectionsMarshal.AsSpan(_slots), _rows, CollectionsMarshal.AsSpan(_begins));
        SetAhead(pending, count, _rows);
        return _rows;
    }

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        base.Save(writer);
        writer.Write(_time);
        _waiting.Save(writer);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        base.Load(reader);
        _time = reader.ReadInt64();
        _waiting.Load(reader);
    }

    /// <inheritdoc/>
    public override void CopyFrom(MinibatchCut other)
    {
        if (other is LaggedCut { _time: var time } lagged)
        {
            if (IsLike(lagged))
            {
                CopyState(lagged);
                return;
            }
            _time = time;
        }
        base.CopyFrom(other);
    }

    /// <inheritdoc/>
    protected override bool Remembers(int slot) => !_waiting.BeginsAnew(slot);

    /// <summary>Gives a row its slot, and finds what it ends.</summary>
    private void Look(Minibatch pending, int row)
    {
        long timestamp = pending.Timestamp(row);
        int slot = Table.Touch(KeyOf(pending, row), out bool isNew);
        _waiting.Add(slot, Lengths?.Take(slot, timestamp, isNew, pending.IsLast(row)) ?? isNew);
        if (Lengths is not null && Lengths.IsOver(slot)) _waiting.Release(slot);
        if (_gap == long.MaxValue) return;
        _time = Math.Max(_time, timestamp);
        // The time of the stream has passed them by.
        while (_waiting.Oldest >= 0 && SequenceLengths.IsBeyondGap(Lengths!.Last(_waiting.Oldest), _time, _gap))
            _waiting.Release(_waiting.Oldest);
    }

    /// <summary>Gives the last sequence of every slot the rows that go on with it.</summary>
    private void SetAhead(Minibatch pending, int learned, Minibatch rows)
    {
        if (_waiting.Count == 0) return;
        Minibatch ahead = rows.BeginAhead();
        ReadOnlySpan<int> starts = rows.SequenceStarts;
        for (int sequence = 0; sequence < starts.Length; sequence++)
        {
            ahead.BeginSequence();
            int slot = rows.Key(starts[sequence]);
            if (sequence + 1 < starts.Length && rows.Key(starts[sequence + 1]) == slot) continue;
            _waiting.GoingOn(slot, _goingOn);
            foreach (int row in _goingOn)
                ahead.Add(
                    pending.Row(learned + row), pending.Weight(learned + row), ahead.TakeLabel(pending, learned + row),
                    pending.Target(learned + row), slot, pending.Timestamp(learned + row));
        }
    }
}
