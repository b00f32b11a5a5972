using StreamEm.Core.Features;
using StreamEm.Sources.Mqtt;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Mqtt;

/// <summary>What the broker may forget, what it sends again, and what a record has from its topic.</summary>
public sealed class MqttSourceTests(MqttBroker broker) : IClassFixture<MqttBroker>
{
    private static readonly RecordSchema Schema = new() { Features = ["x"] };

    private readonly string _name = MqttBroker.NewName();

    [Theory]
    [InlineData("mqtt.topic", "NAME/hall/7/temperature")]
    [InlineData("mqtt.topic.1", "hall")]
    [InlineData("mqtt.topic.2", "7")]
    [InlineData("mqtt.topic.9", null)]
    public async Task Key_FromTheTopic_IsTheWholeOrALevelOfIt(string key, string? expected)
    {
        await using MqttSource source = Open(topic: "+/+/temperature", schema: Schema with { Key = key });
        await broker.Subscribe(_name, $"{_name}/+/+/temperature");
        await broker.Publish($"{_name}/hall/7/temperature", ["{\"x\": 1}"]);
        await broker.Publish($"{_name}/hall/7/humidity", ["{\"x\": 2}"]);
        await broker.Publish($"{_name}/hall/8/temperature", ["{\"x\": 3}"]);

        IReadOnlyList<(double X, string? Key)> records = await Read(source, 2);

        Assert.Equal([1, 3], records.Select(record => record.X));
        Assert.Equal(expected?.Replace("NAME", _name, StringComparison.Ordinal), records[0].Key);
    }

    [Fact]
    public async Task Messages_ThatNoCheckpointHolds_AreSentAgain()
    {
        await broker.Subscribe(_name, $"{_name}/a");
        await broker.Publish($"{_name}/a", ["{\"x\": 1}", "{\"x\": 2}", "{\"x\": 3}"]);
        await using (MqttSource first = Open())
        {
            Assert.Equal([1, 2, 3], (await Read(first, 3)).Select(record => record.X));
            first.Acknowledge(At(1));
            await Eventually.True(() => first.Unacknowledged == 2, "the first to be acknowledged");
            // What was sent before the goodbye has arrived before it.
        }

        await using MqttSource again = Open(At(1));
        Assert.Equal([2, 3], (await Read(again, 2)).Select(record => record.X));
    }

    [Fact]
    public async Task AwaitsAcknowledgement_OnceMessagesAreHeldBack_UntilACheckpointHoldsThem()
    {
        await broker.Subscribe(_name, $"{_name}/a");
        await broker.Publish($"{_name}/a", Enumerable.Range(0, 60).Select(x => $"{{\"x\": {x}}}"));
        await using MqttSource source = Open();
        var seen = new List<double>();
        while (seen.Count < 60)
        {
            seen.AddRange((await Read(source, 1)).Select(record => record.X));
            // As the worker does: where the broker waits, a checkpoint is written.
            if (source.AwaitsAcknowledgement) source.Acknowledge(At(seen.Count));
        }

        Assert.Equal(Enumerable.Range(0, 60).Select(x => (double)x), seen);
        source.Acknowledge(At(60));
        Assert.False(source.AwaitsAcknowledgement);
    }

    [Fact]
    public async Task BrokerStoppedAndStarted_WhileMessagesAreUnacknowledged_GivesNoneTwiceAndLosesNone()
    {
        Assert.SkipUnless(broker.IsReal, MqttBroker.Missing);
        await using var own = new MqttBroker();
        await own.InitializeAsync();
        await own.Subscribe(_name, $"{_name}/a");
        await own.Publish($"{_name}/a", Enumerable.Range(0, 10).Select(x => $"{{\"x\": {x}}}"));
        await using MqttSource source = Open(server: own.Address);
        List<double> seen = [.. (await Read(source, 10)).Select(record => record.X)];

        await own.StopAsync();
        await Eventually.True(() => source.Problem is not null, "the source to notice");
        await own.StartAsync();
        await own.Publish($"{_name}/a", Enumerable.Range(10, 5).Select(x => $"{{\"x\": {x}}}"));
        seen.AddRange((await Read(source, 5)).Select(record => record.X));

        Assert.Equal(Enumerable.Range(0, 15).Select(x => (double)x), seen);
        // The broker hands over what it kept as soon as it is reached, before it says that the subscription stands.
        await Eventually.True(() => source.Problem is null, "the source to say that all is well");
    }

