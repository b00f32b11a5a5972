using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using static StreamEm.Worker.Tests.Publishing.RecordingPublisher;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class OutboxTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task OnlyTheNewestWanted_KeepsTheNewestAndNoBytes()
    {
        await using PublisherLane lane = await Open(new RecordingPublisher { Interval = Second });
        var outbox = new Outbox([lane]);

        foreach (OutboxEntry entry in Entries(1, 2, 3)) Assert.True(outbox.Add(entry));

        Assert.Equal([3L], outbox.Capture().Select(entry => entry.Version));
        Assert.Equal((0, 0), (outbox.Bytes, outbox.BytesSinceCapture));
    }

    [Fact]
    public async Task OneWantsEachAndOneTheNewest_KeepsWhatTheFirstLacks()
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
    public async Task EverythingAcknowledged_KeepsTheNewestOfAPublisherThatTakesNotEach()
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

    [Fact]
    public async Task BytesSinceTheLastCheckpoint_AreThoseOfVersionsAddedAfterIt()
    {
        await using PublisherLane lane = await Open(new RecordingPublisher());
        await using var outbox = new Outbox([lane]);
        foreach (OutboxEntry entry in Entries(1, 2)) outbox.Add(entry);
        Assert.Equal((2, 2), (outbox.Bytes, outbox.BytesSinceCapture));

        outbox.Capture();
        Assert.Equal((2, 0), (outbox.Bytes, outbox.BytesSinceCapture));
        outbox.Add(Entries(3)[0]);
        Assert.Equal((3, 1), (outbox.Bytes, outbox.BytesSinceCapture));

        lane.Release(Entries(1, 2, 3));
        await Eventually.Within(lane.CloseAsync(CancellationToken.None));
        Task acknowledged = outbox.NextAcknowledgement;
        outbox.RemoveAcknowledged();
        await Eventually.Within(acknowledged);
        Assert.Equal((0, 0), (outbox.Bytes, outbox.BytesSinceCapture));
    }

    [Fact]
    public async Task VersionThatItsPublisherHas_IsNotKept()
    {
        await using PublisherLane lane = await Open(new RecordingPublisher { Opening = Opened(5) });
        await Eventually.True(() => !lane.Lacks(5, isLast: false), "what the publisher has to be known");
        await using var outbox = new Outbox([lane]);

        Assert.False(outbox.Add(Entries(5)[0]));
        Assert.Equal(0, outbox.Bytes);
        Assert.True(outbox.Add(Entries(6)[0]));
        Assert.Equal([6L], outbox.Capture().Select(entry => entry.Version));
    }

    [Fact]
    public async Task OneLacksItAndOneHasIt_IsKeptForTheOne()
    {
        await using PublisherLane has = await Open(new RecordingPublisher { Opening = Opened(9) });
        await using PublisherLane lacks = await Open(new RecordingPublisher());
        await Eventually.True(() => !has.Lacks(9, isLast: false), "what the publisher has to be known");
        await using var outbox = new Outbox([lacks, has, lacks]);

        Assert.True(outbox.Add(Entries(3)[0]));
        Assert.Equal(1, outbox.Bytes);
    }

    private static TaskCompletionSource<long> Opened(long version)
    {
        var opening = new TaskCompletionSource<long>();
        opening.SetResult(version);
        return opening;
    }

    private Task<PublisherLane> Open(RecordingPublisher publisher) => publisher.OpenLane(_time);
}
