using System.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Tests.Scores;

/// <summary>A sink that keeps what it gets, waits while it is held, and fails when told to.</summary>
internal sealed class MemorySink(string name = "memory") : ScoreSink
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Name => name;

    public ScoreSinkStart? Start { get; private set; }

    public CommandException? Failure { get; set; }

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    /// <summary>Lets deliveries through.</summary>
    public MemorySink Open()
    {
        _open.TrySetResult();
        return this;
    }

    public override Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken)
    {
        Start = start;
        return Task.CompletedTask;
    }

    public override async Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken)
    {
        if (Failure is not null) throw Failure;
        await _open.Task.WaitAsync(cancellationToken);
        lock (_lock)
            foreach (ScoreChunk chunk in chunks)
                for (int line = 0; line < chunk.Lines.Count; line++) _lines.Add(Encoding.UTF8.GetString(chunk.Line(line).Span));
    }
}
