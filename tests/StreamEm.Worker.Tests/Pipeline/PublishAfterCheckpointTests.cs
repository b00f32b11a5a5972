using System.Collections.Concurrent;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

public sealed class PublishAfterCheckpointTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Publish_AnyVersion_ComesAfterACheckpointThatHoldsIt()
    {
        var publisher = new WatchingPublisher(() =>
            CheckpointFile.Decode(File.ReadAllBytes(
                Directory.GetFiles(_directory["state/clouds"], "*.sem").Max(StringComparer.Ordinal)!)).Updates);
        await using ModelPipeline pipeline = Pipelines.Create(_directory, Options(),
            position => new MemorySource(Pipelines.Clouds(5000), position), publisher: _ => publisher);
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Equal(new PipelineEnd(ModelState.Finished), await Eventually.Within(pipeline.Completion));

        Assert.Equal(Enumerable.Range(1, 157).Select(version => (long)version), publisher.Published.Select(entry => entry.Version));
        Assert.All(publisher.Published,
            entry =>
                Assert.True(entry.Version <= entry.OnDisk, $"version {entry.Version} was published with version {entry.OnDisk} on disk"));
    }

    [Fact]
    public async Task Publish_NotAcknowledgedBeforeTheEnd_IsOfferedAgainAsItWas()
    {
        var broken = new WatchingPublisher(() => 0) { FailsFrom = 5 };
        await using (ModelPipeline pipeline = Pipelines.Create(
            _directory, Options(), position => new MemorySource(Pipelines.Clouds(330), position, endless: true), publisher: _ => broken))
        {
            await pipeline.StartAsync(CancellationToken.None);
            PipelineEnd end = await Eventually.Within(pipeline.Completion);
            Assert.Equal((ModelState.Failed, ExitCode.InputOutput), (end.State, end.Code));
        }

        var mended = new WatchingPublisher(() => 0) { Last = broken.Published.Select(entry => entry.Version).DefaultIfEmpty().Max() };
        await using (ModelPipeline pipeline =
            Pipelines.Create(_directory, Options(), position => new MemorySource(Pipelines.Clouds(330), position), publisher: _ => mended))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(pipeline.Completion);
        }

        Assert.Equal(Enumerable.Range(1, 11).Select(version => (long)version),
            broken.Published.Concat(mended.Published).Select(entry => entry.Version));
    }

    private ModelOptions Options() =>
        Pipelines.Model(_directory) with { Checkpoint = new CheckpointOptions { EveryUpdates = 2, Keep = 1000 } };

    private sealed class WatchingPublisher(Func<long> versionOnDisk) : SnapshotPublisher
    {
        public ConcurrentQueue<(long Version, long OnDisk)> Published { get; } = new();

        public long FailsFrom { get; init; } = long.MaxValue;

        public long Last { get; init; }

        public override string Name => "watching";

        public override int EveryUpdates => 1;

        public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken) =>
            Task.FromResult(Last);

        public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken)
        {
            foreach (OutboxEntry snapshot in snapshots)
            {
                if (snapshot.Version >= FailsFrom) throw new CommandException(ExitCode.InputOutput, "cannot publish");
                Published.Enqueue((snapshot.Version, versionOnDisk()));
            }

            return Task.CompletedTask;
        }
    }
}
