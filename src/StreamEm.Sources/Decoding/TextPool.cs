using System.Text;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Strings by their UTF-8 bytes, so that a text seen before costs no allocation and is the same object. Holds at most
/// <see cref="MaxCount"/> texts: a stream of ever new keys makes it start over instead of filling the memory.
/// </summary>
internal sealed class TextPool
{
    internal const int MaxCount = 65_536;

    private readonly HashSet<string> _texts = new(new Utf8Comparer());
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;
    private string? _last;

    public TextPool() => _byBytes = _texts.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>The string of valid UTF-8 bytes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (_last is not null && Encoding.UTF8.GetByteCount(_last) == utf8.Length && Utf8Comparer.Same(utf8, _last)) return _last;
        if (_byBytes.TryGetValue(utf8, out string? known)) return _last = known;
        if (_texts.Count >= MaxCount) _texts.Clear();
        string text = Encoding.UTF8.GetString(utf8);
        _texts.Add(text);
        return _last = text;
    }

    private sealed class Utf8Comparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
    {
        private const int StackBytes = 512;

        public static bool Same(ReadOnlySpan<byte> utf8, string text)
        {
            if (utf8.Length > 3 * text.Length) return false;
            Span<byte> bytes = text.Length * 3 <= StackBytes ? stackalloc byte[StackBytes] : new byte[text.Length * 3];
            return bytes[..Encoding.UTF8.GetBytes(text, bytes)].SequenceEqual(utf8);
        }

        public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

        public int GetHashCode(string text)
        {
            Span<byte> bytes = text.Length * 3 <= StackBytes ? stackalloc byte[StackBytes] : new byte[text.Length * 3];
            return GetHashCode(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        }

        public bool Equals(ReadOnlySpan<byte> alternate, string other) => Same(alternate, other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            HashCode hash = default;
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public string Create(ReadOnlySpan<byte> alternate) => Encoding.UTF8.GetString(alternate);
    }
}
