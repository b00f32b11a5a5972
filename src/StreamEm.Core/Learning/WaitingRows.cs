using System.Runtime.InteropServices;
using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>
/// The first rows pending, of endless sequences: each waits until so many of its sequence have come after it, or until it is released; then
/// it is ready. Part of the state.
/// </summary>
/// <param name="slots">How many slots keys have.</param>
/// <param name="lag">Rows of a sequence that wait.</param>
internal sealed class WaitingRows(int slots, int lag)
{
    private const int None = -1;

    private readonly List<Entry> _rows = [], _left = [];

    /// <summary>Of every slot its first and last row here, the first that waits, and how many wait.</summary>
    private readonly int[] _head = Nones(slots), _tail = Nones(slots), _first = Nones(slots), _waiting = new int[slots];

    /// <summary>The slots in which rows wait, the one whose last row is furthest back first.</summary>
    private readonly int[] _older = Nones(slots), _newer = Nones(slots);

    private int _newest = None;

    /// <summary>How many rows there are, ready or not.</summary>
    public int Count => _rows.Count;

    /// <summary>How many of them are ready.</summary>
    public int Ready { get; private set; }

    /// <summary>The slot in which rows wait whose last one is furthest back; below 0 where none waits.</summary>
    public int Oldest { get; private set; } = None;

    /// <summary>The rows' slots.</summary>
    public int[] Slots => [.. _rows.Select(row => row.Slot)];

    /// <summary>Which rows begin a sequence.</summary>
    public bool[] Begins => [.. _rows.Select(row => row.Begins)];

    /// <summary>Takes the next row pending.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="begins">Whether it begins a sequence: the one that was the slot's is over.</param>
    public void Add(int slot, bool begins)
    {
        if (begins) Release(slot);
        _rows.Add(new Entry { Slot = slot, Begins = begins });
        Link(_rows.Count - 1);
        Hasten(slot);
    }

    /// <summary>The rows of a slot wait no longer.</summary>
    public void Release(int slot)
    {
        while (_waiting[slot] > 0) ReleaseFirst(slot);
    }

    /// <summary>No row waits any longer.</summary>
    public void ReleaseAll()
    {
        while (Oldest != None) Release(Oldest);
    }

    /// <summary>Whether a row of a slot begins a sequence: what is remembered of the slot is of the one before.</summary>
    public bool BeginsAnew(int slot)
    {
        for (int row = _head[slot]; row != None; row = _rows[row].Next)
            if (_rows[row].Begins) return true;
        return false;
    }

    /// <summary>Takes away the first rows that are ready.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="order">Overwritten: of the rows there were, those taken, then the others, both in their order.</param>
    /// <param name="taken">Overwritten with the slots of those taken.</param>
    /// <param name="begins">Overwritten: which of those taken begin a sequence.</param>
    public void Take(int most, List<int> order, List<int> taken, List<bool> begins)
    {
        order.Clear();
        taken.Clear();
        begins.Clear();
        Span<Entry> rows = CollectionsMarshal.AsSpan(_rows);
        for (int row = 0; row < rows.Length && taken.Count < most; row++)
        {
            if (!rows[row].IsReady) continue;
            order.Add(row);
            taken.Add(rows[row].Slot);
            begins.Add(rows[row].Begins);
        }
        int next = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            if (next < taken.Count && order[next] == row) next++;
            else order.Add(row);
        }
        _left.Clear();
        for (int row = taken.Count; row < rows.Length; row++) _left.Add(rows[order[row]]);
        Restore(CollectionsMarshal.AsSpan(_left));
    }

    /// <summary>The rows here that go on with the sequence a slot's rows before were of, in their order.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="result">Overwritten.</param>
    public void GoingOn(int slot, List<int> result)
    {
        result.Clear();
        for (int row = _head[slot]; row != None && !_rows[row].Begins; row = _rows[row].Next) result.Add(row);
    }

    /// <summary>Writes all of it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteArray<int>(Slots);
        writer.WriteArray<byte>([.. _rows.Select(row => (byte)((row.Begins ? 1 : 0) | (row.IsReady ? 2 : 0)))]);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is of other slots, or damaged.</exception>
    public void Load(BinaryReader reader)
    {
        int[] of = reader.ReadArray<int>();
        byte[] marks = reader.ReadArray<byte>();
        if (marks.Length != of.Length || marks.Any(mark => mark > 3) || of.Any(slot => (uint)slot >= (uint)slots))
            throw new InvalidDataException($"The saved rows that wait are damaged, or not of {slots} slots.");
        Restore([.. of.Select((slot, row) => new Entry { Slot = slot, Begins = (marks[row] & 1) != 0, IsReady = (marks[row] & 2) != 0 })]);
    }

    private static int[] Nones(int count)
    {
        int[] result = new int[count];
        Array.Fill(result, None);
        return result;
    }

    private void Restore(ReadOnlySpan<Entry> rows)
    {
        foreach (Entry row in _rows)
            (_head[row.Slot], _tail[row.Slot], _first[row.Slot], _waiting[row.Slot], _older[row.Slot], _newer[row.Slot]) =
                (None, None, None, 0, None, None);
        _rows.Clear();
        (Oldest, _newest, Ready) = (None, None, 0);
        foreach (Entry row in rows)
        {
            _rows.Add(row with { Next = None });
            if (row.IsReady) Ready++;
            Link(_rows.Count - 1);
        }
        foreach (Entry row in rows) Hasten(row.Slot);
    }

    /// <summary>Puts the last row behind those of its slot.</summary>
    private void Link(int row)
    {
        Span<Entry> rows = CollectionsMarshal.AsSpan(_rows);
        int slot = rows[row].Slot;
        if (_head[slot] == None) _head[slot] = row;
        else rows[_tail[slot]].Next = row;
        _tail[slot] = row;
        if (rows[row].IsReady) return;
        if (_waiting[slot]++ == 0) _first[slot] = row;
        else Unlink(slot);
        (_older[slot], _newer[slot]) = (_newest, None);
        if (_newest != None) _newer[_newest] = slot;
        else Oldest = slot;
        _newest = slot;
    }

    /// <summary>Of the rows of a slot that wait, those with enough behind them do no longer.</summary>
    private void Hasten(int slot)
    {
        while (_waiting[slot] > lag) ReleaseFirst(slot);
    }

    private void ReleaseFirst(int slot)
    {
        Span<Entry> rows = CollectionsMarshal.AsSpan(_rows);
        int row = _first[slot];
        rows[row].IsReady = true;
        Ready++;
        do row = rows[row].Next;
        while (row != None && rows[row].IsReady);
        _first[slot] = row;
        if (--_waiting[slot] == 0) Unlink(slot);
    }

    private void Unlink(int slot)
    {
        (int older, int newer) = (_older[slot], _newer[slot]);
        if (older != None) _newer[older] = newer;
        else Oldest = newer;
        if (newer != None) _older[newer] = older;
        else _newest = older;
    }

    private record struct Entry
    {
        public int Slot { get; set; }

        /// <summary>Whether it begins a sequence.</summary>
        public bool Begins { get; set; }

        /// <summary>Whether it waits no longer.</summary>
        public bool IsReady { get; set; }

        /// <summary>The next row of its slot.</summary>
        public int Next { get; set; } = None;

        public Entry()
        {
        }
    }
}
