using System.Globalization;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using StreamEm.Sources.Paths;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Storage;

/// <summary>
/// A file that lines are appended to, one JSON object each, by this program alone. It is looked at before anything is changed: a file that
/// ends in something else than such lines belongs to somebody else, and is refused and left as it is.
/// </summary>
internal sealed class LineFile : IDisposable
{
    private const int LookBack = 64 * 1024;

    /// <summary>The longest line that is looked at.</summary>
    private const int MostBytesOfALine = 1 << 30;

    private readonly SafeFileHandle _handle;

    private LineFile(string path, SafeFileHandle handle, long length) => (Path, _handle, Length) = (path, handle, length);

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>Bytes of its whole lines.</summary>
    public long Length { get; private set; }

    /// <summary>Device and inode, as text; null where the system does not tell.</summary>
    public string? Number { get; private init; }

    /// <summary>Bytes of an unfinished line that were cut when it was opened.</summary>
    public long Cut { get; private init; }

    /// <summary>Opens the file, creating it and its folder where needed. An unfinished last line of ours is cut.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="beginning">How every line begins.</param>
    /// <param name="what">What the lines are, in the plural, for messages.</param>
    /// <param name="key">The key that names the file, for messages.</param>
    /// <param name="mode">Who may read it where it is created, whatever the umask.</param>
    /// <exception cref="CommandException">It belongs to somebody else, or another program of this kind writes it (73), or is no regular
    /// file (74).</exception>
    /// <exception cref="IOException">It cannot be opened, read or written.</exception>
    public static LineFile Open(string path, ReadOnlySpan<byte> beginning, string what, string key, UnixFileMode mode)
    {
        string directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        DurableFile.CreateDirectory(directory, mode: null);
        FileStatus? status = FileStatus.Of(path);
        if (status is { Kind: not FileKind.Regular } other)
            throw new CommandException(ExitCode.InputOutput,
                $"'{path}' is {FileStatus.NameOf(other.Kind)}; {what} are written to regular files. Set {key} to another path.");
        SafeFileHandle handle = DurableFile.OpenShared(path, mode);
        try
        {
            if (!DurableFile.TryOwn(handle, path))
                throw new CommandException(ExitCode.CannotCreate,
                    $"'{path}' is written by another streamem, or under another name by this one, and two would write over each other's "
                        + $"{what}. Stop that one first, or set {key} to another path.");
            // Also where it was there: the process that made it may have been killed before.
            DurableFile.SyncDirectory(directory);
            long found = RandomAccess.GetLength(handle), end = LastLineFeed(handle, found) + 1;
            if (!Begins(handle, end, found, beginning) || (end > 0 && !Begins(handle, LastLineFeed(handle, end - 1) + 1, end, beginning)))
                throw new CommandException(ExitCode.CannotCreate,
                    $"'{path}' does not end in {what}: it is a file of another kind, and nothing is changed in it. Move it away, or set "
                        + $"{key} to another path.");
            if (end < found) RandomAccess.SetLength(handle, end);
            FileNumber number = FileStatus.Of(handle).Number;
            return new LineFile(path, handle, end) { Cut = found - end, Number = number.IsKnown ? number.ToString() : null };
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The last whole line before an offset, its line feed included; empty when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public byte[] LineBefore(long end)
    {
        if (end <= 0 || end > Length) return [];
        long start = LastLineFeed(_handle, end - 1) + 1;
        if (end - start > MostBytesOfALine) return [];
        byte[] line = new byte[end - start];
        for (int read = 0; read < line.Length;)
        {
            int count = RandomAccess.Read(_handle, line.AsSpan(read), start + read);
            if (count == 0) return [];
            read += count;
        }
        return line;
    }

    /// <summary>Appends whole lines. When that fails what was written of them is taken back, as far as possible.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        try
        {
            DurableFile.Write(_handle, Path, lines, Length);
            Length += lines.Length;
        }
        catch (IOException)
        {
            TakeBack();
            throw;
        }
    }

    /// <summary>
    /// Which file this is and where in it: device and inode, and a hash of the last line before its end, for <see cref="TryReturn"/>.
    /// </summary>
    /// <param name="lastLine">That line, its line feed included.</param>
    public string IdentityAfter(ReadOnlySpan<byte> lastLine) => $"{Number}/{HashOf(lastLine)}";

    /// <summary>Cuts the file to where a state's ended, if it is the same one.</summary>
    /// <param name="length">Its length then.</param>
    /// <param name="identity">What <see cref="IdentityAfter"/> said then; null in states of releases up to 0.1.</param>
    /// <returns>Whether it is.</returns>
    public bool TryReturn(long length, string? identity)
    {
        if (length > Length) return false;
        byte[] last = LineBefore(length);
        bool isAtALine = last.Length > 0 && last[^1] == (byte)'\n';
        // Without a record to tell it by, only the very file is known; a state of 0.1 tells nothing but where a line ends.
        bool isSame = identity is null ? isAtALine
            : length == 0 ? Number is { } number && identity.StartsWith(number, StringComparison.Ordinal)
            : isAtALine && identity.EndsWith(HashOf(last), StringComparison.Ordinal);
        if (isSame && length < Length) CutTo(length);
        return isSame;
    }

    /// <summary>Cuts the file to its first bytes.</summary>
    public void CutTo(long length)
    {
        RandomAccess.SetLength(_handle, length);
        Length = length;
    }

    /// <summary>Makes all of it durable.</summary>
    /// <exception cref="IOException">The kernel reports an error.</exception>
    public void Flush() => DurableFile.Sync(_handle, Path);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static string HashOf(ReadOnlySpan<byte> line) => XxHash3.HashToUInt64(line).ToString("x16", CultureInfo.InvariantCulture);

    private void TakeBack()
    {
        try
        {
            RandomAccess.SetLength(_handle, Length);
        }
        catch (IOException)
        {
            // The next start cuts it.
        }
    }

    /// <summary>Whether the bytes from one offset to another begin as every line does, as far as they go.</summary>
    private static bool Begins(SafeFileHandle file, long start, long end, ReadOnlySpan<byte> beginning)
    {
        Span<byte> bytes = stackalloc byte[(int)Math.Min(end - start, beginning.Length)];
        return RandomAccess.Read(file, bytes, start) == bytes.Length && beginning.StartsWith(bytes);
    }

    /// <summary>Position of the last line feed before <paramref name="end"/>; -1 when there is none.</summary>
    private static long LastLineFeed(SafeFileHandle file, long end)
    {
        byte[] block = new byte[LookBack];
        while (end > 0)
        {
            int length = (int)Math.Min(LookBack, end);
            int read = RandomAccess.Read(file, block.AsSpan(0, length), end - length);
            int found = block.AsSpan(0, read).LastIndexOf((byte)'\n');
            if (found >= 0) return end - length + found;
            end -= length;
        }

        return -1;
    }
}
