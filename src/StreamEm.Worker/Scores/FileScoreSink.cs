using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Appends scored records to a file, one a line. A restarted worker cuts the file to where the state's ended and writes the same lines
/// again: each is there once. That is done only in the file the length was taken of, as its identity and its last line tell; another one
/// of scores is appended to, one of another kind refused.
/// </summary>
internal sealed class FileScoreSink(FileScoreOptions options, ILogger log) : ScoreSink
{
    private LineFile? _file;
    private ScoreFileMark? _mark;

    /// <inheritdoc/>
    public override string Name => $"file:{options.Path}";

    /// <inheritdoc/>
    public override ScoreFileMark? Mark => _mark;

    /// <summary>How every line begins.</summary>
    private static ReadOnlySpan<byte> Beginning => "{\"model\":\""u8;

    private LineFile File => _file ?? throw new InvalidOperationException("The sink has not been opened.");

    /// <inheritdoc/>
    public override Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken)
    {
        Attempt(() =>
        {
            _file = LineFile.Open(options.Path, Beginning, "scores", "scores.file.path", DurableFile.GroupReads);
            if (start.Mark is { } mark && !_file.TryReturn(mark.Length, mark.Identity))
                WorkerLog.ScoreFileOther(log, options.Path, mark.Length, _file.Length);
            SetMark(_file.LineBefore(_file.Length));
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken)
    {
        Attempt(() =>
        {
            foreach (ScoreChunk chunk in chunks) File.Append(chunk.Text.WrittenSpan);
        });
        ScoreChunk last = chunks[^1];
        int start = last.Lines.Count < 2 ? 0 : last.Lines[^2].End;
        SetMark(last.Text.WrittenSpan[start..]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override void MakeDurable()
    {
        if (_file is not null) Attempt(_file.Flush);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _file?.Dispose();
        return base.DisposeAsync();
    }

    private void SetMark(ReadOnlySpan<byte> lastLine) => _mark = new ScoreFileMark(File.Length, File.IdentityAfter(lastLine));

    private void Attempt(Action act)
    {
        try
        {
            act();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput,
                $"Scores cannot be written to '{options.Path}': {failure.Message} Make room or make the file writable, or set "
                    + "scores.file.path to another one.", failure);
        }
    }
}
