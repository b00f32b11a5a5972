using System.Text.Json;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Appends snapshots to a file, one a line. When opened it cuts the unfinished line a crash may have left and reads the last version from
/// the last whole line, so that the versions of a run stand there without gap or repetition.
/// </summary>
public sealed class FileSnapshotPublisher(FilePublisherOptions options, ILogger log) : SnapshotPublisher
{
    private const int LookBack = 64 * 1024;

    /// <summary>Several snapshots a write.</summary>
    private const int BufferSize = 64 * 1024;

    private FileStream? _file;

    /// <inheritdoc/>
    public override string Name => $"file:{options.Path}";

    /// <inheritdoc/>
    public override int EveryUpdates => options.EveryUpdates;

    /// <inheritdoc/>
    public override Task<long> OpenAsync(string runId, DateTimeOffset? since, CancellationToken cancellationToken) =>
        Task.FromResult(Attempt(() => Open(runId)));

    /// <inheritdoc/>
    public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
    {
        Attempt(() => Append(snapshots));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_file is not null) await _file.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private long Open(string runId)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(options.Path))!;
        DurableFile.CreateDirectory(directory, mode: null);
        _file = new FileStream(options.Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete,
            BufferSize);
        // Also where it was there: the process that made it may have been killed before.
        DurableFile.SyncDirectory(directory);

        long end = LastLineFeed(_file, _file.Length) + 1;
        if (end < _file.Length)
        {
            WorkerLog.SnapshotLogCut(log, options.Path, _file.Length - end);
            _file.SetLength(end);
        }

        long start = end == 0 ? 0 : LastLineFeed(_file, end - 1) + 1;
        byte[] line = new byte[end - start];
        _file.Position = start;
        _file.ReadExactly(line);
        return line.Length == 0 ? 0 : VersionIn(line, runId);
    }

    private bool Append(IReadOnlyList<OutboxEntry> snapshots)
    {
        FileStream file = _file ?? throw new InvalidOperationException("The publisher has not been opened.");
        file.Position = file.Length;
        foreach (OutboxEntry snapshot in snapshots)
        {
            file.Write(snapshot.Json.Span);
            file.WriteByte((byte)'\n');
        }

        file.Flush();
        DurableFile.Sync(file.SafeFileHandle, options.Path);
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
                $"Snapshots cannot be published to '{options.Path}': {failure.Message} Make the file writable or set publish.file.path to "
                    + "another one.", failure);
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
            throw new CommandException(ExitCode.DataCorrupt,
                $"The last line of '{options.Path}' is not a snapshot ({failure.Message.TrimEnd('.')}); nothing is appended to a file of "
                    + "another kind. Move it away or set publish.file.path to another one.",
                failure);
        }
    }

    /// <summary>Position of the last line feed before <paramref name="end"/>; -1 when there is none.</summary>
    private static long LastLineFeed(FileStream file, long end)
    {
        byte[] block = new byte[LookBack];
        while (end > 0)
        {
            int length = (int)Math.Min(LookBack, end);
            file.Position = end - length;
            file.ReadExactly(block, 0, length);
            int found = block.AsSpan(0, length).LastIndexOf((byte)'\n');
            if (found >= 0) return end - length + found;
            end -= length;
        }

        return -1;
    }
}
