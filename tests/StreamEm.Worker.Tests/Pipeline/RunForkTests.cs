using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>A run id and a version name the same bytes for ever, also where a worker was killed and the configuration changed.</summary>
public sealed class RunForkTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private string _source = "source={file: {path: [data.csv], follow: true}}";

    public void Dispose() => _directory.Dispose();

    /// <summary>Of what cannot be read again nothing was shown that the checkpoint does not hold.</summary>
    [Fact]
    public async Task KilledAndChanged_ASourceThatCannotBeReadAgain_GoesOnAsTheSameRun()
    {
        _source = "source={stdin: {}}";
        Checkpoint before = await Kill(330);

        (Checkpoint after, _) = await Run(_directory["killed"], 660, "learning.step_size.kappa=0.6");

        Assert.Equal(before.RunId, after.RunId);
        Assert.Equal(660, after.Records);
    }

    [Theory]
    [InlineData("learning.step_size.kappa=0.6", true)]
    [InlineData("source={stdin: {format: csv}}", true)]
    [InlineData("checkpoint.keep=5", false)]
    [InlineData("rejected.stop_above_ratio=1", false)]
    [InlineData("learning.initialization.seed=9", false)]
    [InlineData(null, false)]
    public async Task KilledAndChanged_WhatIsLearnedOtherwise_IsOfANewRun(string? change, bool isNewRun)
    {
        Checkpoint before = await Kill(330);

        (Checkpoint after, SnapshotDocument shown) = await Run(_directory["killed"], 660, change);

        Assert.Equal(isNewRun, after.RunId != before.RunId);
        Assert.Equal(isNewRun ? [before.RunId] : null, after.Predecessors);
        Assert.Equal((after.RunId, before.Updates), (shown.Snapshot.RunId, shown.Version));
        Assert.Equal(isNewRun, after.History?.Any(item => item.Text.StartsWith("run ", StringComparison.Ordinal)) ?? false);
        Assert.Equal(660, after.Records);
    }

    [Fact]
    public async Task StoppedAndChanged_GoesOnAsTheSameRun()
    {
        (Checkpoint before, _) = await Run(_directory["state"], 330, change: null);

        (Checkpoint after, _) = await Run(_directory["state"], 660, "learning.step_size.kappa=0.6");

        Assert.Equal(before.RunId, after.RunId);
    }

    [Fact]
    public async Task KilledAfterAnOrderlyStop_IsNotTakenForStopped()
    {
        await Run(_directory["state"], 330, change: null);
        Checkpoint before = await Kill(330);
        Assert.False(before.IsFinal);
    }

    [Fact]
    public async Task Starts_OfARun_AreNumberedAndKnowTheOneBefore()
    {
        (Checkpoint first, _) = await Run(_directory["state"], 330, change: null);
        RunClaim? claim = null;
        await using ModelPipeline second = Create(_directory["state"], 330, change: null, isEndless: false, told => claim = told);
        await second.StartAsync(CancellationToken.None);
        await Eventually.Within(second.Completion);

        Assert.Equal((first.RunId, first.Incarnation), (claim!.RunId, claim.KnownIncarnation));
        Assert.True(claim.Incarnation > first.Incarnation);
        Assert.Equal(claim.Incarnation, Newest(_directory["state"]).Incarnation);
    }

    [Fact]
    public async Task TakeOver_OfARun_IsKeptInTheState()
    {
        const string other = "0199c8a4-7d1e-7f00-8000-4f2a6c1b9e55";
        string publish = $"publish=[{{kafka: {{brokers: [\"localhost:9092\"], topic: models, take_over: {other}}}}}]";

        (Checkpoint first, _) = await Run(_directory["state"], 330, publish);
        (Checkpoint second, _) = await Run(_directory["state"], 330, change: null);

        Assert.Equal([other], first.Predecessors);
        Assert.Equal([other], second.Predecessors);
    }

    [Fact]
    public async Task TakeOver_OfTheRunItself_GoesOnWhateverTheTopicHolds()
    {
        (Checkpoint first, _) = await Run(_directory["state"], 330, change: null);
        string publish = $"publish=[{{kafka: {{brokers: [\"localhost:9092\"], topic: models, take_over: {first.RunId}}}}}]";
        RunClaim? claim = null;
        await using ModelPipeline second = Create(_directory["state"], 330, publish, isEndless: false, told => claim = told);
        await second.StartAsync(CancellationToken.None);
        await Eventually.Within(second.Completion);

        Assert.Equal(long.MaxValue, claim!.KnownIncarnation);
        Assert.Empty(claim.Predecessors);
    }

    /// <summary>Learns, and takes the state as a kill would leave it to the folder "killed".</summary>
    private async Task<Checkpoint> Kill(int records)
    {
        await using ModelPipeline pipeline = Create(_directory["state"], records, change: null, isEndless: true);
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.True(() => pipeline.Metrics.Records == records, "the records are learned from");
        pipeline.RequestCheckpoint();
        await Eventually.True(() => Newest(_directory["state"]) is { IsFinal: false } newest
            && newest.Position.Partitions.Values.FirstOrDefault()?.Next >= records, "a checkpoint of all of them");
        Directory.CreateDirectory(_directory["killed/boiler"]);
        foreach (string file in Directory.GetFiles(_directory["state/boiler"], "*.sem"))
            File.Copy(file, _directory[$"killed/boiler/{Path.GetFileName(file)}"]);
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
        return Newest(_directory["killed"]);
    }

    private async Task<(Checkpoint After, SnapshotDocument Shown)> Run(string state, int records, string? change)
    {
        await using ModelPipeline pipeline = Create(state, records, change, isEndless: false);
        SnapshotDocument? shown = null;
        using IDisposable watching = pipeline.Feed.Snapshots.Subscribe(new First(document => shown ??= document));
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Null((await Eventually.Within(pipeline.Completion)).Failure);
        return (Newest(state), shown!);
    }

    private ModelPipeline Create(
        string state, int records, string? change, bool isEndless, Action<RunClaim>? opened = null)
    {
        string[] changes = change is null ? [] : [change];
        if (opened is not null && !changes.Any(text => text.StartsWith("publish", StringComparison.Ordinal)))
            changes = [.. changes, "publish=[{kafka: {brokers: [\"localhost:9092\"], topic: models}}]"];
        ModelOptions options = ConfigFile.ModelWith([
            $"models.0.{_source}",
            "models.0.model.components=2",
            "models.0.learning={learn: always, minibatch: {size: 32, max_wait: null}, "
                + "initialization: {buffer: 96, n_init: 1, max_wait: null}}",
            .. changes.Select(text => $"models.0.{text}")]);
        return Pipelines.Create(state, options, position => new MemorySource(Pipelines.Clouds(records), position, endless: isEndless),
            publisher: _ => new Silent(opened ?? (_ => { })));
    }

    private static Checkpoint Newest(string state) => new StateDirectory(state).NewestOf("boiler")!;

    private sealed class First(Action<SnapshotDocument> take) : IObserver<SnapshotDocument>
    {
        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void OnNext(SnapshotDocument value) => take(value);
    }

    /// <summary>A publisher that tells which run it was opened for.</summary>
    private sealed class Silent(Action<RunClaim> opened) : SnapshotPublisher
    {
        public override string Name => "silent";

        public override int EveryUpdates => 1;

        public override Task<long> OpenAsync(RunClaim claim, DateTimeOffset? since, CancellationToken cancellationToken)
        {
            opened(claim);
            return Task.FromResult(0L);
        }

        public override Task PublishAsync(IReadOnlyList<OutboxEntry> snapshots, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
