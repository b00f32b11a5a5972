using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>What is enough for a minibatch.</summary>
internal enum CutMoment
{
    /// <summary>As many rows as one has.</summary>
    Full,

    /// <summary>Fewer: they have waited long enough.</summary>
    Waited,

    /// <summary>Fewer: no more will come, and what is open is over.</summary>
    Ended,
}

/// <summary>
/// Cuts the next minibatch from the rows pending: a function of the rows, their order and its own state alone, so that a killed stream cuts
/// where it would have.
/// </summary>
internal abstract class MinibatchCut
{
    private Minibatch? _reordered;

    /// <summary>What is remembered of the keys; null for rows that are exchangeable.</summary>
    public virtual StreamMemory? Memory => null;

    /// <summary>The keys remembered; null for rows that are exchangeable.</summary>
    public virtual KeyTable? Keys => null;

    /// <summary>How far the sequences of the keys have come; null where nothing ends one.</summary>
    public virtual SequenceLengths? Lengths => null;

    /// <summary>The same before the minibatch that was cut last.</summary>
    public virtual SequenceLengths? LengthsBefore => null;

    /// <summary>Of the rows of the minibatch that was cut last, in the order in which they are pending now, which of the rows pending they
    /// were before; empty where that is the same.</summary>
    public virtual ReadOnlySpan<int> Origins => default;

    /// <summary>How many of the first rows pending are known to it: their slots are given.</summary>
    public virtual int Looked => 0;

    /// <summary>The slots of the rows of the minibatch that was cut last, where they were given before it was cut.</summary>
    public virtual SlottedRows SlotsOfMinibatch => default;

    /// <summary>The slots of the first rows pending that it knows.</summary>
    public virtual SlottedRows SlotsOfPending => default;

    /// <summary>What is to be said where there were more keys than are remembered; null where there were not.</summary>
    public virtual string? Eviction => Keys is { Evicted: > 0 } keys
        ? $"{keys.Evicted} key(s) were forgotten to make room for others; max_keys is {keys.Capacity}."
        : null;

    /// <summary>The next rows to learn from; null when there are too few yet.</summary>
    /// <param name="pending">The rows taken but not learned from; user units, levels as codes. They may be put in another order, in which
    /// those of a key stay in theirs.</param>
    /// <param name="moment">What is enough.</param>
    /// <param name="count">How many of the first pending rows these are, to be removed once they are learned from.</param>
    public abstract Minibatch? Next(Minibatch pending, CutMoment moment, out int count);

    /// <summary>Rows that may be taken before there can be another minibatch; at least 1.</summary>
    /// <param name="pending">The rows taken but not learned from.</param>
    public abstract int Room(Minibatch pending);

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
    public virtual void CopyFrom(MinibatchCut other) => CopyState(other);

    /// <summary>Takes over the state of a cut like this one.</summary>
    protected void CopyState(MinibatchCut other)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true)) other.Save(writer);
        stream.Position = 0;
        using var reader = new BinaryReader(stream);
        Load(reader);
    }

    /// <summary>Puts the rows pending in another order.</summary>
    /// <param name="pending">The rows; overwritten.</param>
    /// <param name="order">Which of them comes where.</param>
    protected void Reorder(Minibatch pending, ReadOnlySpan<int> order)
    {
        _reordered ??= new Minibatch(pending.Dimension, pending.Count);
        _reordered.Clear();
        _reordered.Texts = pending.Texts;
        _reordered.Append(pending, order);
        pending.Clear();
        pending.Append(_reordered, 0, _reordered.Count);
    }

    /// <summary>How many rows the next minibatch takes; 0 when there are too few.</summary>
    protected static int CountOf(Minibatch pending, int size, CutMoment moment)
    {
        int count = Math.Min(pending.Count, size);
        return count < size && moment == CutMoment.Full ? 0 : count;
    }
}

/// <summary>So many rows as they come.</summary>
/// <param name="size">Rows of a minibatch.</param>
internal sealed class PlainCut(int size) : MinibatchCut
{
    /// <inheritdoc/>
    public override Minibatch? Next(Minibatch pending, CutMoment moment, out int count) =>
        (count = CountOf(pending, size, moment)) > 0 ? pending : null;

    /// <inheritdoc/>
    public override int Room(Minibatch pending) => Math.Max(1, size - pending.Count);
}
