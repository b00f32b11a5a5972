namespace StreamEm.Core.Data;

/// <summary>
/// The slots of the keys met last: a fixed number of slots, each belonging to one key until it is the one not met for longest and a new key
/// needs it. What it does is a function of the keys and their order alone.
/// </summary>
internal sealed class KeyTable
{
    private const int None = -1;

    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly string?[] _keys;
    private readonly int[] _older, _newer;
    private int _oldest = None, _newest = None;

    /// <summary>A table without keys.</summary>
    /// <param name="capacity">Slots.</param>
    public KeyTable(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _keys = new string?[capacity];
        (_older, _newer) = (new int[capacity], new int[capacity]);
    }

    /// <summary>Number of slots.</summary>
    public int Capacity => _keys.Length;

    /// <summary>Keys that have a slot.</summary>
    public int Count => _slots.Count;

    /// <summary>Keys that lost their slot to another.</summary>
    public long Evicted { get; private set; }

    /// <summary>Whether a key has a slot.</summary>
    public bool Contains(string key) => _slots.ContainsKey(key);

    /// <summary>The slot of a key, which stays as old as it is; -1 where it is not remembered.</summary>
    public int Find(string key) => _slots.TryGetValue(key, out int slot) ? slot : -1;

    /// <summary>The slot of a key, which from now on is the one met last.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isNew">Whether the slot is new to the key: what was remembered in it belongs to another.</param>
    public int Touch(string key, out bool isNew)
    {
        isNew = !_slots.TryGetValue(key, out int slot);
        if (isNew) slot = Take(key);
        else if (slot == _newest) return slot;
        else Unlink(slot);
        Append(slot);
        return slot;
    }

    /// <summary>The key of a slot that has one.</summary>
    public string KeyOf(int slot) => _keys[slot]!;

    /// <summary>Forgets all keys: slots are given from the first one on.</summary>
    public void Clear()
    {
        Array.Clear(_keys, 0, _slots.Count);
        _slots.Clear();
        (_oldest, _newest, Evicted) = (None, None, 0);
    }

    /// <summary>
    /// Takes over the keys of a table of another capacity into this empty one, those met last as far as they have room; the others count as
    /// evicted.
    /// </summary>
    /// <returns>For every slot taken, the slot of its key in the other table.</returns>
    public int[] TakeNewest(KeyTable other)
    {
        int slot = other._oldest, dropped = Math.Max(0, other.Count - Capacity);
        for (int i = 0; i < dropped; i++) slot = other._newer[slot];
        Evicted = other.Evicted + dropped;
        int[] from = new int[other.Count - dropped];
        for (int to = 0; to < from.Length; to++, slot = other._newer[slot])
        {
            from[to] = slot;
            Touch(other._keys[slot]!, out _);
        }
        return from;
    }

    /// <summary>Takes over the keys of another table of the same capacity.</summary>
    public void CopyFrom(KeyTable other)
    {
        if (other.Capacity != Capacity)
            throw new ArgumentException($"The table has {other.Capacity} slots; expected {Capacity}.", nameof(other));
        _slots.Clear();
        foreach ((string key, int slot) in other._slots) _slots.Add(key, slot);
        other._keys.CopyTo(_keys, 0);
        other._older.CopyTo(_older, 0);
        other._newer.CopyTo(_newer, 0);
        (_oldest, _newest, Evicted) = (other._oldest, other._newest, other.Evicted);
    }

    /// <summary>Writes keys and slots, the key not met for longest first.</summary>
    internal void Save(BinaryWriter writer)
    {
        writer.Write(Evicted);
        writer.Write(_slots.Count);
        for (int slot = _oldest; slot != None; slot = _newer[slot])
        {
            writer.Write(slot);
            writer.Write(_keys[slot]!);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, in place of the keys there are.</summary>
    /// <exception cref="InvalidDataException">It does not fit.</exception>
    internal void Load(BinaryReader reader)
    {
        _slots.Clear();
        Array.Clear(_keys);
        (_oldest, _newest) = (None, None);
        Evicted = reader.ReadInt64();
        int count = reader.ReadInt32();
        if (count < 0 || count > Capacity)
            throw new InvalidDataException($"A saved table of keys has {count} of them; expected at most {Capacity}.");
        for (int at = 0; at < count; at++)
        {
            int slot = reader.ReadInt32();
            string key = reader.ReadString();
            if ((uint)slot >= (uint)Capacity || _keys[slot] is not null || !_slots.TryAdd(key, slot))
                throw new InvalidDataException($"A saved table of keys has slot {slot} or one of its keys twice, or beyond {Capacity}.");
            _keys[slot] = key;
            Append(slot);
        }
    }

    private int Take(string key)
    {
        int slot = _slots.Count;
        if (slot == Capacity)
        {
            slot = _oldest;
            Unlink(slot);
            _slots.Remove(_keys[slot]!);
            Evicted++;
        }
        _slots.Add(key, slot);
        _keys[slot] = key;
        return slot;
    }

    private void Append(int slot)
    {
        (_older[slot], _newer[slot]) = (_newest, None);
        if (_newest != None) _newer[_newest] = slot;
        else _oldest = slot;
        _newest = slot;
    }

    private void Unlink(int slot)
    {
        (int older, int newer) = (_older[slot], _newer[slot]);
        if (older != None) _newer[older] = newer;
        else _oldest = newer;
        if (newer != None) _older[newer] = older;
        else _newest = older;
    }
}
