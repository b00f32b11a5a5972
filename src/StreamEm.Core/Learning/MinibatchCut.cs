using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Cuts the next minibatch from the rows pending: a function of the rows, their order and its own state alone, so that a killed stream cuts
/// where it would have.
/// </summary>
internal abstract class MinibatchCut
{
    /// <summary>What is remembered of the keys; null for rows that are exchangeable.</summary>
    public virtual StreamMemory? Memory => null;

    /// <summary>The keys remembered; null for rows that are exchangeable.</summary>
    public virtual KeyTable? Keys => null;

    /// <summary>The next rows to learn from; null when there are too few yet.</summary>
    /// <param name="pending">The rows taken but not learned from; user units, levels as codes.</param>
    /// <param name="flush">Whether fewer rows than usual are enough.</param>
    /// <param name="count">How many of the first pending rows these are, to be removed once they are learned from.</param>
    public abstract Minibatch? Next(Minibatch pending, bool flush, out int count);

    /// <summary>Rows as the model takes them when no earlier ones are remembered: for first parameters and batch EM.</summary>
    public virtual Minibatch Whole(Minibatch rows) => rows;

    /// <summary>Writes what it remembers.</summary>
    public virtual void Save(BinaryWriter writer)
    {
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public virtual void Load(BinaryReader reader)
    {
    }

    /// <summary>Takes over what another cut of the same model remembers, as far as there is room for it.</summary>
    public virtual void CopyFrom(MinibatchCut other)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        Load(reader);
    }

    /// <summary>How many rows the next minibatch takes; 0 when there are too few.</summary>
    protected static int CountOf(Minibatch pending, int size, bool flush)
    {
        int count = Math.Min(pending.Count, size);
        return count < size && !flush ? 0 : count;
    }
}

/// <summary>So many rows as they come.</summary>
/// <param name="size">Rows of a minibatch.</param>
internal sealed class PlainCut(int size) : MinibatchCut
{
    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, bool flush, out int count) =>
        (count = CountOf(pending, size, flush)) > 0 ? pending : null;
}

/// <summary>
/// So many rows as they come, those of a key put together: each key is one endless sequence, of which the model remembers where it stands.
/// Slots are given when a minibatch is cut, not when a row is taken, so that a key that has rows pending cannot lose its slot to them.
/// </summary>
/// <param name="size">Rows of a minibatch; at most <paramref name="maxKeys"/>, so that its rows never share a slot.</param>
/// <param name="maxKeys">Keys remembered at once.</param>
/// <param name="memory">What is remembered of them.</param>
internal sealed class KeyedCut(int size, int maxKeys, StreamMemory memory) : MinibatchCut
{
    private readonly KeyTable _keys = new(maxKeys);
    private readonly SequenceGroups _groups = new();
    private Minibatch? _rows;
    private int[] _slots = [];

    /// <inheritdoc/>
    public override StreamMemory? Memory => memory;

    /// <inheritdoc/>
    public override KeyTable? Keys => _keys;

    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, bool flush, out int count)
    {
        if ((count = CountOf(pending, size, flush)) == 0) return null;
        if (_slots.Length < count) _slots = new int[count];
        for (int row = 0; row < count; row++)
        {
            _slots[row] = _keys.Touch(KeyOf(pending, row), out bool isNew);
            if (isNew) memory.Forget(_slots[row]);
        }
        _rows ??= new Minibatch(pending.Dimension, size);
        _groups.Group(pending, _slots.AsSpan(0, count), _rows);
        return _rows;
    }

    /// <inheritdoc/>
    public override Minibatch Whole(Minibatch rows) => KeyedRows.Whole(rows);

    /// <inheritdoc/>
    public override void Save(BinaryWriter writer)
    {
        _keys.Save(writer);
        memory.Save(writer);
    }

    /// <inheritdoc/>
    public override void Load(BinaryReader reader)
    {
        _keys.Load(reader);
        memory.Load(reader);
    }

    /// <inheritdoc/>
    public override void CopyFrom(MinibatchCut other)
    {
        if (other is not KeyedCut keyed || keyed._keys.Capacity == _keys.Capacity)
        {
            base.CopyFrom(other);
            return;
        }
        int[] from = _keys.TakeNewest(keyed._keys);
        for (int slot = 0; slot < from.Length; slot++) memory.CopyFrom(keyed.Memory!, from[slot], slot);
    }

    private static string KeyOf(Minibatch rows, int row) => rows.Texts?.Find(rows.Key(row)) ?? "";
}

/// <summary>Rows put together by their keys' texts.</summary>
internal static class KeyedRows
{
    /// <summary>A sequence for every key, rows without one together; the numbers of the keys are those of their texts.</summary>
    public static Minibatch Whole(Minibatch rows)
    {
        int[] numbers = new int[rows.Count];
        for (int row = 0; row < numbers.Length; row++) numbers[row] = rows.Key(row) + 1;
        var result = new Minibatch(rows.Dimension, Math.Max(1, rows.Count));
        new SequenceGroups().Group(rows, numbers, result);
        return result;
    }
}
