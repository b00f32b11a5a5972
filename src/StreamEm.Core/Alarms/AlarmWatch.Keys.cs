namespace StreamEm.Core.Alarms;

/// <content>What is known of single keys, which may go from one watch to another.</content>
public sealed partial class AlarmWatch
{
    /// <summary>What is known of a key, as bytes; empty where that is nothing.</summary>
    public byte[] StateOf(string key)
    {
        int slot = _keys.Find(key);
        if (slot < 0) return [];
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        _entries[slot].Save(writer);
        byte[] state = stream.ToArray();
        // As it is of a key that was forgotten: who never heard of it says the same.
        return state.AsSpan().ContainsAnyExcept((byte)0) ? state : [];
    }

    /// <summary>Takes over what another watch knew of a key, in place of what this one knows.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">What <see cref="StateOf"/> gave.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Restore(string key, ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty && !_keys.Contains(key)) return;
        int slot = _keys.Touch(key, out _);
        if (slot >= _entries.Length) Array.Resize(ref _entries, Math.Min(_keys.Capacity, 2 * slot + 1));
        _lastKey = null;
        ref Entry entry = ref _entries[slot];
        if (entry.IsLasting) Lasting--;
        entry = default;
        if (state.IsEmpty) return;
        try
        {
            using var reader = new BinaryReader(new MemoryStream(state.ToArray()));
            entry = Entry.Load(reader);
        }
        catch (EndOfStreamException failure)
        {
            throw new InvalidDataException("What is known of a key's alarms is damaged: it ends too soon.", failure);
        }

        if (entry.IsLasting) Lasting++;
    }
}
