using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.ScaleOut;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A statistics topic that ends before where the model has read: it was created again, or brokers have lost its end.</summary>
public sealed class StatisticsLostTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 1600;

    private readonly TemporaryDirectory _directory = new();
    private readonly ListLogger _log = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task Worker_WhoseStatisticsTopicWasCreatedAgain_CountsEveryRecordOnce(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        ModelOptions model = Assert.Single(ConfigFile.OptionsOf(ScaleOutFleet.Clouds(broker, topic, "6s", transactions)).Models);
        ClusteredRows.Produce(broker, topic, part: 0, Rows);
        Checkpoint before = await Run(model, Rows);
        await broker.Admin.DeleteTopicsAsync([$"{topic}-statistics"]);
        // Fewer messages than before, so that no offset is ever as high as it was.
        ClusteredRows.Produce(broker, topic, part: 1, Rows / 2);

        Checkpoint end = await Run(model, Rows + Rows / 2);

        Assert.Equal((before.RunId, 1), (end.RunId, end.StatisticsCuts));
        Assert.True(end.StatisticsNext < before.StatisticsNext);
        Assert.Equal(Rows + Rows / 2, end.Rejections.Read);
        Assert.Equal(ClusteredRows.Malformed(Rows) + ClusteredRows.Malformed(Rows / 2), end.Rejections.ByReason.Sum());
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal((Rows + Rows / 2) / Partitions, place.Next));
        Assert.Single(_log.Events, name => name == "statistics_lost");
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=clouds", "--statistics", $"{topic}-statistics");
        Assert.NotEqual(0, audit.ExitCode);
        Assert.Contains("created again 1 time(s)", audit.Output + audit.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoFolds_WhileTheTopicIsCreatedAgain_FoldsWhatIsInItThen()
    {
        const int Few = 6;
        var cluster = new SimulatedCluster(seed: 3);
        cluster.Run();
        await using LoneReducer reducer = await LoneReducer.PrepareAsync(broker);
        reducer.Write(cluster.First);
        reducer.Write(cluster.Log.Take(Few));
        reducer.Start();
        await reducer.Until(state => state.StatisticsNext == Few, "statistics that are folded");

        await broker.Admin.DeleteTopicsAsync([reducer.Topics.Statistics.Topic]);
        await Eventually.Succeeds<Exception>(() => Task.Run(() => reducer.Topics.Prepare(default)), "a topic of the same name");

        Checkpoint cut = await reducer.Until(state => state.StatisticsCuts == 1, "a state over the new topic");
        Assert.Equal(0, cut.StatisticsNext);
        reducer.Write(cluster.Log.Skip(Few).Take(Few));
        await reducer.Until(state => state.StatisticsNext == Few, "statistics that are folded");
    }

    /// <summary>Nobody had folded it, so that nobody but who sent it can miss it.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public async Task AMessage_BehindTheEndOfTheLog_IsLost(long offset, bool isLost)
    {
        await using LoneReducer topics = await LoneReducer.PrepareAsync(broker);
        topics.Write(Enumerable.Repeat<byte[]>([1], 3));
        var inFlight = new InFlight(most: 2);
        var time = new LaterTime();
        using var tail = new LostTail(topics.Topics, inFlight, time);
        Assert.False(tail.Look());
        time.Pass(LostTail.Patience);
        // Nothing is under way, or not in the log yet.
        Action<long> written = inFlight.Add(new RecordRange("a/0", 0, 10));
        Assert.False(tail.Look());
        Assert.False(tail.IsAsking);

        written(offset);
        time.Pass(LostTail.Patience);
        tail.Look();
        Assert.True(tail.IsAsking);
        bool found = false;
        await Eventually.True(() => (found = tail.Look()) || !tail.IsAsking, "an answer");

        Assert.Equal(isLost, found);
    }

    private Task<Checkpoint> Run(ModelOptions model, int records) => OneWorker.RunAsync(
        model, _directory["state"], records, new ModelMetrics(model.Id), _log, writer => writer);
}
