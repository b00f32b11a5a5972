using System.Text;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// How the topic of keys names what it holds of one partition of the source: <c>MODEL/TOPIC/PARTITION</c> its mark,
/// <c>MODEL/TOPIC/PARTITION/KEY</c> the state of a key.
/// </summary>
internal sealed class KeyNames(string modelId, string partition)
{
    private readonly byte[] _mark = Encoding.UTF8.GetBytes($"{modelId}/{partition}");

    /// <summary>The mark's.</summary>
    public byte[] Mark => _mark;

    /// <summary>That of the state of a key.</summary>
    public byte[] Of(string key)
    {
        byte[] name = new byte[_mark.Length + 1 + Encoding.UTF8.GetByteCount(key)];
        _mark.CopyTo(name, 0);
        name[_mark.Length] = (byte)'/';
        Encoding.UTF8.GetBytes(key, name.AsSpan(_mark.Length + 1));
        return name;
    }

    /// <summary>Whether a name is of this partition.</summary>
    /// <param name="name">The name.</param>
    /// <param name="key">The key; null of the mark.</param>
    public bool TryRead(ReadOnlySpan<byte> name, out string? key)
    {
        key = null;
        if (!name.StartsWith(_mark)) return false;
        ReadOnlySpan<byte> rest = name[_mark.Length..];
        if (rest.IsEmpty) return true;
        if (rest[0] != '/') return false;
        key = Encoding.UTF8.GetString(rest[1..]);
        return true;
    }
}
