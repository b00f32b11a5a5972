using StreamEm.Core.Snapshots;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Publishing;

public sealed class SerializationLaneTests
{
    [Fact]
    public async Task Add_MoreThanMayWait_WaitsAndKeepsOrder()
    {
        var done = new List<int>();
        using var gate = new ManualResetEventSlim();
        var lane = new SerializationLane();
        int added = 0;
        Task adding = Task.Factory.StartNew(() =>
        {
            for (int at = 0; at < 3 * SerializationLane.Capacity; at++)
            {
                int number = at;
                lane.Add(() =>
                {
                    gate.Wait();
                    done.Add(number);
                });
                Volatile.Write(ref added, at + 1);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        // One is being worked on, a lane full of others waits, and the next one cannot be added.
        await Eventually.True(() => Volatile.Read(ref added) == SerializationLane.Capacity + 1, "the lane to be full");
        Assert.False(adding.IsCompleted);
        gate.Set();
        await Eventually.Within(adding);
        await lane.DisposeAsync();

        Assert.Equal(Enumerable.Range(0, 3 * SerializationLane.Capacity), done);
    }

    [Fact]
    public async Task Add_AfterAFailure_ThrowsItsCause()
    {
        await using var lane = new SerializationLane();
        lane.Add(() => throw new InvalidDataException("no text"));

        await Eventually.True(() => Record.Exception(() => lane.Add(() => { })) is InvalidDataException { Message: "no text" },
            "the failure to be told");
    }

    [Fact]
    public async Task Outbox_NewSnapshots_AreSerializedAndCountedBesideTheLearner()
    {
        await using var lane = new PublisherLane(new FileSnapshotPublisher(new FilePublisherOptions { Path = "unused" }, new ListLogger()),
            new ModelMetrics(), TimeProvider.System);
        await using var outbox = new Outbox([lane]);
        SnapshotDocument[] documents = [.. Snapshots(3).Select(snapshot => new SnapshotDocument(snapshot))];
        foreach (SnapshotDocument document in documents) Assert.True(outbox.Add(document, isLast: false));

        await Eventually.True(() => outbox.Bytes == documents.Sum(document => document.Json.Length), "all bytes to be counted");
        Assert.Equal([1L, 2L, 3L], outbox.Capture().Select(entry => entry.Version));
        foreach ((OutboxEntry entry, SnapshotDocument document) in outbox.Capture().Zip(documents))
            Assert.True(entry.Json.Span.SequenceEqual(document.Json.Span));
    }

    private static IEnumerable<ModelSnapshot> Snapshots(int count) =>
        Pipelines.Versions(count, minibatch: 32)
            .Select(learned => new RunIdentity("clouds", "run", "sha256:test").Stamp(learned, DateTimeOffset.UnixEpoch));
}
