using System.Collections.Concurrent;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Publishing;

/// <summary>Keeps the versions that were published through it.</summary>
internal sealed class RecordingPublisher : SnapshotPublisher
{
    public ConcurrentQueue<long> Published { get; } = new();

    public TimeSpan? Interval { get; init; }

    public TaskCompletionSource<long>? Opening { get; init; }

    public Exception? Failure { get; init; }

    public bool IsOpened { get; private set; }

    public bool IsDisposed { get; private set; }

    public override string Name => "recording";

    public int Only { get; init; } = 1;

    public override int EveryUpdates => Only;

    public override TimeSpan? Every => Interval;

    public static OutboxEntry[] Entries(params long[] versions) =>
        [.. versions.Select(version => new OutboxEntry(version, false, new byte[1]))];

    /// <summary>A lane of its own, opened.</summary>
    public async Task<PublisherLane> OpenLane(TimeProvider time)
    {
        var lane = new PublisherLane(this, new ModelMetrics(), time);
        await lane.OpenAsync(new RunClaim("run"), since: null, () => { }, CancellationToken.None);
        return lane;
    }

    public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken)
    {
        IsOpened = true;
        return Opening?.Task ?? Task.FromResult(0L);
    }

    public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
    {
        if (Failure is not null) return Task.FromException(Failure);
        foreach (OutboxEntry snapshot in snapshots) Published.Enqueue(snapshot.Version);
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return base.DisposeAsync();
    }

    public Task Holds(params long[] versions) =>
        Eventually.True(() => Published.SequenceEqual(versions), $"versions {string.Join(", ", versions)} to be published");
}
