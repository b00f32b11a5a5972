using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class PublisherLaneTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Release_WithinTheInterval_PublishesTheNewestWhenItIsOver()
    {
        var publisher = new RecordingPublisher { Interval = Second };
        await using PublisherLane lane = await Open(publisher);

        lane.Release(Entries(1));
        await publisher.Holds(1);
        lane.Release(Entries(2, 3));
        _time.Advance(0.4 * Second);
        lane.Release(Entries(4));
        // The lane may not have come to waiting yet: until it has, more time passes.
        await Eventually.True(() =>
        {
            _time.Advance(0.6 * Second);
            return publisher.Published.Count == 2;
        }, "version 4 to be published");
        lane.Release(Entries(5));
        await lane.CloseAsync(CancellationToken.None);

        Assert.Equal([1L, 4L, 5L], publisher.Published);
    }

    [Fact]
    public async Task Close_WithinTheInterval_PublishesTheLastVersionAtOnce()
    {
        var publisher = new RecordingPublisher { Interval = TimeSpan.FromDays(1) };
        await using PublisherLane lane = await Open(publisher);
        lane.Release(Entries(1));
        await publisher.Holds(1);
        lane.Release(Entries(2, 3, 4));

        await Eventually.Within(lane.CloseAsync(CancellationToken.None));

        Assert.Equal([1L, 4L], publisher.Published);
    }

    [Fact]
    public async Task Publisher_ThatFails_IsCounted()
    {
        var metrics = new ModelMetrics();
        var publisher = new RecordingPublisher { Failure = new IOException("gone") };
        await using var lane = new PublisherLane(publisher, metrics, _time);
        await lane.OpenAsync(new RunClaim("run"), since: null, () => { }, CancellationToken.None);
        Assert.Equal([new KeyValuePair<string, long>(publisher.Name, 0)], metrics.PublishFailures);

        lane.Release(Entries(1));

        await Assert.ThrowsAsync<IOException>(() => lane.Publishing);
        Assert.Equal([new KeyValuePair<string, long>(publisher.Name, 1)], metrics.PublishFailures);
    }

    [Fact]
    public async Task Release_WithoutAnInterval_PublishesEach()
    {
        var publisher = new RecordingPublisher();
        await using PublisherLane lane = await Open(publisher);
        lane.Release(Entries(1, 2));
        lane.Release(Entries(3));

        await Eventually.Within(lane.CloseAsync(CancellationToken.None));

        Assert.Equal([1L, 2L, 3L], publisher.Published);
    }

    [Fact]
    public async Task Release_PublisherIsDown_OnlyTheNewestWaits()
    {
        var publisher = new RecordingPublisher { Interval = Second, Opening = new TaskCompletionSource<long>() };
        Task<PublisherLane> opening = Open(publisher);
        await Eventually.True(() => publisher.IsOpened, "the publisher to be opened");
        _time.Advance(5 * Second);
        await using PublisherLane lane = await Eventually.Within(opening);

        foreach (OutboxEntry entry in Entries(1, 2, 3)) lane.Release([entry]);

        Assert.Equal(1, lane.Waiting);
        publisher.Opening.SetResult(0);
        await Eventually.Within(lane.CloseAsync(CancellationToken.None));
        Assert.Equal([3L], publisher.Published);
    }

    [Fact]
    public async Task Close_PublisherThatNeverIsReady_EndsAtTheDeadline()
    {
        var publisher = new RecordingPublisher { Opening = new TaskCompletionSource<long>() };
        Task<PublisherLane> opening = Open(publisher);
        await Eventually.True(() => publisher.IsOpened, "the publisher to be opened");
        _time.Advance(5 * Second);
        await using PublisherLane lane = await Eventually.Within(opening);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Eventually.Within(lane.CloseAsync(new CancellationToken(canceled: true))));
    }

    [Fact]
    public async Task Open_PublisherThatIsNotReady_DoesNotHoldUpTheStartAndSkipsWhatIsThere()
    {
        var publisher = new RecordingPublisher { Opening = new TaskCompletionSource<long>() };
        Task<PublisherLane> opening = Open(publisher);
        await Eventually.True(() => publisher.IsOpened, "the publisher to be opened");
        _time.Advance(5 * Second);
        await using PublisherLane lane = await Eventually.Within(opening);
        lane.Release(Entries(1, 2, 3));
        Assert.True(lane.Offer(2));

        publisher.Opening.SetResult(2);
        await Eventually.Within(lane.CloseAsync(CancellationToken.None));

        Assert.Equal([3L], publisher.Published);
        Assert.False(lane.Lacks(2, isLast: false));
    }

    [Fact]
    public async Task Outbox_OnlyTheNewestWanted_KeepsTheNewestAndNoBytes()
    {
        await using PublisherLane lane = await Open(new RecordingPublisher { Interval = Second });
        var outbox = new Outbox([lane]);

        foreach (OutboxEntry entry in Entries(1, 2, 3)) Assert.True(outbox.Add(entry));

        Assert.Equal([3L], outbox.Capture().Select(entry => entry.Version));
        Assert.Equal((0, 0), (outbox.Bytes, outbox.BytesSinceCapture));
    }

    [Fact]
    public async Task Outbox_OneWantsEachAndOneTheNewest_KeepsWhatTheFirstLacks()
    {
        var each = new RecordingPublisher();
        await using PublisherLane newest = await Open(new RecordingPublisher { Interval = Second }), all = await Open(each);
        var outbox = new Outbox([newest, all]);
        foreach (OutboxEntry entry in Entries(1, 2, 3)) outbox.Add(entry);
        Assert.Equal([1L, 2L, 3L], outbox.Capture().Select(entry => entry.Version));
        Assert.Equal(3, outbox.Bytes);

        all.Release(Entries(1, 2));
        await Eventually.Within(all.CloseAsync(CancellationToken.None));
        outbox.RemoveAcknowledged();

        Assert.Equal([3L], outbox.Capture().Select(entry => entry.Version));
    }

    [Fact]
    public async Task Outbox_EverythingAcknowledged_KeepsTheNewestOfAPublisherThatTakesNotEach()
    {
        await using PublisherLane each = await Open(new RecordingPublisher()), few = await Open(new RecordingPublisher { Only = 2 });
        var outbox = new Outbox([each, few]);
        foreach (OutboxEntry entry in Entries(1, 2, 3)) outbox.Add(entry);
        await TakeAsync(Entries(1, 2, 3));
        Assert.Equal([(2L, true)], Captured());

        outbox.Add(Entries(4)[0]);
        Assert.Equal([(4L, false)], Captured());
        outbox.Add(new OutboxEntry(5, isLast: true, new byte[1]));
        await TakeAsync([.. Entries(4), new OutboxEntry(5, isLast: true, new byte[1])]);
        Assert.Equal([(5L, true)], Captured());
        Assert.Equal(0, outbox.Bytes);

        // As at a start: what a checkpoint kept is offered again, to whom it may be lost.
        var again = new Outbox([await Open(new RecordingPublisher { Only = 2 })]);
        Assert.True(again.Add(outbox.Capture()[0]));
        Assert.Equal([(5L, false)], again.Capture().Select(entry => (entry.Version, entry.IsAcknowledged)));

        IEnumerable<(long, bool)> Captured() => outbox.Capture().Select(entry => (entry.Version, entry.IsAcknowledged));

        async Task TakeAsync(OutboxEntry[] entries)
        {
            foreach (PublisherLane lane in (PublisherLane[])[each, few]) lane.Release(entries);
            await Eventually.True(() =>
                !each.Lacks(entries[^1].Version, entries[^1].IsLast)
                    && !few.Lacks(entries[^1].Version - (entries[^1].Version % 2), isLast: false), "acknowledgements");
            await Eventually.True(() => !few.Lacks(entries[^1].Version, entries[^1].IsLast), "acknowledgements");
            outbox.RemoveAcknowledged();
        }
    }

    private static OutboxEntry[] Entries(params long[] versions) =>
        [.. versions.Select(version => new OutboxEntry(version, false, new byte[1]))];

    private async Task<PublisherLane> Open(RecordingPublisher publisher)
    {
        var lane = new PublisherLane(publisher, new ModelMetrics(), _time);
        await lane.OpenAsync(new RunClaim("run"), null, () => { }, CancellationToken.None);
        return lane;
    }

    private sealed class RecordingPublisher : SnapshotPublisher
    {
        public ConcurrentQueue<long> Published { get; } = new();

        public TimeSpan? Interval { get; init; }

        public TaskCompletionSource<long>? Opening { get; init; }

        public Exception? Failure { get; init; }

        public bool IsOpened { get; private set; }

        public override string Name => "recording";

        public int Only { get; init; } = 1;

        public override int EveryUpdates => Only;

        public override TimeSpan? Every => Interval;

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

        public Task Holds(params long[] versions) =>
            Eventually.True(() => Published.SequenceEqual(versions), $"versions {string.Join(", ", versions)} to be published");
    }
}
