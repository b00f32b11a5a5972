using System.Runtime.InteropServices;
using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>
/// Sequences as they end, until they have as many rows as a minibatch: each is learned from as a whole. The rows of those that go on stay
/// pending.
/// </summary>
/// <param name="size">Rows from which a minibatch is full.</param>
/// <param name="maxKeys">Sequences open at once.</param>
/// <param name="sequences">What ends a sequence beside the end of the data.</param>
internal sealed class WholeCut(int size, int maxKeys, SequenceOptions sequences) : MinibatchCut
{
    private readonly OpenSequences _open = new(maxKeys, sequences);
    private readonly SequenceGroups _groups = new();
    private readonly List<int> _order = [], _numbers = [];
    private Minibatch? _rows;
    private long _evicted;

    /// <inheritdoc/>
    public override ReadOnlySpan<int> Origins => CollectionsMarshal.AsSpan(_order)[.._numbers.Count];

    /// <inheritdoc/>
    public override string? Eviction => _evicted > 0
        ? $"{_evicted} sequence(s) were closed to make room for others; max_keys is {maxKeys}."
        : null;

    /// <inheritdoc/>
    public override int Room(Minibatch pending) => Math.Max(1, size - pending.Count);

    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, CutMoment moment, out int count)
    {
        count = 0;
        _open.Look(pending);
        if (moment == CutMoment.Ended) _open.CloseAll();
        if (_open.RowsOver == 0 || (moment == CutMoment.Full && _open.RowsOver < size)) return null;
        _open.Choose(size, _order, _numbers, out int evicted);
        _evicted += evicted;
        count = _numbers.Count;
        Reorder(pending, CollectionsMarshal.AsSpan(_order));
        _rows ??= new Minibatch(pending.Dimension, count);
        _groups.Group(pending, CollectionsMarshal.AsSpan(_numbers), _rows);
        return _rows;
    }

    /// <inheritdoc/>
    public override Minibatch Whole(Minibatch rows) => KeyedRows.Whole(rows, sequences);

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer) => writer.Write(_evicted);

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        _evicted = reader.ReadInt64();
        if (_evicted < 0) throw new InvalidDataException($"{_evicted} sequences made room for others; expected at least 0.");
        _open.Forget();
    }

    /// <inheritdoc/>
    public override void CopyFrom(MinibatchCut other)
    {
        if (other is WholeCut whole) _evicted = whole._evicted;
    }
}
