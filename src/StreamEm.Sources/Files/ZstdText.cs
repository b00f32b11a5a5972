using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace StreamEm.Sources.Files;

/// <summary>
/// The uncompressed bytes of a zstd file of one or more frames (RFC 8878). Frames whose window is above 128 MiB are refused, as the tool
/// itself refuses them.
/// </summary>
internal sealed class ZstdText : FileText
{
    private readonly SafeFileHandle _file;
    private DecompressionStream _stream;

    /// <summary>Reads from the start of a file, whose handle stays open.</summary>
    public ZstdText(SafeFileHandle file)
    {
        _file = file;
        _stream = Open();
    }

    /// <inheritdoc/>
    public override void Dispose() => _stream.Dispose();

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="InvalidDataException">The file is not zstd, is damaged or was cut off.</exception>
    private protected override int ReadNext(Span<byte> buffer)
    {
        try
        {
            return _stream.Read(buffer);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("the compressed data is cut off", e);
        }
        catch (ZstdException e)
        {
            throw new InvalidDataException($"the compressed data is damaged or followed by something else ({e.Message})", e);
        }
    }

    private protected override void Restart()
    {
        _stream.Dispose();
        _stream = Open();
    }

    private DecompressionStream Open() => new(new StoredBytes(_file, []), leaveOpen: false);
}
