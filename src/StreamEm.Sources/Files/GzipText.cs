using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Files;

/// <summary>
/// The uncompressed bytes of a gzip file of one or more members. The runtime's decompressor takes a file that was cut off for one that
/// ends, so a member with a known text is added at the end: only if that text comes out at the end was the file whole.
/// </summary>
internal sealed class GzipText : FileText
{
    private const int ChunkBytes = 64 * 1024;

    private static readonly byte[] EndText = "end of the compressed file"u8.ToArray();
    private static readonly byte[] EndMember = Compress(EndText);

    private readonly SafeFileHandle _file;
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private GZipStream _stream;
    private int _start, _end;

    /// <summary>Reads from the start of a file, whose handle stays open.</summary>
    public GzipText(SafeFileHandle file)
    {
        _file = file;
        _stream = Open();
    }

    /// <inheritdoc/>
    public override void Dispose() => _stream.Dispose();

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="InvalidDataException">The file is not gzip, is damaged or was cut off.</exception>
    private protected override int ReadNext(Span<byte> buffer)
    {
        // As many bytes as the end text has are held back, since they may be it.
        while (_end - _start <= EndText.Length)
        {
            _chunk.AsSpan(_start.._end).CopyTo(_chunk);
            _end -= _start;
            _start = 0;
            int read = _stream.Read(_chunk.AsSpan(_end));
            _end += read;
            if (read > 0) continue;
            if (_chunk.AsSpan(0, _end).SequenceEqual(EndText)) return 0;
            throw new InvalidDataException("the compressed data is cut off or followed by something else");
        }
        int count = Math.Min(buffer.Length, _end - _start - EndText.Length);
        _chunk.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    private protected override void Restart()
    {
        _stream.Dispose();
        _stream = Open();
        _start = _end = 0;
    }

    private GZipStream Open() => new(new StoredBytes(_file, EndMember), CompressionMode.Decompress);

    private static byte[] Compress(byte[] text)
    {
        using var member = new MemoryStream();
        using (var stream = new GZipStream(member, CompressionLevel.Fastest)) stream.Write(text);
        return member.ToArray();
    }
}
