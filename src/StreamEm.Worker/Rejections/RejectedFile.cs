using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// The records that could not be used, one JSON object a line: <c>reason, detail, partition, offset, text</c>. Its length is part of the
/// checkpoint: a restarted worker cuts what was written after it and writes the same lines again. That is done only in the file the length
/// was taken of, as its identity and its last line tell; another one of the same kind is appended to, one of another kind refused.
/// </summary>
internal sealed class RejectedFile : RejectionSink
{
    private const int BufferedBytes = 64 * 1024;

    private static readonly JsonWriterOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly LineFile _file;
    private readonly Utf8JsonWriter _json;
    private string _identity;
    private bool _hasFailed;

    private RejectedFile(LineFile file)
    {
        _file = file;
        _identity = file.IdentityAfter(file.LineBefore(file.Length));
        _json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>Bytes so far, those still in memory included.</summary>
    public long Length => _file.Length + _buffer.WrittenCount;

    /// <inheritdoc/>
    public override RejectedFileMark? Mark => new(Length, _identity);

    /// <summary>How every line begins.</summary>
    private static ReadOnlySpan<byte> Beginning => "{\"reason\":\""u8;

    /// <summary>Opens the file, creating it where needed.</summary>
    /// <param name="path">Its path; directories are created.</param>
    /// <param name="mark">Where to go on, from the checkpoint; null appends.</param>
    /// <param name="log">Told when the file is not the one of the checkpoint, or shorter than that says.</param>
    /// <exception cref="CommandException">It is of another kind (73), or cannot be written (74).</exception>
    public static RejectedFile Open(string path, RejectedFileMark? mark, ILogger log)
    {
        try
        {
            LineFile file = LineFile.Open(path, Beginning, "rejected records", "rejected.file", DurableFile.OwnerOnly);
            if (mark is not null && !file.TryReturn(mark.Length, mark.Identity))
            {
                if (mark.Length > file.Length) WorkerLog.RejectedFileShort(log, path, file.Length, mark.Length);
                else WorkerLog.RejectedFileOther(log, path, mark.Length);
            }
            return new RejectedFile(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(path, failure);
        }
    }

    /// <inheritdoc/>
    public override void Write(RejectedRecord record)
    {
        int start = _buffer.WrittenCount;
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
        _identity = _file.IdentityAfter(_buffer.WrittenSpan[start..]);
        if (_buffer.WrittenCount >= BufferedBytes) Flush();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_buffer.WrittenCount == 0) return;
        Attempt(() => _file.Append(_buffer.WrittenSpan));
        _buffer.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public override void MakeDurable() => Attempt(_file.Flush);

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_hasFailed) Flush();
        _json.Dispose();
        _file.Dispose();
    }

    private void Attempt(Action act)
    {
        try
        {
            act();
        }
        catch (IOException failure)
        {
            _hasFailed = true;
            throw CannotWrite(_file.Path, failure);
        }
    }

    private static CommandException CannotWrite(string path, Exception failure) => new(ExitCode.InputOutput,
        $"The rejected file '{path}' cannot be written: {failure.Message} Make room, or set rejected.file to another path.", failure);
}
