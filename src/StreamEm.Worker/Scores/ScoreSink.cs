using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scores;

/// <summary>How far a file of scores belongs to a state, and which file that is.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Identity">Device and inode, and a hash of the last line before that length.</param>
public sealed record ScoreFileMark(long Length, string Identity);

/// <summary>From where a sink goes on.</summary>
/// <param name="RunId">The model's run.</param>
/// <param name="Mark">Where its file ended; null for a sink that the state does not know, or that has none.</param>
/// <param name="Since">What was made before this instant has arrived, or will be delivered again; null for a sink that the state does not
/// know.</param>
public sealed record ScoreSinkStart(string RunId, ScoreFileMark? Mark, DateTimeOffset? Since);

/// <summary>
/// Takes scored records to where others read them. Life cycle: <see cref="OpenAsync"/> once; <see cref="DeliverAsync"/> with records in
/// order; disposed once. After a crash the records since the last checkpoint are delivered again, the same bytes: a sink that can tell what
/// it has makes of that exactly once, others at least once.
/// </summary>
internal abstract class ScoreSink : IAsyncDisposable
{
    /// <summary>What it is, for logs, metrics and the state: <c>file:out/scores.ndjson</c>.</summary>
    public abstract string Name { get; }

    /// <summary>About how many bytes are delivered at once.</summary>
    public virtual int BytesAtOnce => 1 << 20;

    /// <summary>Where a file ends that has everything delivered so far; null where nothing can be taken back.</summary>
    public virtual ScoreFileMark? Mark => null;

    /// <summary>Why nothing is delivered although something could be; null when all is well. Any thread.</summary>
    public virtual Obstacle? Obstacle => null;

    /// <summary>Prepares delivery.</summary>
    public abstract Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken);

    /// <summary>Delivers all lines of the chunks, in order, and returns once they are there.</summary>
    /// <exception cref="CommandException">They never will be.</exception>
    public abstract Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken);

    /// <summary>Makes what was delivered survive a power cut; called on another thread, before a checkpoint that counts on it.</summary>
    public virtual void MakeDurable()
    {
    }

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
