using System.Collections.Concurrent;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Publishing;

/// <summary>A version is the worker's to keep until its publisher says that it has it, and not a moment less.</summary>
public sealed class AcknowledgementTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Publish_ThatHasNotEnded_KeepsItsVersionInTheOutbox()
    {
        var publisher = new HeldPublisher(heldFrom: 2);
        await using var lane = new PublisherLane(publisher, new ModelMetrics(), TimeProvider.System);
        await using var outbox = new Outbox([lane]);
        await lane.OpenAsync(new RunClaim("run"), since: null, outbox.RemoveAcknowledged, CancellationToken.None);
        OutboxEntry[] entries = [.. Enumerable.Range(1, 3).Select(version => new OutboxEntry(version, false, new byte[] { 1 }))];
        foreach (OutboxEntry entry in entries) outbox.Add(entry);

        lane.Release(entries[..1]);
        await Eventually.True(() => !lane.Lacks(1, isLast: false), "version 1 is acknowledged");
        lane.Release(entries[1..2]);
        await Eventually.Within(publisher.Held.Task);

        Assert.True(lane.Lacks(2, isLast: false));
        Assert.Equal([2L, 3L], outbox.Capture().Select(entry => entry.Version));
        Assert.Equal(2, outbox.Bytes);

        publisher.Answer.SetException(new CommandException(ExitCode.InputOutput, "gone"));
        Assert.Equal("gone", (await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(lane.Publishing))).Message);
        Assert.True(lane.Lacks(2, isLast: false));
        Assert.Equal([2L, 3L], outbox.Capture().Select(entry => entry.Version));
    }

    [Fact]
    public async Task Publish_Ended_IsToldAndCountedOnlyThen()
    {
        var publisher = new HeldPublisher(heldFrom: 1);
        var metrics = new ModelMetrics();
        int told = 0;
        await using var lane = new PublisherLane(publisher, metrics, TimeProvider.System);
        await lane.OpenAsync(new RunClaim("run"), since: null, () => Interlocked.Increment(ref told), CancellationToken.None);
        await Eventually.True(() => Volatile.Read(ref told) == 1, "what was there at the start is told");

        lane.Release([new OutboxEntry(1, false, new byte[] { 1 })]);
        await Eventually.Within(publisher.Held.Task);
        Assert.Equal(1, Volatile.Read(ref told));
        Assert.Empty(metrics.Published);

        publisher.Answer.SetResult();
        await Eventually.True(() => Volatile.Read(ref told) == 2, "the acknowledgement is told");
        Assert.Equal(1, metrics.Published["held"]);
    }

    [Fact]
    public async Task Publish_HangsWhileCheckpointsAreWritten_EachOfThemHoldsTheVersion()
    {
        var publisher = new HeldPublisher(heldFrom: 2);
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => new MemorySource(Pipelines.Clouds(330), position, endless: true), publisher: _ => publisher))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(publisher.Held.Task);
            await Eventually.True(() => Newest().Updates >= 9, "a checkpoint of version 9 or later");

            Assert.Equal(Enumerable.Range(2, (int)Newest().Updates - 1).Select(version => (long)version),
                Newest().Outbox.Select(entry => entry.Version).Where(version => version >= 2));
            publisher.Answer.SetException(new CommandException(ExitCode.InputOutput, "killed"));
            await Eventually.Within(pipeline.Completion);
        }

        var next = new HeldPublisher(heldFrom: long.MaxValue) { Last = publisher.Published.Max() };
        await using ModelPipeline again = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => new MemorySource(Pipelines.Clouds(330), position), publisher: _ => next);
        await again.StartAsync(CancellationToken.None);
        await Eventually.Within(again.Completion);
        Assert.Equal(Enumerable.Range(1, 11).Select(version => (long)version), publisher.Published.Concat(next.Published));
    }

    private Checkpoint Newest() => CheckpointFile.Decode(
        File.ReadAllBytes(Directory.GetFiles(_directory["state/clouds"], "*.sem").Max(StringComparer.Ordinal)!));

    /// <summary>Publishes at once up to a version, and from there on only when the test says so.</summary>
    private sealed class HeldPublisher(long heldFrom) : SnapshotPublisher
    {
        public ConcurrentQueue<long> Published { get; } = new();

        /// <summary>Completes when a version is held.</summary>
        public TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Last { get; init; }

        public override string Name => "held";

        public override int EveryUpdates => 1;

        public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken) =>
            Task.FromResult(Last);

        public override async Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
        {
            foreach (OutboxEntry snapshot in snapshots)
            {
                if (snapshot.Version >= heldFrom)
                {
                    Held.TrySetResult();
                    await Answer.Task;
                }

                Published.Enqueue(snapshot.Version);
            }
        }
    }
}
