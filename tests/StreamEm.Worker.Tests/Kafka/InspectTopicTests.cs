using System.Text;
using Confluent.Kafka;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

public sealed class InspectTopicTests(KafkaBroker broker) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Inspect_Topic_ShowsTheNewestSnapshotOfEveryModel()
    {
        string topic = await Topic();
        Put(topic, Snapshot("boiler", "r1", 3), Snapshot("turbine", "r2", 8), Snapshot("boiler", "r1", 4), Snapshot("removed", "r3", 1),
            Tombstone("removed"), Snapshot("boiler", "r1", 3));

        CommandRun run = await Inspect(topic);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains($"/{topic}: 2 model(s) in 6 record(s)\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("boiler: partition 0, offset 2, ", run.Output, StringComparison.Ordinal);
        Assert.Contains("turbine: partition 0, offset 1, ", run.Output, StringComparison.Ordinal);
        Assert.Matches("version +4, made", run.Output);
        Assert.Matches("version +8, made", run.Output);
        Assert.DoesNotContain("removed", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_OneModelToAFile_WritesTheRecordsBytes()
    {
        string topic = await Topic();
        Message<byte[]?, byte[]?> boiler = Snapshot("boiler", "r1", 4), turbine = Snapshot("turbine", "r2", 8);
        Put(topic, boiler, turbine);

        Assert.Equal(0, (await Inspect($"{topic}?model=boiler", "-o", _directory["one.json"])).ExitCode);
        CommandRun both = await Inspect(topic, "-o", "-");

        Assert.Equal(boiler.Value, await File.ReadAllBytesAsync(_directory["one.json"]));
        Assert.Equal($"{Encoding.UTF8.GetString(boiler.Value!)}\n{Encoding.UTF8.GetString(turbine.Value!)}\n", both.Output);
    }

    [Fact]
    public async Task Inspect_NewestRecordDamaged_ShowsTheLastValidOneAndSaysSo()
    {
        string topic = await Topic();
        Message<byte[]?, byte[]?> damaged = Snapshot("boiler", "r1", 6);
        damaged.Value = Encoding.UTF8
            .GetBytes(Encoding.UTF8.GetString(damaged.Value!).Replace("\"covariances\"", "\"other\"", StringComparison.Ordinal));
        Put(topic, Snapshot("boiler", "r1", 4), Snapshot("boiler", "r1", 5), damaged,
            new Message<byte[]?, byte[]?> { Value = "hello"u8.ToArray() });

        CommandRun run = await Inspect(topic);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains(
            "1 model(s) in 4 record(s); 2 of them are no snapshots, the last at offset 3 of partition 0: its value does not begin as a "
                + "snapshot\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("boiler: partition 0, offset 1, ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_NewRunOfLowerVersion_TakesItsPlace()
    {
        string topic = await Topic();
        Put(topic, Snapshot("boiler", "r1", 40), Snapshot("boiler", "r2", 1));

        Assert.Matches("version +1, made", (await Inspect(topic)).Output);
    }

    [Fact]
    public async Task Inspect_WhatIsNotThere_StopsWith66()
    {
        string topic = await Topic(), empty = await Topic();
        Put(topic, Snapshot("boiler", "r1", 4));

        CommandRun model = await Inspect($"{topic}?model=turbine"), none = await Inspect(empty), missing = await Inspect("no-such-topic");

        Assert.Equal((ExitCode.InputMissing, $"kafka://{broker.Address}/{topic} holds no snapshot of model 'turbine'; it holds boiler.\n"),
            (model.ExitCode, model.Error));
        Assert.Equal(
            (ExitCode.InputMissing,
                $"kafka://{broker.Address}/{empty} holds no snapshot. kafka://{broker.Address}/{empty}: 0 model(s) in 0 record(s)\n"),
                (none.ExitCode, none.Error));
        Assert.Equal((ExitCode.InputMissing, $"kafka://{broker.Address}/no-such-topic: topic 'no-such-topic' does not exist.\n"),
            (missing.ExitCode, missing.Error));
    }

    [Fact]
    public async Task Inspect_BrokersAway_StopsWith69()
    {
        CommandRun run = await CommandRun.Of(InspectCommand.Create(), "kafka://127.0.0.1:1/models", "--timeout", "500ms");

        Assert.Equal(ExitCode.Unavailable, run.ExitCode);
        Assert.StartsWith("The brokers 127.0.0.1:1 cannot be reached: ", run.Error, StringComparison.Ordinal);
        Assert.EndsWith(" That has lasted 0.5 s. Check the address; --timeout waits longer, --property sets TLS and SASL.\n", run.Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kafka://", ExitCode.Usage, "names no topic")]
    [InlineData("kafka://h:1", ExitCode.Usage, "names no topic")]
    [InlineData("kafka:///t", ExitCode.Usage, "names no topic")]
    [InlineData("kafka://h:1/t/u", ExitCode.Usage, "names no topic")]
    [InlineData("kafka://h:1/t?id=x", ExitCode.Usage, "names no topic")]
    [InlineData("kafka://h:1/t", ExitCode.Usage, "--property x: expected name=value", "-p", "x")]
    [InlineData("kafka://h:1/t", ExitCode.Usage, "--timeout soon: expected a duration", "--timeout", "soon")]
    [InlineData("kafka://h:1/t", ExitCode.Configuration, "'plugin.library.paths' may not be set: it would load foreign code", "-p",
        "plugin.library.paths=x")]
    [InlineData("kafka://h:1/t", ExitCode.Configuration, "No such configuration property: \"no.such\"", "-p", "no.such=1")]
    [InlineData("kafka://h:1/t", ExitCode.InputMissing, "'/no/such/file' cannot be read", "-p", "sasl.password_file=/no/such/file")]
    public async Task Inspect_WrongArguments_AreRefused(string address, int code, string expected, params string[] more)
    {
        CommandRun run = await CommandRun.Of(InspectCommand.Create(), [address, .. more]);

        Assert.Equal(code, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TopicAddress_SeveralBrokersAndAModel_AreRead()
    {
        TopicAddress address = TopicAddress.Parse("kafka://a:1,b:2/models?model=boiler");

        Assert.Equal(["a:1", "b:2"], address.Brokers);
        Assert.Equal(("models", "boiler"), (address.Topic, address.Model));
    }

    private static Message<byte[]?, byte[]?> Snapshot(string id, string run, long version)
    {
        var learned = Pipelines.Versions(count: 1, minibatch: 20).Single() with { Version = version };
        ModelSnapshot snapshot = new RunIdentity(id, run, "sha256:test").Stamp(learned, DateTimeOffset.UnixEpoch);
        return new Message<byte[]?, byte[]?> { Key = Encoding.UTF8.GetBytes(id), Value = new SnapshotDocument(snapshot).Json.ToArray() };
    }

    private static Message<byte[]?, byte[]?> Tombstone(string id) => new() { Key = Encoding.UTF8.GetBytes(id) };

    private void Put(string topic, params Message<byte[]?, byte[]?>[] messages) => broker.Produce(topic, 0, messages);

    private async Task<string> Topic()
    {
        broker.NeedsRealBroker("describes no topics");
        return await broker.CreateTopicAsync(1);
    }

    private Task<CommandRun> Inspect(string topic, params string[] more) =>
        CommandRun.Of(InspectCommand.Create(), [$"kafka://{broker.Address}/{topic}", .. more]);
}
