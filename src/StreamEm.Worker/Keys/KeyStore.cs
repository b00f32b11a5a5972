using System.Runtime.InteropServices;
using StreamEm.Core.Learning;

namespace StreamEm.Worker.Keys;

/// <summary>
/// The states of all keys: those met last in memory, at most so many, the others in the log on disk, from where they come back when their
/// key does. Nothing depends on which are where. Used by the learner's thread.
/// </summary>
/// <param name="maxKeys">States in memory, to begin with.</param>
/// <param name="log">Where the others are; null keeps all in memory.</param>
internal sealed class KeyStore(int maxKeys, KeyLog? log) : KeyStates
{
    private const int None = -1;

    /// <summary>States have room for some growth.</summary>
    private const int Grain = 128;

    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly List<int> _changed = [];
    private Item[] _items = new Item[16];
    private byte[] _spare = [], _scratch = [];
    private int _oldest = None, _newest = None;

    /// <summary>States in memory at most.</summary>
    public int MaxKeys { get; set; } = maxKeys;

    /// <summary>Keys there are.</summary>
    public int Count => _slots.Count;

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<string> Keys => _slots.Keys;

    /// <summary>Keys whose state is in memory.</summary>
    public int InMemory { get; private set; }

    /// <summary>Bytes of the states in memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>States that came back from disk.</summary>
    public long Returned { get; private set; }

    /// <summary>Takes over the keys of a checkpoint, all on disk.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, or not there.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public void Open(KeyLogMark mark)
    {
        log!.Open(mark, (key, place) =>
        {
            int slot = SlotOf(key);
            Supersede(ref _items[slot], place);
        });
        if (Count != mark.Keys) throw new InvalidDataException($"The log has {Count} keys; the checkpoint says {mark.Keys}.");
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Read(string key)
    {
        if (!_slots.TryGetValue(key, out int slot)) return default;
        if (_items[slot].State is null)
        {
            KeyPlace place = _items[slot].Place;
            int length = place.Segment!.Read(place, ref _scratch);
            Keep(slot, _scratch.AsSpan(0, length));
            Returned++;
        }
        else
        {
            Touch(slot);
        }

        ref Item item = ref _items[slot];
        return item.State.AsSpan(0, item.Length);
    }

    /// <summary>Whether there is a key.</summary>
    public bool Contains(string key) => _slots.ContainsKey(key);

    /// <summary>The state of a key, which stays where it is; empty where it is new. Valid until the next call.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public ReadOnlySpan<byte> Peek(string key)
    {
        if (!_slots.TryGetValue(key, out int slot)) return default;
        ref Item item = ref _items[slot];
        if (item.State is { } state) return state.AsSpan(0, item.Length);
        int length = item.Place.Segment!.Read(item.Place, ref _scratch);
        return _scratch.AsSpan(0, length);
    }

    /// <inheritdoc/>
    public override void Write(string key, ReadOnlySpan<byte> state)
    {
        int slot = SlotOf(key);
        Keep(slot, state);
        ref Item item = ref _items[slot];
        if (item.IsChanged) return;
        item.IsChanged = true;
        if (log is not null) _changed.Add(slot);
    }

    /// <summary>Has the log hold the state of every key as it is now.</summary>
    /// <returns>What of the log that is.</returns>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    /// <exception cref="IOException">One cannot be written or read.</exception>
    public KeyLogMark Capture()
    {
        foreach (int slot in _changed)
            if (_items[slot].IsChanged) Append(ref _items[slot]);
        _changed.Clear();
        log!.Clean(Move);
        return new KeyLogMark(Count, log.Mark());
    }

    /// <summary>Where no checkpoint counts on the log: has it hold no more of the past than is worth its while.</summary>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    /// <exception cref="IOException">One cannot be written or read.</exception>
    public void Tidy()
    {
        _changed.Clear();
        if (log is not { Bytes: > 0 }) return;
        log.Clean(Move);
        log.Write();
        log.DeleteUnused(log.Mark().Select(segment => segment.Number).ToHashSet());
    }

    /// <summary>An entry of a file that is given up: appended where it is the key's newest.</summary>
    private void Move(string key, KeyPlace place)
    {
        ref Item item = ref _items[_slots[key]];
        if (item.Place != place) return;
        int length = place.Segment!.Read(place, ref _scratch);
        Supersede(ref item, log!.Append(item.Key, _scratch.AsSpan(0, length)));
    }

    private int SlotOf(string key)
    {
        ref int slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, key, out bool isThere);
        if (isThere) return slot;
        slot = _slots.Count - 1;
        if (slot == _items.Length) Array.Resize(ref _items, 2 * slot);
        _items[slot] = new Item { Key = key, Older = None, Newer = None };
        return slot;
    }

    /// <summary>Has a state in memory, in place of the one that is not met for longest where there is no room.</summary>
    private void Keep(int slot, ReadOnlySpan<byte> state)
    {
        if (_items[slot].State is null)
        {
            while (log is not null && InMemory >= MaxKeys) Evict();
            Link(slot);
            InMemory++;
        }
        else
        {
            Touch(slot);
        }

        ref Item item = ref _items[slot];
        if (item.State is null || item.State.Length < state.Length)
        {
            Bytes -= item.State?.Length ?? 0;
            bool fits = _spare.Length >= state.Length;
            item.State = fits ? _spare : new byte[(state.Length + Grain) / Grain * Grain];
            if (fits) _spare = [];
            Bytes += item.State.Length;
        }

        state.CopyTo(item.State);
        item.Length = state.Length;
    }

    private void Evict()
    {
        int slot = _oldest;
        ref Item item = ref _items[slot];
        if (item.IsChanged) Append(ref item);
        Unlink(slot);
        Bytes -= item.State!.Length;
        (_spare, item.State, item.Length) = (item.State, null, 0);
        InMemory--;
    }

    private void Append(ref Item item)
    {
        Supersede(ref item, log!.Append(item.Key, item.State.AsSpan(0, item.Length)));
        item.IsChanged = false;
    }

    private static void Supersede(ref Item item, KeyPlace place)
    {
        if (item.Place.Segment is { } before) before.Live -= item.Place.Length;
        item.Place = place;
    }

    private void Touch(int slot)
    {
        if (slot == _newest) return;
        Unlink(slot);
        Link(slot);
    }

    private void Link(int slot)
    {
        (_items[slot].Older, _items[slot].Newer) = (_newest, None);
        if (_newest == None) _oldest = slot;
        else _items[_newest].Newer = slot;
        _newest = slot;
    }

    private void Unlink(int slot)
    {
        (int older, int newer) = (_items[slot].Older, _items[slot].Newer);
        if (older == None) _oldest = newer;
        else _items[older].Newer = newer;
        if (newer == None) _newest = older;
        else _items[newer].Older = older;
    }

    /// <summary>A key.</summary>
    private struct Item
    {
        public string Key;
        public byte[]? State;
        public KeyPlace Place;
        public int Length, Older, Newer;
        public bool IsChanged;
    }
}
