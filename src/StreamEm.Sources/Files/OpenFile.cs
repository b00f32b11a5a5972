using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Files;

/// <summary>
/// A file being read from its start or from an offset, decompressed when its name ends in <c>.gz</c>; offsets are uncompressed bytes.
/// </summary>
internal sealed class OpenFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private GzipText? _decompressed;
    private long _at;

    /// <exception cref="SourceException">It cannot be opened.</exception>
    public OpenFile(string path)
    {
        _path = path;
        try
        {
            _handle =
                File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SourceException(SourceFailure.Denied, $"'{path}' may not be read: {e.Message}", e);
        }
        catch (IOException e)
        {
            SourceFailure failure = e is FileNotFoundException or DirectoryNotFoundException ? SourceFailure.Missing : SourceFailure.Io;
            throw new SourceException(failure, $"'{path}' cannot be opened: {e.Message}", e);
        }
        Number = FileNumber.Of(_handle, out _);
        IsCompressed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Device and inode.</summary>
    public FileNumber Number { get; }

    /// <summary>Whether it is decompressed; then its length is not known before its end.</summary>
    public bool IsCompressed { get; }

    /// <summary>Length on disk, in bytes.</summary>
    public long StoredLength => RandomAccess.GetLength(_handle);

    /// <summary>Whether the file has no name any more.</summary>
    public bool IsDeleted
    {
        get
        {
            FileNumber.Of(_handle, out bool deleted);
            return deleted;
        }
    }

    /// <summary>The fingerprint of what is there now.</summary>
    public string Fingerprint() => Files.Fingerprint.Of(_handle);

    /// <summary>Whether it begins as it did when the fingerprint was taken.</summary>
    public bool Matches(string fingerprint) => Files.Fingerprint.Matches(_handle, fingerprint);

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="SourceException">Reading or decompressing failed.</exception>
    public int Read(Span<byte> buffer)
    {
        try
        {
            int read = IsCompressed ? (_decompressed ??= new GzipText(_handle)).Read(buffer) : RandomAccess.Read(_handle, buffer, _at);
            _at += read;
            return read;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new SourceException(e is InvalidDataException ? SourceFailure.Changed : SourceFailure.Io,
                FormattableString.Invariant($"'{_path}' cannot be read at byte {_at}: {e.Message}"), e);
        }
    }

    /// <summary>Makes the next <see cref="Read"/> start at an offset.</summary>
    /// <returns>False when a compressed file ends before it.</returns>
    public bool Seek(long offset)
    {
        if (!IsCompressed)
        {
            _at = offset;
            return true;
        }
        if (offset < _at)
        {
            _decompressed?.Dispose();
            _decompressed = null;
            _at = 0;
        }
        var skipped = new byte[Math.Min(offset - _at, 64 * 1024)];
        while (_at < offset)
        {
            if (Read(skipped.AsSpan(0, (int)Math.Min(skipped.Length, offset - _at))) == 0) return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _decompressed?.Dispose();
        _handle.Dispose();
    }
}
