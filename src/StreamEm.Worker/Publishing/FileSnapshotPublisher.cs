using System.Buffers;
using System.Text.Json;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Appends snapshots to a file, one a line. When opened it cuts the unfinished line a crash may have left and reads the last version from
/// the last whole line, so that the versions of a run stand there without gap or repetition. A file of another kind is refused.
/// </summary>
public sealed class FileSnapshotPublisher(FilePublisherOptions options, ILogger log) : SnapshotPublisher
{
    /// <summary>Several snapshots a write.</summary>
    private const int BufferSize = 64 * 1024;

    private LineFile? _file;

    /// <inheritdoc/>
    public override string Name => $"file:{options.Path}";

    /// <inheritdoc/>
    public override int EveryUpdates => options.EveryUpdates;

    /// <summary>How every snapshot begins.</summary>
    private static ReadOnlySpan<byte> Beginning => "{\"format\":\"streamem.snapshot\""u8;

    /// <inheritdoc/>
    public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken) =>
        Task.FromResult(Attempt(() => Open(claim.RunId)));

    /// <inheritdoc/>
    public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
    {
        Attempt(() => Append(snapshots));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _file?.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private long Open(string runId)
    {
        _file = LineFile.Open(options.Path, Beginning, "snapshots", "publish.file.path", DurableFile.GroupReads);
        if (_file.Cut > 0) WorkerLog.SnapshotLogCut(log, options.Path, _file.Cut);
        byte[] line = _file.LineBefore(_file.Length);
        return line.Length == 0 ? 0 : VersionIn(line, runId);
    }

    private bool Append(IReadOnlyList<OutboxEntry> snapshots)
    {
        LineFile file = _file ?? throw new InvalidOperationException("The publisher has not been opened.");
        var lines = new ArrayBufferWriter<byte>(BufferSize);
        foreach (OutboxEntry snapshot in snapshots)
        {
            lines.Write(snapshot.Json.Span);
            lines.Write("\n"u8);
            if (lines.WrittenCount < BufferSize) continue;
            file.Append(lines.WrittenSpan);
            lines.ResetWrittenCount();
        }

        file.Append(lines.WrittenSpan);
        file.Flush();
        return true;
    }

    private T Attempt<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput,
                $"Snapshots cannot be published to '{options.Path}': {failure.Message} Make room or make the file writable, or set "
                    + "publish.file.path to another one.", failure);
        }
    }

    private long VersionIn(byte[] line, string runId)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.GetProperty("model").GetProperty("run_id").GetString() == runId
                ? document.RootElement.GetProperty("version").GetInt64()
                : 0;
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CommandException(ExitCode.CannotCreate,
                $"The last line of '{options.Path}' is not a snapshot ({failure.Message.TrimEnd('.')}); nothing is appended to a file of "
                    + "another kind. Move it away or set publish.file.path to another one.",
                failure);
        }
    }
}
