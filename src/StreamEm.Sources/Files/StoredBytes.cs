using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Files;

/// <summary>The bytes of a file on disk, from its start, then others; the handle stays open.</summary>
/// <param name="file">The file.</param>
/// <param name="ending">What comes after its end.</param>
internal sealed class StoredBytes(SafeFileHandle file, byte[] ending) : Stream
{
    private long _at;
    private int _ending;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int read = _ending == 0 ? RandomAccess.Read(file, buffer, _at) : 0;
        _at += read;
        if (read > 0) return read;
        int count = Math.Min(buffer.Length, ending.Length - _ending);
        ending.AsSpan(_ending, count).CopyTo(buffer);
        _ending += count;
        return count;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
