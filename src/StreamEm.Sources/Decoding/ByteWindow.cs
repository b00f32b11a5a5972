namespace StreamEm.Sources.Decoding;

/// <summary>
/// The bytes of a stream that were read and not yet decoded, in one buffer that is used again and grows when a single record needs it to.
/// </summary>
internal sealed class ByteWindow(int initialBytes)
{
    private byte[] _buffer = new byte[initialBytes];
    private int _start, _end;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Room for the next bytes; never empty. Moves the bytes to the front, or into a larger buffer.</summary>
    /// <exception cref="InvalidOperationException">The decoder made no progress on the largest window.</exception>
    public Memory<byte> Free()
    {
        if (_start > 0)
        {
            Bytes.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= RecordDecoder.MaxWindowBytes)
                throw new InvalidOperationException(
                    $"A decoder took nothing of {_buffer.Length} bytes; a record may have {RecordDecoder.MaxRecordBytes}.");
            Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, RecordDecoder.MaxWindowBytes));
        }
        return _buffer.AsMemory(_end);
    }

    /// <summary>Takes the bytes that were read into <see cref="Free"/>.</summary>
    public void Add(int count) => _end += count;

    /// <summary>Drops bytes from the front.</summary>
    public void Drop(int count)
    {
        _start += count;
        if (_start == _end) _start = _end = 0;
    }

    /// <summary>Drops all bytes.</summary>
    public void Clear() => _start = _end = 0;
}
