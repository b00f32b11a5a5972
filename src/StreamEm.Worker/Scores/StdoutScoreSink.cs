using System.Text;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Writes scored records to standard output, one a line, as they come: whole lines, also where several models do. At least once: what was
/// written since the last checkpoint of a killed worker comes again, with the same record numbers.
/// </summary>
/// <param name="open">Opens standard output.</param>
/// <param name="line">What a person is shown of a line; null: the line itself.</param>
internal sealed class StdoutScoreSink(Func<Stream> open, Func<ReadOnlyMemory<byte>, string>? line = null) : ScoreSink
{
    /// <summary>The sink of this process: for a person where one looks, without colours where <c>NO_COLOR</c> is set.</summary>
    public static StdoutScoreSink Of(StdoutScoreOptions options)
    {
        bool isText = options.Format == StdoutFormat.Text || (options.Format == StdoutFormat.Auto && !Console.IsOutputRedirected);
        bool hasColours = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return new StdoutScoreSink(Console.OpenStandardOutput, isText ? json => ScoreText.Of(json, hasColours) : null);
    }

    /// <summary>One at a time: lines of several models do not mix.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    private Stream? _output;

    /// <inheritdoc/>
    public override string Name => "stdout";

    /// <inheritdoc/>
    public override Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken)
    {
        _output = open();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        // Whoever reads may never read: the write is left to itself when the worker gives up on it, and keeps its turn until then.
        Task writing = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    foreach (ScoreChunk chunk in chunks) Write(chunk);
                    _output!.Flush();
                }
                finally
                {
                    Turn.Release();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw new CommandException(ExitCode.InputOutput,
                $"Scores cannot be written to standard output: {failure.Message.TrimEnd('.')}. Has what reads it ended?", failure);
        }
    }

    private void Write(ScoreChunk chunk)
    {
        if (line is null)
        {
            _output!.Write(chunk.Text.WrittenSpan);
            return;
        }

        for (int i = 0; i < chunk.Lines.Count; i++) _output!.Write(Encoding.UTF8.GetBytes($"{line(chunk.Line(i))}\n"));
    }
}
