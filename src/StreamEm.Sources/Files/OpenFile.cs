using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StreamEm.Sources.Columnar;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// A regular file being read from its start or from an offset, decompressed when its name says so; offsets are those of its text. Opening
/// never waits: not for the writer of a FIFO, nor for a device.
/// </summary>
internal sealed class OpenFile : IDisposable
{
    /// <summary>So many bytes before those read are compared with what they were.</summary>
    private const int JointBytes = 64;

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly FileText _text;
    private readonly byte[] _joint = new byte[JointBytes];
    private int _joined;

    /// <exception cref="SourceException">It cannot be opened, or is no regular file.</exception>
    public OpenFile(string path)
    {
        _path = path;
        _handle = Open(path);
        FileStatus status = FileStatus.Of(_handle);
        Number = status.Number;
        if (status.Kind != FileKind.Regular)
        {
            _handle.Dispose();
            throw NotRegular(path, status.Kind);
        }
        _text = FileText.Of(path, _handle);
    }

    /// <summary>Device and inode.</summary>
    public FileNumber Number { get; }

    /// <summary>Whether its text is not its bytes, because it is compressed or a Parquet file; then it is read once, whole.</summary>
    public bool IsPacked => _text is not FileText.PlainText;

    /// <summary>Whether it is a Parquet file.</summary>
    public bool IsParquet => _text is ParquetText;

    /// <summary>The Parquet file that it is.</summary>
    /// <exception cref="SourceException">It was cut off, or is damaged.</exception>
    public ParquetTable Table => Attempt(() => ((ParquetText)_text).Table);

    /// <summary>Length on disk, in bytes.</summary>
    public long StoredLength => RandomAccess.GetLength(_handle);

    /// <summary>What the system says of it now.</summary>
    public FileStatus Status => FileStatus.Of(_handle);

    /// <summary>The open file, or null when there is none any more.</summary>
    /// <exception cref="SourceException">It cannot be opened for another reason.</exception>
    public static OpenFile? TryOpen(string path)
    {
        try
        {
            return new OpenFile(path);
        }
        catch (SourceException e) when (e.Failure == SourceFailure.Missing)
        {
            return null;
        }
    }

    /// <summary>The failure of a path that leads to something that cannot be read as a file.</summary>
    public static SourceException NotRegular(string path, FileKind kind) => new(SourceFailure.Configuration,
        $"'{path}' is {FileStatus.NameOf(kind)}; only regular files are read. What comes through a pipe can be given to standard input: "
            + "source.stdin.");

    /// <summary>Whether it begins as it did when an old fingerprint was taken.</summary>
    public bool Matches(string fingerprint) => Fingerprint.Matches(_handle, fingerprint);

    /// <summary>The old fingerprint of what is there now.</summary>
    public string OldFingerprint() => Fingerprint.Of(_handle);

    /// <summary>Another reader of the text, from its start.</summary>
    public FileText NewText() => FileText.Of(_path, _handle);

    /// <summary>Reads on; 0 at the end.</summary>
    /// <exception cref="SourceException">Reading or decompressing failed.</exception>
    public int Read(Span<byte> buffer)
    {
        int read = Attempt(_text, buffer, static (text, into) => text.Read(into));
        if (!IsPacked && read > 0) Join(buffer[..read]);
        return read;
    }

    /// <summary>
    /// Whether what was read last follows what was read before it, because that is still there; null where nothing was read before. A file
    /// that is truncated and written to at once looks as if it had grown.
    /// </summary>
    public bool? Continues { get; private set; }

    /// <summary>Makes the next <see cref="Read"/> start at an offset.</summary>
    /// <returns>False when a packed file ends before it.</returns>
    /// <exception cref="SourceException">Reading or decompressing failed.</exception>
    public bool Seek(long offset)
    {
        _joined = 0;
        return Attempt(_text, [], (text, _) => text.Seek(offset) ? 1 : 0) == 1;
    }

    /// <summary>Does something with a text of this file; what goes wrong becomes a failure of the source.</summary>
    /// <exception cref="SourceException">Reading or decompressing failed.</exception>
    public T Attempt<T>(Func<T> act) => Attempt<FileText, T>(_text, [], (_, _) => act());

    /// <inheritdoc/>
    public void Dispose()
    {
        _text?.Dispose();
        _handle.Dispose();
    }

    private void Join(ReadOnlySpan<byte> read)
    {
        Span<byte> joint = stackalloc byte[JointBytes];
        joint = joint[.._joined];
        Continues = null;
        if (_joined > 0)
        {
            int found = RandomAccess.Read(_handle, joint, _text.At - read.Length - _joined);
            Continues = found == _joined && joint.SequenceEqual(_joint.AsSpan(0, _joined));
        }
        _joined = Math.Min(JointBytes, read.Length);
        read[^_joined..].CopyTo(_joint);
    }

    private TResult Attempt<TText, TResult>(TText text, Span<byte> buffer, SpanFunc<TText, TResult> act)
        where TText : FileText
    {
        try
        {
            return act(text, buffer);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw new SourceException(e is InvalidDataException ? SourceFailure.Changed : SourceFailure.Io,
                $"'{_path}' cannot be read at {text.Place}: {e.Message}", e);
        }
    }

    private static SafeFileHandle Open(string path)
    {
        try
        {
            if (OperatingSystem.IsLinux()) return NativeMethods.Open(path);
            return File.OpenHandle(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
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
    }

    private delegate TResult SpanFunc<TText, TResult>(TText text, Span<byte> buffer);

    private static unsafe class NativeMethods
    {
        private const int ReadOnly = 0, NoTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x80000;
        private const int NoEntry = 2, NotPermitted = 1, AccessDenied = 13, NotDirectory = 20;

        public static SafeFileHandle Open(string path)
        {
            byte[] name = Encoding.UTF8.GetBytes(path + '\0');
            int descriptor;
            fixed (byte* pointer = name) descriptor = OpenFile(pointer, ReadOnly | NoTerminal | NonBlocking | CloseOnExec, 0);
            if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
            int error = Marshal.GetLastPInvokeError();
            string message = Marshal.GetPInvokeErrorMessage(error);
            throw error switch
            {
                NoEntry or NotDirectory => new FileNotFoundException(message, path),
                AccessDenied or NotPermitted => new UnauthorizedAccessException(message),
                _ => new IOException(message, error),
            };
        }

        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int OpenFile(byte* path, int flags, int mode);
    }
}
