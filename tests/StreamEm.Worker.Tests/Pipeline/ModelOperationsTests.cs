using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>What a person asks of a running model has happened once it is answered, whenever the process is killed.</summary>
public sealed class ModelOperationsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Pause_TakesNoRecordsUntilResume()
    {
        await using Running run = await Running.Start(_directory, 330);
        OrderOutcome paused = await Eventually.Within(run.Pipeline.Operations.PauseAsync());
        Assert.True(paused is { IsPaused: true, HasChanged: true, Version: 10 });
        run.Source.Give(64);
        await Eventually.True(() => run.Source.Given == 394, "the source to have given them");

        Assert.Equal(ModelState.Paused, run.Pipeline.State);
        Assert.False((await Eventually.Within(run.Pipeline.Operations.PauseAsync())).HasChanged);
        Assert.Equal(330, run.Pipeline.Metrics.Records);

        await Eventually.Within(run.Pipeline.Operations.ResumeAsync());
        await Eventually.True(() => run.Pipeline.Metrics.Records == 394, "all records are taken");
        Assert.Equal(ModelState.Learning, run.Pipeline.State);
    }

    [Fact]
    public async Task Pause_OfASourceThatTheClockCuts_CutsNothing()
    {
        var time = new FakeTimeProvider();
        await using Running run = await Running.Start(
            _directory, 330, options => options with { MinibatchMaxWait = TimeSpan.FromSeconds(5) }, time);
        await run.Order(operations => operations.PauseAsync());
        time.Advance(TimeSpan.FromMinutes(1));
        OrderOutcome later = await run.Order(operations => operations.CheckpointAsync());

        Assert.Equal((10, 10), (later.Version, run.Pipeline.Metrics.Pending));
        await run.Order(operations => operations.ResumeAsync());
        Assert.Equal(10, run.Pipeline.Metrics.Pending);
    }

    [Fact]
    public async Task Paused_Killed_IsPausedWhenItStartsAgain()
    {
        using var killed = new TemporaryDirectory();
        await using (Running run = await Running.Start(_directory, 330))
        {
            await Eventually.Within(run.Pipeline.Operations.PauseAsync());
            Copy(_directory, killed);
        }

        await using Running again = await Running.Start(killed, 500, waits: false);
        await Eventually.True(() => again.Pipeline.State == ModelState.Paused, "it is paused");
        Assert.Equal(330, again.Pipeline.Metrics.Records);
        await Eventually.Within(again.Pipeline.Operations.ResumeAsync());
        await Eventually.True(() => again.Pipeline.Metrics.Records == 500, "all records are taken");
    }

    [Fact]
    public async Task Revert_ToACheckpointsVersion_MakesItsParametersTheNextVersionAndTellsSo()
    {
        await using Running run = await Running.Start(_directory, 330);
        await run.Order(operations => operations.CheckpointAsync());
        run.Source.Give(96);
        await Eventually.True(() => run.Pipeline.Feed.Latest?.Version == 13, "version 13");
        await run.Order(operations => operations.CheckpointAsync());

        OrderOutcome outcome = await run.Order(operations => operations.RevertAsync(10));

        Assert.Equal(14, outcome.Version);
        Assert.Equal(ParametersOf(run.Pipeline, 10), ParametersOf(run.Pipeline, 14));
        Assert.NotEqual(ParametersOf(run.Pipeline, 13), ParametersOf(run.Pipeline, 14));
        Assert.Contains("reverted from version 13 to 10", Newest(_directory).History![^1].Text, StringComparison.Ordinal);
        Assert.Equal([10, 11, 12, 13, 14], run.Pipeline.Feed.Versions.Select(version => version.Version).TakeLast(5));
        await Eventually.True(() => PublishedLog.LastVersion(_directory["out/snapshots.ndjson"]) == 14, "it is published");
    }

    [Fact]
    public async Task Revert_ToAVersionThatOnlyMemoryHolds_MakesItsParametersTheNextVersion()
    {
        await using Running run = await Running.Start(_directory, 330);

        Assert.Equal(11, (await run.Order(operations => operations.RevertAsync(5))).Version);

        Assert.All(run.Pipeline.Find(5)!.Snapshot.Parameters.Zip(run.Pipeline.Find(11)!.Snapshot.Parameters),
            pair => Assert.Equal(pair.First, pair.Second, 1e-9));
    }

    [Fact]
    public async Task Reverted_Killed_GoesOnAsIfItHadNotBeen()
    {
        using var killed = new TemporaryDirectory();
        IReadOnlyList<string> whole;
        await using (Running run = await Running.Start(_directory, 330))
        {
            await run.Order(operations => operations.CheckpointAsync());
            run.Source.Give(96);
            await Eventually.True(() => run.Pipeline.Feed.Latest?.Version == 13, "version 13");
            await run.Order(operations => operations.RevertAsync(10));
            Copy(_directory, killed);
            run.Source.Give(160);
            await Eventually.True(() => run.Pipeline.Feed.Latest?.Version == 19, "version 19");
            whole = ContentsAfter(run.Pipeline, 14);
        }

        await using Running again = await Running.Start(killed, 586, waits: false);
        await Eventually.True(() => again.Pipeline.Feed.Latest?.Version == 19, "version 19 again");
        Assert.Equal(whole, ContentsAfter(again.Pipeline, 14));
    }

    [Fact]
    public async Task Revert_NotOnDiskYet_IsNeitherAnsweredNorShown()
    {
        using var kept = new HeldCheckpoints(_directory, new FragileDisk(_directory.Path));
        await using Running run = await Running.Start(_directory, 330);
        await run.Order(operations => operations.CheckpointAsync());
        kept.Hold();
        Task<OrderOutcome> order = run.Pipeline.Operations.RevertAsync(5);
        await Eventually.Within(kept.Reached);

        Assert.Equal(10, run.Pipeline.Feed.Latest!.Version);
        Assert.False(order.IsCompleted);

        kept.Release();
        Assert.Equal(11, (await Eventually.Within(order)).Version);
        Assert.Equal(11, run.Pipeline.Feed.Latest!.Version);
    }

    [Theory]
    [InlineData(99, "NotKept")]
    [InlineData(10, "Impossible")]
    public async Task Revert_ToAVersionThatIsNotThere_IsRefused(long version, string refusal)
    {
        await using Running run = await Running.Start(_directory, 330);

        OrderRefusedException refused = await Assert.ThrowsAsync<OrderRefusedException>(() => run.Pipeline.Operations.RevertAsync(version));
        Assert.Equal(refusal, refused.Refusal.ToString());
    }

    [Fact]
    public async Task Pin_ServesTheVersionWhileLearningGoesOn_AndPublishesNothing()
    {
        await using Running run = await Running.Start(_directory, 330);
        await Eventually.True(() => PublishedLog.LastVersion(_directory["out/snapshots.ndjson"]) == 10, "version 10 is published");
        OrderOutcome pinned = await run.Order(operations => operations.PinAsync(8));
        Assert.Equal(8, pinned.PinnedVersion);
        run.Source.Give(96);
        await Eventually.True(() => run.Pipeline.Feed.Latest?.Version == 13, "version 13");
        await run.Order(operations => operations.CheckpointAsync());

        Assert.Equal(8, run.Pipeline.Feed.Served!.Version);
        await run.Order(operations => operations.UnpinAsync());
        Assert.Equal(13, run.Pipeline.Feed.Served!.Version);
        await Eventually.True(() => PublishedLog.LastVersion(_directory["out/snapshots.ndjson"]) == 13, "the newest is published");
        Assert.Equal([9, 10, 13], PublishedLog.Versions(_directory["out/snapshots.ndjson"]).TakeLast(3));
    }

    [Fact]
    public async Task Pinned_Killed_ServesTheVersionWhenItStartsAgain()
    {
        using var killed = new TemporaryDirectory();
        string content;
        await using (Running run = await Running.Start(_directory, 330))
        {
            await run.Order(operations => operations.PinAsync(8));
            run.Source.Give(96);
            await Eventually.True(() => run.Pipeline.Feed.Latest?.Version == 13, "version 13");
            await run.Order(operations => operations.CheckpointAsync());
            content = PublishedLog.ContentOf(run.Pipeline.Feed.Served!.Json);
            Copy(_directory, killed);
        }

        await using Running again = await Running.Start(killed, 426, waits: false, publish: killed["out/again.ndjson"]);
        await Eventually.True(() => again.Pipeline.Feed.Latest is not null, "the version of the checkpoint");
        await again.Order(operations => operations.CheckpointAsync());

        Assert.Equal(content, PublishedLog.ContentOf(again.Pipeline.Feed.Served!.Json));
        Assert.Empty(PublishedLog.Versions(killed["out/again.ndjson"]));
    }

    [Fact]
    public async Task Order_OfAModelThatHasEnded_IsRefused()
    {
        await using Running run = await Running.Start(_directory, 330);
        run.Pipeline.RequestStop();
        await Eventually.Within(run.Pipeline.Completion);

        OrderRefusedException refused = await Assert.ThrowsAsync<OrderRefusedException>(run.Pipeline.Operations.PauseAsync);
        Assert.Equal(OrderRefusal.Ended, refused.Refusal);
    }

    private static double[] ParametersOf(ModelPipeline pipeline, long version) => [.. pipeline.Find(version)!.Snapshot.Parameters];

    private static IReadOnlyList<string> ContentsAfter(ModelPipeline pipeline, long version) =>
        [.. pipeline.Feed.Versions.Where(document => document.Version > version).Select(document => PublishedLog.ContentOf(document.Json))];

    private static Checkpoint Newest(TemporaryDirectory directory) => new StateDirectory(directory["state"]).NewestOf("clouds")!;

    /// <summary>What a kill would leave.</summary>
    private static void Copy(TemporaryDirectory from, TemporaryDirectory to)
    {
        foreach (string file in Directory.GetFiles(from.Path, "*", SearchOption.AllDirectories))
        {
            string target = to[Path.GetRelativePath(from.Path, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    /// <summary>A pipeline over a source that gives records when the test says so.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private Running(ModelPipeline pipeline) => Pipeline = pipeline;

        public ModelPipeline Pipeline { get; }

        public GivenSource Source { get; private set; } = null!;

        public static async Task<Running> Start(
            TemporaryDirectory directory, int records, Func<ModelOptions, ModelOptions>? change = null, TimeProvider? time = null,
            bool waits = true, string? publish = null)
        {
            GivenSource? source = null;
            ModelOptions options = Pipelines.Model(directory) with
            {
                Checkpoint = new CheckpointOptions { EveryUpdates = 1_000_000, Keep = 8 },
            };
            if (publish is not null) options = options with { Publish = [new FilePublisherOptions { Path = publish }] };
            ModelPipeline pipeline = Pipelines.Create(
                directory, (change ?? (same => same))(options),
                position => source = new GivenSource(Pipelines.Clouds(1000), position, records), time);
            await pipeline.StartAsync(CancellationToken.None);
            var running = new Running(pipeline) { Source = source! };
            if (waits) await Eventually.True(() => pipeline.Metrics.Records == records, "all records are taken");
            return running;
        }

        public Task<OrderOutcome> Order(Func<ModelOperations, Task<OrderOutcome>> order) => Eventually.Within(order(Pipeline.Operations));

        public async ValueTask DisposeAsync()
        {
            Pipeline.RequestStop();
            await Eventually.Within(Pipeline.Completion);
            await Pipeline.DisposeAsync();
        }
    }
}
