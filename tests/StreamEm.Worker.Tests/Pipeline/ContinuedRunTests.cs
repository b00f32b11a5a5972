using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Api;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>Runs that go on from what another run learned.</summary>
public sealed class ContinuedRunTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new(), _other = new();

    public void Dispose()
    {
        _directory.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task FromAPublishedLog_ShowsAndPublishesItsLastVersionAtOnceAndGoesOn()
    {
        await Pipelines.Drain(_other, Pipelines.Model(_other), Pipelines.Clouds(330));

        await GoesOn(_other["out/snapshots.ndjson"], version: 11);
    }

    [Fact]
    public async Task FromAnotherWorker_GoesOnTheSame()
    {
        await using ApiFixture worker = await ApiFixture.Start();

        await GoesOn($"{worker.Client.BaseAddress}v1/models/clouds", version: 10);
        // The address alone means the model of the same id.
        Directory.Delete(_directory["state"], recursive: true);
        File.Delete(_directory["out/snapshots.ndjson"]);
        await GoesOn($"{worker.Client.BaseAddress}", version: 10);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/v1/models/clouds", ExitCode.Unavailable)]
    [InlineData("/no/such/snapshot.json", ExitCode.InputMissing)]
    public async Task FromWhatIsNotThere_IsRefused(string from, int code)
    {
        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() =>
            Pipelines.Drain(_directory, Pipelines.Model(_directory) with { InitializeFrom = from }, Pipelines.Clouds(330)));

        Assert.Equal(code, refusal.ExitCode);
        Assert.Contains("learning.initialization.from", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FromAModelThatIsNotThere_Is66()
    {
        await using ApiFixture worker = await ApiFixture.Start();
        ModelOptions options = Pipelines.Model(_directory) with { InitializeFrom = $"{worker.Client.BaseAddress}v1/models/rain" };

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => Pipelines.Drain(_directory, options, Pipelines.Clouds(330)));

        Assert.Equal(ExitCode.InputMissing, refusal.ExitCode);
        Assert.Contains("answered 404", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FromASnapshotOfAnotherShape_Is65WithASentence()
    {
        await Pipelines.Drain(_other, Pipelines.Model(_other), Pipelines.Clouds(330));
        ModelOptions options = Pipelines.Model(_directory) with
        {
            InitializeFrom = _other["out/snapshots.ndjson"],
            Schema = new() { Features = ["x", "y", "z"] },
        };

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Pipelines.Drain(_directory, options, []));

        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.Contains("does not fit model 'clouds'", refusal.Message, StringComparison.Ordinal);
    }

    private async Task GoesOn(string from, long version)
    {
        ModelOptions options = Pipelines.Model(_directory) with { InitializeFrom = from };
        await using ModelPipeline pipeline =
            Pipelines.Create(_directory, options, position => new MemorySource(Pipelines.Clouds(320, seed: 2), position));
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(pipeline.Completion);

        IReadOnlyList<SnapshotDocument> shown = pipeline.Feed.Versions;
        Assert.Equal(version, shown[0].Version);
        Assert.NotNull(shown[0].Snapshot.Calibration);
        Assert.Equal(version + 10, shown[^1].Version);
        Assert.Single(shown.Select(document => document.Snapshot.RunId).Distinct());
        // Ten updates of a model that knows 330 records, and not ten first ones: gamma as of the version before.
        Assert.Equal(Math.Pow(version + 2, -0.7), shown[1].Snapshot.Training.LastStepSize, 1e-2);
        Assert.Equal(shown.Select(document => document.Version), PublishedLog.Versions(_directory["out/snapshots.ndjson"]));
    }
}
