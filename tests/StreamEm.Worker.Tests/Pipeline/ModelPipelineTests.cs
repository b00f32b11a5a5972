using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

public sealed class ModelPipelineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Drain_FiniteSource_PublishesEveryVersionAndFinishes()
    {
        PipelineEnd end = await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(330));

        Assert.Equal(new PipelineEnd(ModelState.Finished), end);
        // 330 = 10 minibatches of 32 and a last one of 10.
        Assert.Equal(Enumerable.Range(1, 11).Select(version => (long)version), PublishedLog.Versions(_directory["out/snapshots.ndjson"]));
        Assert.Equal(330,
            PublishedLog.Read(_directory["out/snapshots.ndjson"])[^1].GetProperty("training").GetProperty("records").GetInt64());
    }

    [Fact]
    public async Task Snapshot_Source_IsTheRecordAfterTheLastOneItsUpdateCouldUse()
    {
        await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(330));

        // Three minibatches of 32 are made once the buffer of 96 is full, then one per 32 records, the last at the end.
        Assert.Equal([96L, 96, 96, 128, 160, 192, 224, 256, 288, 320, 330],
            PublishedLog.Read(_directory["out/snapshots.ndjson"])
                .Select(line => line.GetProperty("source").GetProperty("memory").GetInt64()));
    }

    [Fact]
    public async Task Checkpoint_FirstVersion_IsWrittenAndPublishedAtOnceAndTheNextAfterItsTime()
    {
        var time = new FakeTimeProvider();
        ModelOptions options = Pipelines.Model(
            _directory) with
        { Checkpoint = new CheckpointOptions { EveryUpdates = 1000, Every = TimeSpan.FromSeconds(10) } };
        int Published() => PublishedLog.Versions(_directory["out/snapshots.ndjson"]).Count;
        ModelPipeline Pipeline(int records) =>
            Pipelines.Create(_directory, options, position => new MemorySource(Pipelines.Clouds(records), position, endless: true), time);

        await using (ModelPipeline first = Pipeline(330))
        {
            await first.StartAsync(CancellationToken.None);
            await Eventually.True(() => Published() == 10, "10 versions published although no time has passed");
            first.RequestStop();
            await Eventually.Within(first.Completion);
        }

        await using ModelPipeline second = Pipeline(650);
        await second.StartAsync(CancellationToken.None);
        await Eventually.True(() => second.Feed.Latest?.Version == 20, "version 20");
        Assert.Equal(10, Published());
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return Published() == 20;
        }, "20 versions published");
        second.RequestStop();
        await Eventually.Within(second.Completion);
    }

    [Fact]
    public async Task Drain_Again_MakesNoNewVersions()
    {
        await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(330));
        string before = await File.ReadAllTextAsync(_directory["out/snapshots.ndjson"]);
        PipelineEnd end = await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(330));

        Assert.Equal(ModelState.Finished, end.State);
        Assert.Equal(before, await File.ReadAllTextAsync(_directory["out/snapshots.ndjson"]));
    }

    [Fact]
    public async Task Publish_EveryFourth_HasTheLastVersionOfTheRunToo()
    {
        await Pipelines.Drain(_directory, Pipelines.Model(_directory, everyUpdates: 4), Pipelines.Clouds(330));

        Assert.Equal([4L, 8L, 11L], PublishedLog.Versions(_directory["out/snapshots.ndjson"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Stop_AnywhereAndStartAgain_EqualsNeverStopped(int seed)
    {
        IReadOnlyList<double[]?> items = Pipelines.Clouds(20_000, badEvery: 17, seed);
        using var whole = new TemporaryDirectory();
        await Pipelines.Drain(whole, Pipelines.Model(whole), items);

        var random = new Random(seed);
        int stops = 0;
        for (PipelineEnd? end = null; end?.State != ModelState.Finished; stops++)
        {
            await using ModelPipeline pipeline =
                Pipelines.Create(_directory, Pipelines.Model(_directory), position => new MemorySource(items, position));
            long stopAt = (pipeline.Feed.Latest?.Version ?? 0) + random.Next(200);
            int seen = 0;
            using IDisposable subscription = pipeline.Feed.Snapshots.Subscribe(new Observer(_ =>
            {
                if (++seen > stopAt) pipeline.RequestStop();
            }));
            await pipeline.StartAsync(CancellationToken.None);
            end = await Eventually.Within(pipeline.Completion);
            Assert.Null(end.Failure);
        }

        Assert.True(stops > 2, "The run was never stopped.");
        Assert.Equal(PublishedLog.Contents(whole["out/snapshots.ndjson"]), PublishedLog.Contents(_directory["out/snapshots.ndjson"]));
        Assert.Equal(await File.ReadAllTextAsync(whole["out/rejected.ndjson"]),
            await File.ReadAllTextAsync(_directory["out/rejected.ndjson"]));
    }

    [Fact]
    public async Task Rejected_TooMany_StopsWith65AndTheNumbers()
    {
        PipelineEnd end = await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(2000, badEvery: 4));

        Assert.Equal((ModelState.Failed, ExitCode.DataCorrupt), (end.State, end.Code));
        Assert.StartsWith(
            "147 of 589 records were rejected (not_a_number 147); the recent ratio is 0.2496, rejected.stop_above_ratio allows 0.2.",
            end.Failure);
        Assert.Equal(147, File.ReadAllLines(_directory["out/rejected.ndjson"]).Length);
    }

    [Fact]
    public async Task Rejected_TooManyOfAFewAtTheEnd_StopsWith65()
    {
        PipelineEnd end = await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(40, badEvery: 4));

        Assert.Equal(ExitCode.DataCorrupt, end.Code);
        Assert.StartsWith("10 of 40 records were rejected", end.Failure);
    }

    [Fact]
    public async Task Start_OtherConfiguration_IsRefusedWith78()
    {
        await Pipelines.Drain(_directory, Pipelines.Model(_directory), Pipelines.Clouds(330));
        ModelOptions changed = Pipelines.Model(_directory) with { ConfigHash = "sha256:other" };

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => Pipelines.Drain(_directory, changed, Pipelines.Clouds(330)));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.Contains("sha256:test", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("sha256:other", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SourceFailure.Missing, ExitCode.InputMissing)]
    [InlineData(SourceFailure.Changed, ExitCode.DataCorrupt)]
    [InlineData(SourceFailure.Io, ExitCode.InputOutput)]
    [InlineData(SourceFailure.Unavailable, ExitCode.Unavailable)]
    [InlineData(SourceFailure.Denied, ExitCode.Denied)]
    public async Task Source_Fails_KeepsWhatWasLearnedAndGivesItsExitCode(SourceFailure failure, int code)
    {
        IReadOnlyList<double[]?> items = Pipelines.Clouds(330);
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => new MemorySource(items, position) { FailAtEnd = new SourceException(failure, "gone") }))
        {
            await pipeline.StartAsync(CancellationToken.None);
            PipelineEnd end = await Eventually.Within(pipeline.Completion);
            Assert.Equal((ModelState.Failed, code, "gone"), (end.State, end.Code, end.Failure));
        }

        Assert.Equal(10, PublishedLog.Versions(_directory["out/snapshots.ndjson"])[^1]);
        await Pipelines.Drain(_directory, Pipelines.Model(_directory), items);
        Assert.Equal(11, PublishedLog.Versions(_directory["out/snapshots.ndjson"])[^1]);
    }

    [Fact]
    public async Task MaxWait_PassesWithPartOfAMinibatch_CutsItAndPublishesTheVersion()
    {
        var time = new FakeTimeProvider();
        ModelOptions options = Pipelines.Model(_directory) with
        {
            MinibatchMaxWait = TimeSpan.FromSeconds(5),
            Checkpoint = new CheckpointOptions { Every = TimeSpan.FromHours(1) }
        };
        MemorySource? source = null;
        await using ModelPipeline pipeline = Pipelines.Create(
            _directory, options, position => source = new MemorySource(Pipelines.Clouds(100), position, endless: true), time);
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(source!.Drained);
        await Eventually.True(() => pipeline.Metrics.Pending == 4, "4 records pending");

        // The cut comes with the clock and not before.
        await Eventually.True(() => pipeline.Feed.Latest?.Version == 3, "version 3");
        Assert.Equal(4, pipeline.Metrics.Pending);
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return pipeline.Feed.Latest?.Version == 4;
        }, "version 4");
        Assert.Equal(0, pipeline.Metrics.Pending);
        await Eventually.True(() => PublishedLog.Versions(_directory["out/snapshots.ndjson"]).SequenceEqual([1L, 2L, 3L, 4L]),
            "versions 1 to 4 published");
        pipeline.RequestStop();
        Assert.Equal(ModelState.Stopped, (await Eventually.Within(pipeline.Completion)).State);
    }

    [Fact]
    public async Task Stop_NotReplayableSource_LearnsWhatWasReadBeforeItEnds()
    {
        MemorySource? source = null;
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Pipelines.Model(_directory),
            position => source = new MemorySource(Pipelines.Clouds(4000), position, isReplayable: false, endless: true)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(source!.Drained);
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        Assert.Equal(4000 / 32, PublishedLog.Versions(_directory["out/snapshots.ndjson"])[^1]);
    }

    private sealed class Observer(Action<SnapshotDocument> next) : IObserver<SnapshotDocument>
    {
        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(SnapshotDocument value) => next(value);
    }
}
