using StreamEm.Core.Alarms;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Scores;

/// <summary>A sensor that breaks is reported to the end, also by a worker that was killed in the midst of it.</summary>
public sealed class ThreeSensorsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(8_950)]
    [InlineData(9_020)]
    [InlineData(12_345)]
    public async Task Broken_ReportedToTheEnd_AlsoAfterAKill(int end)
    {
        IReadOnlyList<double[]?> readings = ThreeSensors.Draw(seed: 1);
        await using (ModelPipeline pipeline = Pipelines.Create(
            _directory, Options(), position => new MemorySource([.. readings.Take(end)], position, endless: true)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.True(() => pipeline.Metrics.Records == end, "all is taken");
            KilledState.Copy(_directory["state"], _directory["kept"]);
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        KilledState.PutBack(_directory["kept"], _directory["state"]);
        PipelineEnd ended = await Pipelines.Drain(_directory, Options(), readings);

        Assert.True(ended.State == ModelState.Finished, ended.Failure);
        ThreeSensors.AssertReported(File.ReadLines(_directory["out/scores.ndjson"]));
    }

    private ModelOptions Options()
    {
        ModelOptions options = Pipelines.Model(_directory) with
        {
            Scores = [new FileScoreOptions { Path = _directory["out/scores.ndjson"] }],
            Alarms = new AlarmOptions(),
            Publish = [],
            Checkpoint = new CheckpointOptions { EveryUpdates = 50 },
        };
        return options with { Model = (MixtureOptions)options.Model with { Growing = new GrowthOptions(), Components = 32 } };
    }
}
