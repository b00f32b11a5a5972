using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A run that goes on from what a topic holds: <c>initialization.from: kafka://</c>.</summary>
public sealed class FromTopicTests(KafkaBroker broker) : IDisposable
{
    private readonly TemporaryDirectory _directory = new(), _other = new();

    public void Dispose()
    {
        _directory.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("?model=clouds")]
    public async Task FromATopic_ShowsItsNewestVersionAtOnceAndGoesOn(string query)
    {
        string topic = await Published();
        await using ModelPipeline pipeline = Pipelines.Create(_directory,
            Pipelines.Model(_directory) with { InitializeFrom = $"kafka://{broker.Address}/{topic}{query}" },
            position => new MemorySource(Pipelines.Clouds(64, seed: 2), position));
        await pipeline.StartAsync(CancellationToken.None);
        SnapshotDocument? shown = await Eventually.Within(pipeline.Feed.Snapshots.WaitForAsync(_ => true, CancellationToken.None));

        Assert.Null((await Eventually.Within(pipeline.Completion)).Failure);
        Assert.True(shown!.Version >= 11, $"version {shown.Version}");
        Assert.Equal(13, pipeline.Feed.Latest!.Version);
        Assert.Equal(330 + 64, pipeline.Feed.Latest.Snapshot.Training.Records);
    }

    [Fact]
    public async Task FromATopicWithoutTheModel_Is66AndNamesThoseThatAreThere()
    {
        string topic = await Published();
        ModelOptions options = Pipelines.Model(_directory) with { InitializeFrom = $"kafka://{broker.Address}/{topic}?model=rain" };

        CommandException refusal =
            await Assert.ThrowsAsync<CommandException>(() => Pipelines.Drain(_directory, options, Pipelines.Clouds(64)));

        Assert.Equal(ExitCode.InputMissing, refusal.ExitCode);
        Assert.Contains("it holds clouds", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>A topic with the versions that 330 records give, the newest last.</summary>
    private async Task<string> Published()
    {
        broker.NeedsRealBroker("answers no question of a topic's offsets");
        await Pipelines.Drain(_other, Pipelines.Model(_other), Pipelines.Clouds(330));
        string topic = await broker.CreateTopicAsync(1);
        broker.Produce(topic, 0, [.. (await File.ReadAllLinesAsync(_other["out/snapshots.ndjson"])).Select(line =>
            new Message<byte[]?, byte[]?> { Key = "clouds"u8.ToArray(), Value = Encoding.UTF8.GetBytes(line) })]);
        return topic;
    }
}
