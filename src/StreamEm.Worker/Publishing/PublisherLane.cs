using System.Threading.Channels;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// One publisher and the snapshots on their way to it: only those in a durable checkpoint, in order, each once. A publisher that is slow or
/// down holds up the outbox, not the others.
/// </summary>
internal sealed class PublisherLane(SnapshotPublisher publisher, ModelMetrics metrics) : IAsyncDisposable
{
    private readonly Channel<OutboxEntry> _entries = Channel.CreateUnbounded<OutboxEntry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _abandon = new();
    private long _acknowledged, _released;
    private Action _onAcknowledged = () => { };

    /// <summary>Ends when the lane was closed and emptied; faults when the publisher cannot go on.</summary>
    public Task Publishing { get; private set; } = Task.CompletedTask;

    /// <summary>Prepares the publisher and starts publishing; <paramref name="onAcknowledged"/> is called after every acknowledgement.</summary>
    public async Task OpenAsync(string runId, Action onAcknowledged, CancellationToken cancellationToken)
    {
        _acknowledged = _released = await publisher.OpenAsync(runId, cancellationToken).ConfigureAwait(false);
        _onAcknowledged = onAcknowledged;
        Publishing = Task.Run(PublishAllAsync, CancellationToken.None);
    }

    /// <summary>Whether the publisher wants this version and does not have it.</summary>
    public bool Lacks(long version, bool isLast) => publisher.Wants(version, isLast) && version > Volatile.Read(ref _acknowledged);

    /// <summary>Lets the entries of a durable checkpoint go out. Called by one thread at a time.</summary>
    public void Release(IReadOnlyList<OutboxEntry> durable)
    {
        foreach (OutboxEntry entry in durable)
        {
            if (entry.Version <= _released || !publisher.Wants(entry.Version, entry.IsLast)) continue;
            _released = entry.Version;
            _entries.Writer.TryWrite(entry);
        }
    }

    /// <summary>Publishes what was released and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    public async Task CloseAsync(CancellationToken deadline)
    {
        _entries.Writer.TryComplete();
        await using (deadline.Register(_abandon.Cancel).ConfigureAwait(false)) await Publishing.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _abandon.CancelAsync().ConfigureAwait(false);
        await publisher.DisposeAsync().ConfigureAwait(false);
        _abandon.Dispose();
    }

    private async Task PublishAllAsync()
    {
        var ready = new List<OutboxEntry>();
        while (await _entries.Reader.WaitToReadAsync(_abandon.Token).ConfigureAwait(false))
        {
            ready.Clear();
            while (_entries.Reader.TryRead(out OutboxEntry? entry)) ready.Add(entry);
            await publisher.PublishAsync(ready, _abandon.Token).ConfigureAwait(false);
            Volatile.Write(ref _acknowledged, ready[^1].Version);
            metrics.SnapshotsPublished(publisher.Name, ready.Count);
            _onAcknowledged();
        }
    }
}
