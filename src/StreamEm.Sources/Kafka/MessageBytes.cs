using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>The key or value of a message: a part of a block that holds many of them.</summary>
/// <param name="Block">The block; null for a message without a key or value.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct MessageBytes(byte[]? Block, int Start, int Length)
{
    /// <summary>Whether there is nothing, which is not the same as no bytes.</summary>
    public bool IsNull => Block is null;

    /// <summary>Where it is in the block.</summary>
    public Range Range => Start..(Start + Length);

    /// <summary>The bytes; none when there is nothing.</summary>
    public ReadOnlySpan<byte> Span => Block.AsSpan(Start, Length);
}

/// <summary>
/// Copies what the client hands over into blocks, one after another: messages wait in memory for the reader, and a block of them costs the
/// garbage collector what one object costs. For one thread.
/// </summary>
internal sealed class MessageBlocks : IDeserializer<MessageBytes>
{
    /// <summary>Below the size from which arrays are large objects, collected rarely.</summary>
    private const int BlockBytes = 64 * 1024;

    private byte[] _block = [];
    private int _used;

    /// <inheritdoc/>
    public MessageBytes Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        if (isNull) return default;
        if (data.Length > _block.Length - _used)
        {
            if (data.Length > BlockBytes / 4) return new MessageBytes(data.ToArray(), 0, data.Length);
            _block = GC.AllocateUninitializedArray<byte>(BlockBytes);
            _used = 0;
        }

        data.CopyTo(_block.AsSpan(_used));
        var copy = new MessageBytes(_block, _used, data.Length);
        _used += data.Length;
        return copy;
    }
}

/// <summary>Leaves out bytes that nobody needs.</summary>
internal sealed class NoMessageBytes : IDeserializer<MessageBytes>
{
    /// <inheritdoc/>
    public MessageBytes Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) => default;
}
