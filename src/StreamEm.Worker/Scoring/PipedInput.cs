using StreamEm.Sources.Decoding;
using StreamEm.Sources.Paths;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scoring;

/// <summary>
/// Data that can be read once and may come slowly: standard input, a FIFO, <c>&lt;(...)</c>. How it is written is seen in its first bytes:
/// what begins with a brace is NDJSON.
/// </summary>
internal sealed class PipedInput : Stream
{
    /// <summary>The name of standard input, and of standard output, on a command line.</summary>
    public const string Standard = "-";

    private const int LookAt = 4096;

    private readonly Stream _stream;
    private readonly byte[] _start;
    private int _length, _given;

    private PipedInput(Stream stream)
    {
        _stream = stream;
        _start = new byte[LookAt];
    }

    /// <summary>How the data are written, where their first bytes say it; null where there are none.</summary>
    public RecordFormat? Format { get; private set; }

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

    /// <summary>
    /// Opens a path that leads to something that is read once, and looks at its first bytes; null for what is read as a file.
    /// </summary>
    /// <exception cref="CommandException">It cannot be read (74).</exception>
    public static async Task<PipedInput?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            if (Open(path) is not { } stream) return null;
            var input = new PipedInput(stream);
            while (input.Format is null && input._length < LookAt)
            {
                int read = await stream.ReadAsync(input._start.AsMemory(input._length), cancellationToken).ConfigureAwait(false);
                if (read == 0) break;
                input._length += read;
                input.Look();
            }

            return input;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput, $"'{path}' cannot be read: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_given == _length) return await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        int count = Math.Min(buffer.Length, _length - _given);
        _start.AsMemory(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

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

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _stream.Dispose();
        base.Dispose(disposing);
    }

    private static Stream? Open(string path)
    {
        if (path == Standard) return Console.OpenStandardInput();
        if (PathPattern.IsGlob(path) || !File.Exists(path)) return null;
        // A link such as /dev/fd/63 leads to a pipe that has no path of its own: only what is open tells what it is.
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        if (FileStatus.Of(file.SafeFileHandle).Kind is FileKind.Fifo or FileKind.Socket or FileKind.Device) return file;
        file.Dispose();
        return null;
    }

    private void Look()
    {
        ReadOnlySpan<byte> text = _start.AsSpan(0, _length);
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        text = text.TrimStart(" \t\r\n"u8);
        if (!text.IsEmpty) Format = text[0] == (byte)'{' ? RecordFormat.Ndjson : RecordFormat.Csv;
    }
}
