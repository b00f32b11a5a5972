using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Files;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>Streams that bring few records: a model appears, and what it learns is kept, whatever the clock.</summary>
public sealed class SlowStreamTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private MemorySource? _source;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task InitializationMaxWait_Passes_TheModelStartsWithWhatThereIsAndRemembersIt()
    {
        await using (ModelPipeline pipeline = Start(Slow, 20))
        {
            await Begun(pipeline, 20);
            Assert.Null(pipeline.Feed.Latest);
            await Eventually.True(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                return pipeline.Feed.Latest?.Version == 1;
            }, "version 1");
            Assert.Equal(20, pipeline.Feed.Latest!.Snapshot.Training.Records);
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        Checkpoint kept = new StateDirectory(_directory["state"]).NewestOf("clouds")!;
        Assert.Equal((1L, 20L), (kept.Updates, kept.Records));
    }

    [Fact]
    public async Task InitializationMaxWait_PassesWithTooFewRecords_WaitsForMore()
    {
        await using ModelPipeline pipeline = Start(Slow, 5);
        await Begun(pipeline, 5);

        Assert.Equal(10, pipeline.Options.LeastRowsToStart);
        _time.Advance(TimeSpan.FromSeconds(100));
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);

        Assert.Null(pipeline.Feed.Latest);
    }

    [Fact]
    public async Task FilesThatEnd_AreNotCutByTheClock()
    {
        ModelOptions file = Slow with { Source = new FileSourceOptions { Path = ["x.csv"] } };
        await using ModelPipeline pipeline = Start(file, 20);
        await Begun(pipeline, 20);

        _time.Advance(TimeSpan.FromHours(1));
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);

        Assert.Null(pipeline.Feed.Latest);
    }

    [Fact]
    public async Task RequestCheckpoint_KeepsTheStateThoughNoneIsDue()
    {
        ModelOptions options = Slow with { Checkpoint = new CheckpointOptions { EveryUpdates = 1000, Every = TimeSpan.FromDays(1) } };
        await using ModelPipeline pipeline = Start(options, 3000);
        await Begun(pipeline, 3000);
        var state = new StateDirectory(_directory["state"]);
        Assert.True(state.NewestOf("clouds")!.Updates < 93, "A checkpoint was written before it was asked for.");

        pipeline.RequestCheckpoint();

        await Eventually.True(() => state.NewestOf("clouds")!.Updates == 93, "a checkpoint of version 93");
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
    }

    private ModelOptions Slow => Pipelines.Model(_directory) with
    {
        InitializationMaxWait = TimeSpan.FromSeconds(60),
        Checkpoint = new CheckpointOptions { Every = TimeSpan.FromDays(1) },
    };

    private ModelPipeline Start(ModelOptions options, int records) => Pipelines.Create(_directory, options,
        position => _source = new MemorySource(Pipelines.Clouds(records), position, endless: true), _time);

    private async Task Begun(ModelPipeline pipeline, int records)
    {
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(_source!.Drained);
        await Eventually.True(() => pipeline.Metrics.Records == records, "all records are taken");
    }
}
