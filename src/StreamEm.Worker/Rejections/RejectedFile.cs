using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StreamEm.Sources;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// The records that could not be used, one JSON object a line: <c>reason, detail, partition, offset, text</c>. Its length is part of the
/// checkpoint: a restarted worker cuts what was written after it and writes the same lines again.
/// </summary>
internal sealed class RejectedFile : RejectionSink
{
    private const int BufferedBytes = 64 * 1024;

    private static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly Utf8JsonWriter _json;
    private long _written;

    private RejectedFile(string path, SafeFileHandle handle, long length)
    {
        _path = path;
        _handle = handle;
        _written = length;
        _json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>Bytes so far, those still in memory included.</summary>
    public long Length => _written + _buffer.WrittenCount;

    /// <inheritdoc/>
    public override long? FileLength => Length;

    /// <summary>Opens the file, creating it where needed.</summary>
    /// <param name="path">Its path; directories are created.</param>
    /// <param name="length">Where to go on, from the checkpoint; null appends.</param>
    /// <param name="log">Told when the file is shorter than that.</param>
    /// <exception cref="CommandException">It cannot be written (74).</exception>
    public static RejectedFile Open(string path, long? length, ILogger log)
    {
        try
        {
            string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
            DurableFile.CreateDirectory(directory, mode: null);
            SafeFileHandle handle =
                File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            // Also where it was there: the process that made it may have been killed before.
            DurableFile.SyncDirectory(directory);
            long found = RandomAccess.GetLength(handle);
            long start = Math.Min(found, length ?? found);
            if (found < length) WorkerLog.RejectedFileShort(log, path, found, length.Value);
            if (found > start) RandomAccess.SetLength(handle, start);
            return new RejectedFile(path, handle, start);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput,
                $"The rejected file '{path}' cannot be written: {failure.Message} Set rejected.file to another path.", failure);
        }
    }

    /// <inheritdoc/>
    public override void Write(RejectedRecord record)
    {
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteString("reason", SnakeCase.Of(record.Reason));
        _json.WriteString("detail", record.Detail);
        _json.WriteString("partition", record.PartitionName);
        _json.WriteNumber("offset", record.Offset);
        _json.WriteString("text", record.Text);
        _json.WriteEndObject();
        _json.Flush();
        _buffer.Write("\n"u8);
        if (_buffer.WrittenCount >= BufferedBytes) Flush();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_buffer.WrittenCount == 0) return;
        DurableFile.Write(_handle, _path, _buffer.WrittenSpan, _written);
        _written += _buffer.WrittenCount;
        _buffer.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public override void MakeDurable() => DurableFile.Sync(_handle, _path);

    /// <inheritdoc/>
    public override void Dispose()
    {
        Flush();
        _json.Dispose();
        _handle.Dispose();
    }
}
