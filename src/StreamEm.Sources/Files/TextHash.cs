using System.IO.Hashing;

namespace StreamEm.Sources.Files;

/// <summary>
/// What is known of the beginning of a text: so many bytes, and hashes (XXH128) that tell it from others. The text of a compressed file is
/// the uncompressed one.
/// </summary>
/// <param name="Length">Number of bytes.</param>
/// <param name="Head">Hash of the first <see cref="TextHash.BlockBytes"/> of them, or of all when there are fewer.</param>
/// <param name="Blocks">Hash over the hashes of the whole blocks of that size, in their order.</param>
/// <param name="Tail">Hash of the bytes after the last whole block.</param>
internal readonly record struct TextEvidence(long Length, UInt128 Head, UInt128 Blocks, UInt128 Tail)
{
    /// <summary>Length of the whole blocks together.</summary>
    public long BlocksLength => Length / TextHash.BlockBytes * TextHash.BlockBytes;
}

/// <summary>
/// Hashes a text as it is read, so that at every moment all of it can be told from others, and so that hashing can go on from
/// <see cref="TextEvidence"/> alone and the last block.
/// </summary>
internal sealed class TextHash
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockBytes = 64 * 1024;

    private readonly XxHash128 _block = new();
    private UInt128 _head, _blocks;
    private long _length;

    /// <summary>Of nothing yet.</summary>
    public TextHash()
    {
    }

    /// <summary>Goes on behind the whole blocks of a text.</summary>
    public TextHash(in TextEvidence evidence)
    {
        _length = evidence.BlocksLength;
        _blocks = evidence.Blocks;
        _head = evidence.Head;
    }

    /// <summary>Bytes so far.</summary>
    public long Length => _length;

    /// <summary>What is known of them.</summary>
    public TextEvidence Evidence
    {
        get
        {
            UInt128 tail = _block.GetCurrentHashAsUInt128();
            return new TextEvidence(_length, _length < BlockBytes ? tail : _head, _blocks, tail);
        }
    }

    /// <summary>Takes the bytes from an offset on; what was taken before is left out.</summary>
    public void Append(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset + bytes.Length <= _length) return;
        bytes = bytes[(int)(_length - offset)..];
        while (bytes.Length > 0)
        {
            int count = (int)Math.Min(bytes.Length, BlockBytes - _length % BlockBytes);
            _block.Append(bytes[..count]);
            _length += count;
            bytes = bytes[count..];
            if (_length % BlockBytes == 0) EndBlock();
        }
    }

    private void EndBlock()
    {
        UInt128 block = _block.GetCurrentHashAsUInt128();
        _block.Reset();
        if (_length == BlockBytes) _head = block;
        Span<UInt128> chain = [_blocks, block];
        _blocks = XxHash128.HashToUInt128(System.Runtime.InteropServices.MemoryMarshal.AsBytes(chain));
    }
}
