using System.Diagnostics;
using System.Threading.Channels;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Publishing;

/// <summary>
/// One publisher and the snapshots on their way to it: only those in a durable checkpoint, in order, each once; of those that come within
/// the publisher's <see cref="SnapshotPublisher.Every"/> only the newest. A publisher that is slow or down holds up the outbox, not the
/// others.
/// </summary>
internal sealed class PublisherLane(SnapshotPublisher publisher, ModelMetrics metrics, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long the start waits for a publisher to be ready; after that, learning goes on without it.</summary>
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Where only the newest counts, the one that waits gives way to it: what a publisher that is down has to hold does not grow.
    /// </summary>
    private readonly Channel<OutboxEntry> _entries = publisher.Every is null
        ? Channel.CreateUnbounded<OutboxEntry>(new UnboundedChannelOptions { SingleReader = true })
        : Channel.CreateBounded<OutboxEntry>(
            new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationTokenSource _hurry = new();
    private long _acknowledged, _newest, _released;
    private long? _publishedAt;
    private Action _onAcknowledged = () => { };

    /// <summary>Ends when the lane was closed and emptied; faults when the publisher cannot go on.</summary>
    public Task Publishing { get; private set; } = Task.CompletedTask;

    /// <summary>Why the publisher does not publish; null when all is well.</summary>
    public Obstacle? Obstacle => publisher.Obstacle;

    /// <summary>Whether only the newest version counts.</summary>
    public bool TakesNewestOnly => publisher.Every is not null;

    /// <summary>Released entries that the publisher has not begun with.</summary>
    internal int Waiting => _entries.Reader.Count;

    /// <summary>
    /// Prepares the publisher and starts publishing; <paramref name="onAcknowledged"/> is called after every acknowledgement. Returns when
    /// the publisher is ready or, when that takes long, before; what is wrong with it then is told by <see cref="Publishing"/>.
    /// </summary>
    public async Task OpenAsync(RunClaim claim, DateTimeOffset? since, Action onAcknowledged, CancellationToken cancellationToken)
    {
        _onAcknowledged = onAcknowledged;
        metrics.PublishFailed(publisher.Name, 0);
        publisher.Failed = () => metrics.PublishFailed(publisher.Name, 1);
        Task<long> opening = publisher.OpenAsync(claim, since, _abandon.Token);
        using var ready = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = await Task.WhenAny(opening, Task.Delay(OpeningPatience, time, ready.Token)).ConfigureAwait(false);
        await ready.CancelAsync().ConfigureAwait(false);
        if (first == opening) await opening.ConfigureAwait(false);
        Publishing = Task.Run(() => PublishAllAsync(opening), CancellationToken.None);
    }

    /// <summary>Whether the publisher publishes this version.</summary>
    public bool Wants(long version, bool isLast) => publisher.Wants(version, isLast);

    /// <summary>Tells of a version to come that the publisher publishes.</summary>
    /// <returns>Whether the publisher lacks it.</returns>
    public bool Offer(long version)
    {
        Volatile.Write(ref _newest, Math.Max(_newest, version));
        return Lacks(version);
    }

    /// <summary>Whether the publisher wants this version, which was offered, and does not have it.</summary>
    public bool Lacks(long version, bool isLast) => Wants(version, isLast) && Lacks(version);

    private bool Lacks(long version) => version > Volatile.Read(ref _acknowledged)
        && (!TakesNewestOnly || version >= Volatile.Read(ref _newest));

    /// <summary>Lets the entries of a durable checkpoint go out. Called by one thread at a time.</summary>
    public void Release(IReadOnlyList<OutboxEntry> durable)
    {
        foreach (OutboxEntry entry in durable)
        {
            if (entry.Version <= _released || !Wants(entry.Version, entry.IsLast)) continue;
            _released = entry.Version;
            _entries.Writer.TryWrite(entry);
        }
    }

    /// <summary>Publishes what was released and ends; gives up when <paramref name="deadline"/> is cancelled.</summary>
    public async Task CloseAsync(CancellationToken deadline)
    {
        _entries.Writer.TryComplete();
        await _hurry.CancelAsync().ConfigureAwait(false);
        await using (deadline.Register(_abandon.Cancel).ConfigureAwait(false)) await Publishing.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _abandon.CancelAsync().ConfigureAwait(false);
        await publisher.DisposeAsync().ConfigureAwait(false);
        // A publisher that does not heed being abandoned may still be at it.
        _ = Publishing.ContinueWith(_ => DisposeSignals(), TaskScheduler.Default);
    }

    private void DisposeSignals()
    {
        _abandon.Dispose();
        _hurry.Dispose();
    }

    private async Task PublishAllAsync(Task<long> opening)
    {
        Acknowledge(await opening.WaitAsync(_abandon.Token).ConfigureAwait(false));
        var ready = new List<OutboxEntry>();
        while (await _entries.Reader.WaitToReadAsync(_abandon.Token).ConfigureAwait(false))
        {
            await WaitForTurnAsync().ConfigureAwait(false);
            ready.Clear();
            while (_entries.Reader.TryRead(out OutboxEntry? entry))
                if (entry.Version > _acknowledged) ready.Add(entry);
            if (ready.Count == 0) continue;
            if (TakesNewestOnly) ready.RemoveRange(0, ready.Count - 1);
            _publishedAt = time.GetTimestamp();
            using Activity? span = WorkerTraces.Begin("publish", model: null, ready[^1].Version, parent: ready[^1].Trace);
            Link(span, ready);
            span?.SetTag("streamem.sink", publisher.Name);
            try
            {
                await publisher.PublishAsync(ready, _abandon.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                publisher.Failed();
                if (failure is CommandException { ExitCode: ExitCode.TryAgain }) metrics.WasFenced("publisher");
                throw;
            }

            metrics.Took(Phase.Publish, time.GetElapsedTime(_publishedAt.Value));
            metrics.SnapshotsPublished(publisher.Name, ready.Count);
            Acknowledge(ready[^1].Version);
        }
    }

    /// <summary>Of several versions it is a part of what made the newest, and has to do with what made the others.</summary>
    private static void Link(Activity? span, List<OutboxEntry> ready)
    {
        if (span is null || ready.Count == 1) return;
        var links = new TraceLinks();
        foreach (OutboxEntry entry in ready)
            if (entry.Trace != default && entry != ready[^1]) links.Add(entry.Trace);
        links.MoveTo(span);
    }

    private void Acknowledge(long version)
    {
        Volatile.Write(ref _acknowledged, version);
        _onAcknowledged();
    }

    /// <summary>Waits until the publisher's interval is over; a lane that closes does not wait.</summary>
    private async Task WaitForTurnAsync()
    {
        if (publisher.Every is not { } every || _publishedAt is not { } last) return;
        TimeSpan left = every - time.GetElapsedTime(last);
        if (left <= TimeSpan.Zero) return;
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(_hurry.Token, _abandon.Token);
        await Task.WhenAny(Task.Delay(left, time, awake.Token)).ConfigureAwait(false);
        _abandon.Token.ThrowIfCancellationRequested();
    }
}
