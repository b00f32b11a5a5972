using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A topic of which nothing is known: what its messages hold is looked up.</summary>
public sealed class TopicSurveyTests(KafkaBroker broker) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Init_Topic_ProposesTheFieldsOfItsMessages()
    {
        string topic = await Topic(2);
        for (int row = 0; row < 200; row++)
            Put(topic, row % 2, $"{{\n \"temp\": {row * 7 % 50 + 0.5},\r\n \"host\": \"h{row % 3}\", \"text\": \"t{row}\"}}");
        Put(topic, 0, null);

        CommandRun run = await Init(topic, "-o", _directory["streamem.yaml"]);
        LoadedConfiguration loaded = ConfigurationLoader.Load([_directory["streamem.yaml"]], [], _ => null);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Empty(loaded.Problems.Select(problem => problem.ToString()));
        Assert.Equal(["temp"], loaded.Options!.Models[0].Schema.Features);
        Assert.Contains("from the newest 200 records of kafka://", File.ReadAllText(_directory["streamem.yaml"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Topic_PrintsScoredAlarms()
    {
        string topic = await Topic(1);
        var random = new Random(5);
        for (int row = 0; row < 1200; row++)
            Put(topic, 0, string.Create(CultureInfo.InvariantCulture,
                $"{{\"temp\": {(row == 1000 ? 90 : 20 + random.NextDouble())}, \"load\": {random.NextDouble()}}}"));

        (int code, string output, string errors) = await WorkerProcess.Run(
            _directory.Path, "run", "--kafka", $"{broker.Address}/{topic}", "--once", "-s", "http.address=127.0.0.1:0");

        Assert.True(code == ExitCode.Ok, errors);
        JsonElement[] alarms = [.. output.Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement strange = Assert.Single(alarms, alarm => alarm.GetProperty("record").GetInt32() == 1000);
        Assert.Equal("temp", strange.GetProperty("explanation").EnumerateObject()
            .MaxBy(feature => feature.Value.GetProperty("contribution").GetDouble()).Name);
    }

    [Fact]
    public async Task Init_TopicThatTellsNothing_SaysWhy()
    {
        string empty = await Topic(1), other = await Topic(1);
        Put(other, 0, "1.5,2.5");

        CommandRun none = await Init(empty), numbers = await Init(other), missing = await Init("no-such-topic");

        Assert.Equal(ExitCode.DataCorrupt, none.ExitCode);
        Assert.Contains("holds no message yet", none.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.DataCorrupt, numbers.ExitCode);
        Assert.Contains("messages are no JSON objects", numbers.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("1.5", numbers.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.InputMissing, missing.ExitCode);
    }

    private async Task<string> Topic(int partitions)
    {
        broker.NeedsRealBroker("describes no topics");
        return await broker.CreateTopicAsync(partitions);
    }

    private void Put(string topic, int partition, string? value) => broker.Produce(topic, partition,
        [new Message<byte[]?, byte[]?> { Key = "k"u8.ToArray(), Value = value is null ? null : Encoding.UTF8.GetBytes(value) }]);

    private Task<CommandRun> Init(string topic, params string[] more) =>
        CommandRun.Of(InitCommand.Create(), [$"kafka://{broker.Address}/{topic}", .. more]);
}
