using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>
/// What depends on the moment is on disk before anybody sees it: (run id, version) never stands for two things, wherever the power fails.
/// </summary>
public sealed class DecisionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task MaxWait_CutsAMinibatch_ShowsTheVersionWhenItsCheckpointIsOnDiskAndNotBefore()
    {
        var disk = new FragileDisk(_directory.Path);
        using var held = new HeldCheckpoints(_directory, disk);
        string shown;
        IReadOnlyDictionary<string, byte[]> remains;
        await using (ModelPipeline pipeline = Create(
            _directory, position => new MemorySource(Pipelines.Clouds(100), position, endless: true)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.True(() => pipeline.Metrics.Pending == 4 && pipeline.Feed.Latest?.Version == 3, "version 3 and 4 more");
            await Eventually.True(() => pipeline.Metrics.LastCheckpointSeconds > 0, "the checkpoint of the first version");
            held.Hold();
            await Eventually.True(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                return pipeline.Metrics.Pending == 0;
            }, "the minibatch is cut");
            await Eventually.Within(held.Reached);
            Assert.Equal(3, pipeline.Feed.Latest!.Version);

            held.Release();
            await Eventually.True(() => pipeline.Feed.Latest!.Version == 4, "version 4 is shown");
            (shown, remains) = (PublishedLog.ContentOf(pipeline.Feed.Latest!.Json), disk.Remains());
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        // The power fails at the moment the version was shown; the source has more records by the time it is back.
        using var after = new TemporaryDirectory();
        Restore(remains, after);
        await using ModelPipeline again = Create(after, position => new MemorySource(Pipelines.Clouds(130), position, endless: true));
        await again.StartAsync(CancellationToken.None);
        await Eventually.True(() => again.Feed.Latest is not null, "a version is shown");
        Assert.Equal(shown, PublishedLog.ContentOf(again.Feed.Versions.Single(document => document.Version == 4).Json));
        again.RequestStop();
        await Eventually.Within(again.Completion);
    }

    [Fact]
    public async Task Source_DecidesSomething_ShowsNoVersionAfterItBeforeACheckpointHoldsIt()
    {
        using var held = new HeldCheckpoints(_directory, new FragileDisk(_directory.Path));
        DecidingSource? source = null;
        await using ModelPipeline pipeline = Create(_directory, _ => source = new DecidingSource(Pipelines.Clouds(160)));
        await pipeline.StartAsync(CancellationToken.None);
        source!.Give(96);
        await Eventually.True(() => pipeline.Feed.Latest?.Version == 3, "version 3");
        source.Give(32);
        await Eventually.True(() => pipeline.Feed.Latest?.Version == 4, "version 4 is shown without a checkpoint: it can be made again");
        await Eventually.True(() => pipeline.Metrics.LastCheckpointSeconds > 0, "the checkpoint of the first version");

        held.Hold();
        source.Give(32, isDecision: true);
        await Eventually.True(() => pipeline.Metrics.Records == 160 && pipeline.Metrics.Pending == 0, "all is learned");
        await Eventually.Within(held.Reached);
        Assert.Equal(4, pipeline.Feed.Latest!.Version);

        held.Release();
        await Eventually.True(() => pipeline.Feed.Latest!.Version == 5, "version 5 is shown");
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
    }

    [Fact]
    public async Task Checkpoint_BehindTheLearner_AcknowledgesItsOwnPosition()
    {
        using var held = new HeldCheckpoints(_directory, new FragileDisk(_directory.Path));
        held.Hold("checkpoint-00000000000000000002.sem.tmp");
        DecidingSource? source = null;
        await using ModelPipeline pipeline = Create(_directory, _ => source = new DecidingSource(Pipelines.Clouds(160)));
        await pipeline.StartAsync(CancellationToken.None);
        source!.Give(96);
        await Eventually.Within(held.Reached);
        source.Give(64);
        await Eventually.True(() => pipeline.Metrics.Records == 160, "all records are taken while the checkpoint of 96 is written");
        held.Release();
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);

        IEnumerable<long?> kept = Directory.GetFiles(_directory["state/clouds"], "*.sem").Order(StringComparer.Ordinal)
            .Select(file => CheckpointFile.Decode(File.ReadAllBytes(file)).Position.Partitions.GetValueOrDefault("memory")?.Next);
        Assert.Equal([null, 96L, 160L], kept);
        Assert.Equal([null, 96L, 160L], source.Acknowledged);
    }

    private ModelPipeline Create(TemporaryDirectory directory, Func<SourcePosition, RecordSource> open) =>
        Pipelines.Create(directory, Pipelines.Model(directory) with
        {
            MinibatchMaxWait = TimeSpan.FromSeconds(5),
            Checkpoint = new CheckpointOptions { Every = TimeSpan.FromHours(1), EveryUpdates = 1_000_000 },
        }, open, _time);

    private static void Restore(IReadOnlyDictionary<string, byte[]> image, TemporaryDirectory directory)
    {
        foreach ((string name, byte[] bytes) in image)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(directory[name])!);
            File.WriteAllBytes(directory[name], bytes);
        }
    }

    /// <summary>Gives records when the test says so, and says that what it gives depends on the moment when the test says so.</summary>
    private sealed class DecidingSource(IReadOnlyList<double[]?> items) : RecordSource
    {
        private readonly Channel<(int Count, bool IsDecision)> _given =
            Channel.CreateUnbounded<(int, bool)>();
        private int _next;

        /// <summary>The positions that are said to be in a durable checkpoint; null before the first record.</summary>
        public ConcurrentQueue<long?> Acknowledged { get; } = new();

        public override bool IsReplayable => true;

        public override void Acknowledge(SourcePosition durable) =>
            Acknowledged.Enqueue(durable.Partitions.GetValueOrDefault("memory")?.Next);

        public void Give(int count, bool isDecision = false) => _given.Writer.TryWrite((count, isDecision));

        public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
        {
            (int count, bool isDecision) = await _given.Reader.ReadAsync(cancellationToken);
            batch.Clear("memory", identity: null, _next);
            for (int i = 0; i < count; i++)
            {
                items[_next++]!.CopyTo(batch.NextRow);
                batch.Commit(_next);
            }

            batch.IsDecision = isDecision;
            return true;
        }
    }
}
