using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// Takes the snapshots of one model to where others read them. Life cycle: <see cref="OpenAsync"/> once; <see cref="PublishAsync"/> with
/// rising versions, each already in a durable checkpoint; disposed once. What is published is durable when the call returns, and a version
/// of a run is never published twice: after a restart the worker offers again what it does not know to be acknowledged.
/// </summary>
public abstract class SnapshotPublisher : IAsyncDisposable
{
    /// <summary>What it is, for logs and metrics: <c>file:out/snapshots.ndjson</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Only versions divisible by it are published, and the last one of a drained run.</summary>
    public abstract int EveryUpdates { get; }

    /// <summary>At most one snapshot in this time, the newest; null publishes each.</summary>
    public virtual TimeSpan? Every => null;

    /// <summary>
    /// Why nothing is published although something could be (a broker that does not answer); null when all is well. Any thread.
    /// </summary>
    public virtual Obstacle? Obstacle => null;

    /// <summary>Told when publishing fails or begins to fail, however long it then lasts.</summary>
    public Action Failed { get; set; } = static () => { };

    /// <summary>Whether it publishes this version.</summary>
    public bool Wants(long version, bool isLast) => isLast || version % EveryUpdates == 0;

    /// <summary>Prepares publishing.</summary>
    /// <param name="claim">The model's run, and its start.</param>
    /// <param name="since">Snapshots made before this instant need not be looked for: they will not be offered again. Null for a new run,
    /// of which nothing can be there.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The last version of this run that is already published; 0 when there is none to be known of.</returns>
    /// <exception cref="CommandException">It cannot publish there, or another run does.</exception>
    public abstract Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken);

    /// <summary>Publishes snapshots in order and returns once they are durable there.</summary>
    public abstract Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
