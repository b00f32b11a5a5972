using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>What of a configuration may change under a state that is there.</summary>
public sealed class BoundStateTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("learning.step_size.kappa=0.6", "learning.step_size.kappa: 0.7 -> 0.6")]
    [InlineData("learning.minibatch.size=64", "learning.minibatch.size: 32 -> 64")]
    [InlineData("learning.recursion=parameters", "learning.recursion: statistics -> parameters")]
    [InlineData("learning.anomaly_half_life=1000", "learning.anomaly_half_life: null -> 1000")]
    [InlineData("learning.dead_components=keep", "learning.dead_components: reseed -> keep")]
    [InlineData("model.reg_covar=1e-5", "model.reg_covar: 1E-06 -> 1E-05")]
    [InlineData("checkpoint.every_updates=9", "checkpoint.every_updates: 50 -> 9")]
    [InlineData("rejected.stop_above_ratio=1", "rejected.stop_above_ratio: 0.05 -> 1")]
    [InlineData("source={stdin: {format: csv}}", "source.stdin.format: ndjson -> csv")]
    [InlineData("timestamp=ts", "timestamp: null -> ts")]
    [InlineData("key=k", "key: null -> k")]
    [InlineData("missing=reject", "missing: allow -> reject")]
    public async Task AfterTheFirstVersion_WhatDoesNotShapeTheParameters_ChangesFreelyAndIsRecorded(string change, string told)
    {
        Checkpoint before = await Run(330);

        Checkpoint after = await Run(660, change);

        Assert.Equal(before.RunId, after.RunId);
        Assert.Equal(660, after.Records);
        Assert.Contains(after.History!, item => item.Text == told && item.Version == before.Updates);
        Assert.Equal(Options(change).ConfigHash, after.ConfigHash);
    }

    [Fact]
    public async Task AfterTheFirstVersion_HowTheFirstParametersAreFound_HasNoEffect()
    {
        await Run(330);

        Checkpoint after = await Run(660, "learning.initialization.seed=7", "learning.initialization.n_init=2");

        Assert.Equal(660, after.Records);
        Assert.Null(after.History);
    }

    [Fact]
    public async Task AfterTheFirstVersion_WhatShapesThem_IsRefusedWithEveryKeyAndBothValues()
    {
        Checkpoint before = await Run(330);

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Run(660,
            "features=[pressure, temperature]", "model.covariance_type=diag", "model.components=3", "learning.standardize=false",
            "learning.step_size.kappa=0.6"));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.StartsWith(
            $"""
            The state of model 'boiler' (version {before.Updates}, 330 records) was learned with another configuration:
              features: [temperature, pressure] -> [pressure, temperature]
              learning.standardize: true -> false
              model.components: 2 -> 3
              model.covariance_type: full -> diag

            """.ReplaceLineEndings("\n"), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("streamem state reset boiler", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("kappa", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model={type: bernoulli_mixture, components: 2}", "model.type: gaussian_mixture -> bernoulli_mixture")]
    [InlineData("model.covariance_type=tied", "model.covariance_type: full -> tied")]
    [InlineData("where=temperature > 0", "where: null -> temperature > 0")]
    public async Task AfterTheFirstVersion_AnotherModel_IsRefusedWhateverIsAccepted(string change, string told)
    {
        await Run(330);

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => Run(660, acceptsModelChange: true, isReplayable: true, change));

        Assert.Contains($"  {told}\n", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StateOfAReleaseWithoutFilters_IsOfAllRecords()
    {
        ModelOptions options = Options();
        options = options with { Values = options.Values.Where(value => value.Key != "where").ToDictionary() };
        await using (ModelPipeline pipeline =
            Pipelines.Create(_directory, options, position => new MemorySource(Counts(330), position, isReplayable: true)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(pipeline.Completion);
        }

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Run(660, "where=pressure > 0"));

        Assert.Contains("  where: null -> pressure > 0\n", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(660, (await Run(660)).Records);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Components_MoreOrFewer_GoOnWhenAccepted(int components)
    {
        Checkpoint before = await Run(330);
        string change = $"model.components={components}";
        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Run(660, change));
        Assert.Contains("--accept-model-change", refusal.Message, StringComparison.Ordinal);

        Checkpoint after = await Run(660, acceptsModelChange: true, isReplayable: true, change);

        Assert.Equal((before.RunId, 660L), (after.RunId, after.Records));
        Assert.Equal(components, after.Latest!.Snapshot.ComponentIds.Count);
        Assert.Contains(after.History!, item => item.Text == $"model.components: 2 -> {components}");
        if (components == 4) Assert.Equal(["c0", "c1", "c2", "c3"], after.Latest.Snapshot.ComponentIds);
        // The state of the changed model is gone on with like any other.
        Assert.Equal(990, (await Run(990, change)).Records);
    }

    [Theory]
    [InlineData("model.components=3")]
    [InlineData("model={type: poisson_mixture, components: 2}")]
    [InlineData("features=[pressure, temperature]")]
    [InlineData("learning.initialization.buffer=40")]
    [InlineData("learning.recursion=parameters")]
    [InlineData("missing=reject")]
    [InlineData("source={stdin: {format: csv}}")]
    public async Task BeforeTheFirstVersion_Anything_ChangesAndEveryRecordIsLearnedOnce(string change)
    {
        await StopWhileWarmingUp(50);

        Checkpoint after = await Run(330, change);

        Assert.Equal(330, after.Records);
    }

    /// <summary>A first run that failed on bad data, which are then mended: in place, or by writing a new file over the old one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BeforeTheFirstVersion_CorrectedData_AreReadFromTheStart(bool isInPlace)
    {
        string data = _directory["data.csv"];
        File.WriteAllLines(data, ["temperature,pressure", .. Enumerable.Range(0, 400).Select(i => i < 300 ? $"{i},{i}" : $"{i},oops")]);
        PipelineEnd failed = await RunOnFile(data);
        Assert.Equal(ExitCode.DataCorrupt, failed.Code);
        Assert.True(Newest() is { Updates: 0 } kept && kept.Position.Partitions.Count > 0);
        string[] mended = ["temperature,pressure", .. Enumerable.Range(0, 400).Select(i => $"{1000 - i},{i}")];
        if (!isInPlace) File.Delete(data);
        File.WriteAllLines(data, mended);

        PipelineEnd end = await RunOnFile(data);

        Assert.Null(end.Failure);
        Assert.Equal((400, 400), (Newest().Records, Newest().Rejections.Read));
    }

    [Fact]
    public async Task BeforeTheFirstVersion_OfASourceThatCannotBeReadAgain_WhatIsBufferedIsKept()
    {
        await StopWhileWarmingUp(50, isReplayable: false);

        Checkpoint after =
            await Run(330, acceptsModelChange: false, isReplayable: false, "model.components=3", "learning.minibatch.size=16");

        Assert.Equal(330, after.Records);
        Assert.Equal(3, after.Latest!.Snapshot.ComponentIds.Count);
    }

    private async Task StopWhileWarmingUp(int records, bool isReplayable = true)
    {
        MemorySource? source = null;
        await using ModelPipeline pipeline = Pipelines.Create(_directory, Options(),
            position => source = new MemorySource(Counts(records), position, isReplayable, endless: true));
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(source!.Drained);
        await Eventually.True(() => pipeline.Metrics.Pending == records, "the records are buffered");
        pipeline.RequestStop();
        Assert.Equal(ModelState.Stopped, (await Eventually.Within(pipeline.Completion)).State);
        Assert.Equal(0, Newest().Updates);
    }

    private Task<Checkpoint> Run(int records, params string[] changes) =>
        Run(records, acceptsModelChange: false, isReplayable: true, changes);

    /// <summary>Learns what is new of so many records and returns the last checkpoint.</summary>
    private async Task<Checkpoint> Run(int records, bool acceptsModelChange, bool isReplayable, params string[] changes)
    {
        await using ModelPipeline pipeline = Pipelines.Create(_directory, Options(changes),
            position => new MemorySource(Counts(records), position, isReplayable), acceptsModelChange: acceptsModelChange);
        await pipeline.StartAsync(CancellationToken.None);
        PipelineEnd end = await Eventually.Within(pipeline.Completion);
        Assert.Null(end.Failure);
        return Newest();
    }

    private async Task<PipelineEnd> RunOnFile(string path)
    {
        ModelOptions options = Options($"source={{file: {{path: [{path}], format: csv}}}}", "learning.initialization.buffer=350");
        await using ModelPipeline pipeline = Pipelines.Create(_directory, options, position => SourceCatalog.Create(
            options.Source, new SourceContext(options.Schema, position, TimeProvider.System)));
        await pipeline.StartAsync(CancellationToken.None);
        return await Eventually.Within(pipeline.Completion);
    }

    private Checkpoint Newest() => new StateDirectory(_directory["state"]).NewestOf("boiler")!;

    /// <summary>The clouds as counts, which every family takes.</summary>
    private static double[]?[] Counts(int records) =>
        [.. Pipelines.Clouds(records).Select(row => row?.Select(value => Math.Round(Math.Abs(value))).ToArray())];

    private static ModelOptions Options(params string[] changes) => ConfigFile.ModelWith([
        "models.0.model.components=2",
        "models.0.learning={learn: always, minibatch: {size: 32, max_wait: null}, initialization: {buffer: 96, n_init: 1, max_wait: null}}",
        .. changes.Select(change => $"models.0.{change}")]);
}