    [Fact]
    public async Task Retained_Message_IsNoEventOfTheStream()
    {
        await broker.Publish($"{_name}/a", ["{\"x\": 1}"], isRetained: true);
        await using MqttSource source = Open(once: true);

        Assert.Empty(await ReadRecord.AllAsync(source, dimension: 1));
        await broker.Publish($"{_name}/a", [""], isRetained: true);
    }

    [Fact]
    public async Task Broker_OutOfReachForTooLong_EndsTheSource()
    {
        var time = new AwaitedTime();
        await using var source = new MqttSource(
            Options() with { Server = "mqtt://127.0.0.1:1", UnavailableAfter = TimeSpan.FromSeconds(30) },
            new SourceContext(Schema, new SourcePosition(), time));
        Task<IReadOnlyList<(double, string?)>> reading = Read(source, 1);
        await Eventually.True(() => source.Problem is not null, "the source to notice");
        Assert.Contains("mqtt://127.0.0.1:1 cannot be reached", source.Problem, StringComparison.Ordinal);

        while (!reading.IsCompleted)
        {
            time.Elapse(TimeSpan.FromSeconds(11));
            await Task.WhenAny(reading, Task.Delay(20, TestContext.Current.CancellationToken));
        }

        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => reading);
        Assert.Equal(SourceFailure.Unavailable, failure.Failure);
    }

    [Fact]
    public async Task Password_ThatIsWrong_IsDenied()
    {
        Assert.SkipUnless(broker.IsReal, MqttBroker.Missing);
        await using var own = new MqttBroker { Settings = "allow_anonymous false" };
        await own.InitializeAsync();
        await using MqttSource source = Open(server: own.Address);

        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => Eventually.Within(Read(source, 1)));
        Assert.Equal(SourceFailure.Denied, failure.Failure);
    }

    [Theory]
    [InlineData("a/b", true)]
    [InlineData("+/b/#", true)]
    [InlineData("#", true)]
    [InlineData("/", true)]
    [InlineData("a/b+", false)]
    [InlineData("a/#/b", false)]
    [InlineData("a#", false)]
    [InlineData("", false)]
    public void Filter_OfTopics_IsOne(string text, bool isOne) => Assert.Equal(isOne, MqttTopics.IsFilter(text));

    [Fact]
    public void Schema_ThatTakesAFeatureFromTheTopic_IsRefused()
    {
        SourceException refused = Assert.Throws<SourceException>(
            () => Open(schema: Schema with { Features = ["mqtt.topic"] }));
        Assert.Contains("can be the key alone", refused.Message, StringComparison.Ordinal);
    }

    private static SourcePosition At(long next)
    {
        var position = new SourcePosition();
        position.Set(MqttSource.PartitionName, new PartitionPosition(next));
        return position;
    }

    private MqttSource Open(
        SourcePosition? start = null, string topic = "a", RecordSchema? schema = null, bool once = false, string? server = null) =>
        new(Options() with { Topics = [$"{_name}/{topic}"], Server = server ?? broker.Address },
            new SourceContext(schema ?? Schema, start ?? new SourcePosition(), TimeProvider.System) { Once = once });

    private MqttSourceOptions Options() => new()
    {
        Server = broker.Address,
        Topics = [$"{_name}/a"],
        ClientId = _name,
        DrainedAfter = TimeSpan.FromMilliseconds(500),
    };

    private static async Task<IReadOnlyList<(double X, string? Key)>> Read(RecordSource source, int count)
    {
        var records = new List<(double, string?)>();
        var batch = new RecordBatch(1);
        while (records.Count < count)
        {
            Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken).AsTask().WaitAsync(
                Eventually.Deadline, TestContext.Current.CancellationToken));
            for (int row = 0; row < batch.Count; row++) records.Add((batch.Row(row)[0], batch.Key(row)));
        }

        return records;
    }
}
