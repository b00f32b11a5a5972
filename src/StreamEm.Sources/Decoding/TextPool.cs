using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Strings by their UTF-8 bytes, so that a text seen before costs no allocation and is the same object. Holds at most
/// <see cref="MaxCount"/> texts: a stream of ever new keys makes it start over instead of filling the memory.
/// </summary>
internal sealed class TextPool
{
    internal const int MaxCount = 65_536;

    private readonly int[] _buckets = new int[2 * MaxCount];
    private Entry[] _entries = new Entry[16];
    private int _count;

    /// <summary>The string of valid UTF-8 bytes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        HashCode hasher = default;
        hasher.AddBytes(utf8);
        int hash = hasher.ToHashCode();
        ref int bucket = ref _buckets[hash & (_buckets.Length - 1)];
        for (int i = bucket - 1; i >= 0; i = _entries[i].Next)
        {
            if (_entries[i].Hash == hash && utf8.SequenceEqual(_entries[i].Utf8)) return _entries[i].Text;
        }
        if (_count == MaxCount)
        {
            Array.Clear(_buckets);
            Array.Clear(_entries);
            _count = 0;
        }
        if (_count == _entries.Length) Array.Resize(ref _entries, 2 * _count);
        string text = Encoding.UTF8.GetString(utf8);
        _entries[_count] = new Entry(hash, bucket - 1, utf8.ToArray(), text);
        bucket = ++_count;
        return text;
    }

    private readonly record struct Entry(int Hash, int Next, byte[] Utf8, string Text);
}
