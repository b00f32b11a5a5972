using System.Text;

namespace StreamEm.Core.Data;

/// <summary>
/// Texts by their number, in the order they were first met: labels, keys and levels of records travel as numbers. One thread adds; others
/// may read every number handed over to them, for a text once in the table stays as it is.
/// </summary>
public sealed class TextTable
{
    /// <summary>The number of no text.</summary>
    public const int None = -1;

    private int[] _buckets = new int[32];
    private Entry[] _entries = new Entry[16];

    /// <summary>Number of texts.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the texts as UTF-8.</summary>
    public long Bytes { get; private set; }

    /// <summary>The text with a number.</summary>
    public string this[int number] => _entries[number].Text;

    /// <summary>The text with a number; null for <see cref="None"/>.</summary>
    public string? Find(int number) => number == None ? null : _entries[number].Text;

    /// <summary>The number of a text given as valid UTF-8; a new one is added.</summary>
    public int Number(ReadOnlySpan<byte> utf8)
    {
        HashCode hasher = default;
        hasher.AddBytes(utf8);
        int hash = hasher.ToHashCode();
        for (int at = _buckets[hash & (_buckets.Length - 1)] - 1; at >= 0; at = _entries[at].Next)
            if (_entries[at].Hash == hash && utf8.SequenceEqual(_entries[at].Utf8)) return at;
        return Add(hash, utf8.ToArray());
    }

    /// <summary>The number of a text; a new one is added.</summary>
    public int Number(string text)
    {
        int length = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> utf8 = length <= 512 ? stackalloc byte[length] : new byte[length];
        return Number(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
    }

    private int Add(int hash, byte[] utf8)
    {
        if (Count == _entries.Length) Grow();
        ref int bucket = ref _buckets[hash & (_buckets.Length - 1)];
        Bytes += utf8.Length;
        _entries[Count] = new Entry(hash, bucket - 1, utf8, Encoding.UTF8.GetString(utf8));
        return (bucket = ++Count) - 1;
    }

    private void Grow()
    {
        // A new array, not a resized one: who reads the old one meanwhile finds all that was ever handed over.
        var entries = new Entry[2 * _entries.Length];
        int[] buckets = new int[4 * _entries.Length];
        for (int at = 0; at < Count; at++)
        {
            ref int bucket = ref buckets[_entries[at].Hash & (buckets.Length - 1)];
            entries[at] = _entries[at] with { Next = bucket - 1 };
            bucket = at + 1;
        }
        (_entries, _buckets) = (entries, buckets);
    }

    private readonly record struct Entry(int Hash, int Next, byte[] Utf8, string Text);
}
