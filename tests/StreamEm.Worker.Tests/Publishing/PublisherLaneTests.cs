using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;
using static StreamEm.Worker.Tests.Publishing.RecordingPublisher;

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

    [Theory]
    [InlineData(ExitCode.TryAgain, 1)]
    [InlineData(ExitCode.Denied, 0)]
    public async Task Publisher_WhosePlaceIsTaken_IsCountedAsFenced(int code, long fenced)
    {
        var metrics = new ModelMetrics();
        var publisher = new RecordingPublisher { Failure = new CommandException(code, "another publishes") };
        await using var lane = new PublisherLane(publisher, metrics, _time);
        await lane.OpenAsync(new RunClaim("run"), since: null, () => { }, CancellationToken.None);

        lane.Release(Entries(1));

        await Assert.ThrowsAsync<CommandException>(() => lane.Publishing);
        Assert.Equal(fenced, metrics.Fenced.GetValueOrDefault("publisher"));
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
    public async Task Release_VersionsThePublisherHad_AreLeftOutAndWhatFollowsIsPublished()
    {
        var publisher = new RecordingPublisher { Interval = Second, Opening = new TaskCompletionSource<long>() };
        publisher.Opening.SetResult(2);
        await using PublisherLane lane = await Open(publisher);
        lane.Release(Entries(2));
        await Eventually.True(() => lane.Waiting == 0, "the lane to take it");
        lane.Release(Entries(3));

        await publisher.Holds(3);
    }

    [Fact]
    public async Task Release_VersionsReleasedBefore_AreNotPublishedAgain()
    {
        var publisher = new RecordingPublisher();
        await using PublisherLane lane = await Open(publisher);
        lane.Release(Entries(1, 2));
        lane.Release(Entries(1, 2, 3));

        await Eventually.Within(lane.CloseAsync(CancellationToken.None));

        Assert.Equal([1L, 2L, 3L], publisher.Published);
    }

    [Fact]
    public async Task Release_IntervalIsOver_PublishesAtOnce()
    {
        var publisher = new RecordingPublisher { Interval = Second };
        await using PublisherLane lane = await Open(publisher);
        lane.Release(Entries(1));
        await publisher.Holds(1);
        _time.Advance(Second);
        lane.Release(Entries(2));

        await publisher.Holds(1, 2);
    }

    [Fact]
    public async Task Open_PublisherThatCannotOpen_IsToldToWhoOpensIt()
    {
        var opening = new TaskCompletionSource<long>();
        opening.SetException(new InvalidOperationException("no"));

        Assert.Equal("no", (await Assert.ThrowsAsync<InvalidOperationException>(
            () => Open(new RecordingPublisher { Opening = opening }))).Message);
    }

    [Fact]
    public async Task Dispose_Lane_DisposesItsPublisherAndEndsWhatWaits()
    {
        var publisher = new RecordingPublisher { Interval = TimeSpan.FromDays(1) };
        PublisherLane lane = await Open(publisher);
        lane.Release(Entries(1));
        await publisher.Holds(1);
        lane.Release(Entries(2));

        await lane.DisposeAsync();

        Assert.True(publisher.IsDisposed);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.Within(lane.Publishing));
        Assert.Equal([1L], publisher.Published);
    }

    private Task<PublisherLane> Open(RecordingPublisher publisher) => publisher.OpenLane(_time);
}
