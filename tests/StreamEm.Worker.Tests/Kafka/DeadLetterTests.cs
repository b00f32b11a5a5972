using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

public sealed class DeadLetterTests(KafkaBroker broker)
{
    private const int Minibatch = 32;
    private readonly ListLogger _log = new();

    [Fact]
    public async Task Write_MessageOfATopic_KeepsItAsItWasAndSaysWhy()
    {
        string topic = await Topic();
        var original = new OriginalMessage("sensors", 3, [0xFE, 1], [0xFF, 0, 7],
            [KeyValuePair.Create("trace", (byte[]?)[1, 2]), KeyValuePair.Create("trace", (byte[]?)null)], 1234567);

        Send(topic, new RejectedRecord(RejectionReason.DecodeUtf8, "byte 0 is not UTF-8", "sensors/3", 17, "?", 0) { Original = original });

        Message<byte[]?, byte[]?> letter = Assert.Single(TopicLog.Read(broker, topic));
        Assert.Equal<byte[]?>([original.Key, original.Value], [letter.Key, letter.Value]);
        Assert.Equal(1234567, letter.Timestamp.UnixTimestampMs);
        Assert.Equal(["trace", "trace"], letter.Headers.Take(2).Select(header => header.Key));
        Assert.Equal<byte[]?>([[1, 2], null], letter.Headers.Take(2).Select(header => header.GetValueBytes()));
        Assert.Equal(
            [
                ("__connect.errors.topic", "sensors"), ("__connect.errors.partition", "3"), ("__connect.errors.offset", "17"),
                ("__connect.errors.connector.name", "boiler"),
                ("__connect.errors.stage", "VALUE_CONVERTER"), ("__connect.errors.exception.message", "decode_utf8: byte 0 is not UTF-8"),
                ("streamem.errors.model", "boiler"),
                ("streamem.errors.partition", "sensors/3"), ("streamem.errors.offset", "17"), ("streamem.errors.reason", "decode_utf8"),
            ],
            letter.Headers.Skip(2).Select(header => (header.Key, Encoding.UTF8.GetString(header.GetValueBytes()))));
    }

    [Fact]
    public async Task Write_RecordOfAFile_HasItsTextAsTheValue()
    {
        string topic = await Topic();

        Send(topic, new RejectedRecord(RejectionReason.CsvColumns, "3 columns, expected 2", "data/a.csv", 120, "1,2,ä", 0));

        Message<byte[]?, byte[]?> letter = Assert.Single(TopicLog.Read(broker, topic));
        Assert.Null(letter.Key);
        Assert.Equal("1,2,ä", Encoding.UTF8.GetString(letter.Value!));
        Assert.Equal(("data/a.csv", "120", null),
            (letter.Header("streamem.errors.partition"), letter.Header("streamem.errors.offset"), letter.Header("__connect.errors.topic")));
    }

    [Fact]
    public async Task Write_MessageLargerThanTheTopicTakes_IsCutAndSaysWhatItWas()
    {
        string topic = await Topic(("max.message.bytes", "5000"));
        byte[] value = new byte[20_000];
        new Random(1).NextBytes(value);
        var large = new RejectedRecord(RejectionReason.TooLarge, "20000 bytes", "sensors/0", 1, "", 0)
        { Original = new OriginalMessage("sensors", 0, null, value, [], 1) };

        Send(topic,
            [large, .. Enumerable.Range(2, 30)
                .Select(offset => large with { Offset = offset, Original = large.Original with { Value = value[..3000] } })]);

        List<Message<byte[]?, byte[]?>> letters = TopicLog.Read(broker, topic);
        Assert.Equal(31, letters.Count);
        Message<byte[]?, byte[]?> cut = letters.Single(letter => letter.Header("streamem.errors.offset") == "1");
        Assert.Equal("20000", cut.Header("streamem.errors.value.bytes"));
        Assert.InRange(cut.Value!.Length, 3000, 5000);
        Assert.Equal(value[..cut.Value.Length], cut.Value);
        Assert.All(letters.Where(letter => letter != cut), letter => Assert.Equal(value[..3000], letter.Value));
    }

    [Fact]
    public void Write_TopicThatDoesNotExist_CreatesIt()
    {
        broker.NeedsRealBroker("cannot create topics");
        string topic = $"dead-{Guid.NewGuid():N}";

        Send(topic, new RejectedRecord(RejectionReason.CsvColumns, "", "a.csv", 1, "x", 0));

        Assert.Single(TopicLog.Read(broker, topic));
        Assert.Contains("topic_created", _log.Events);
    }

    [Fact]
    public async Task Write_BrokersAway_SaysSoAndEndsWith69PastTheDeadline()
    {
        var options = new DeadLetterOptions { Brokers = ["127.0.0.1:1"], Topic = "t", UnavailableAfter = TimeSpan.FromSeconds(1) };
        using var letters = new KafkaDeadLetters(options, "boiler", TimeProvider.System, _log);
        letters.Start();
        letters.Flush();
        letters.MakeDurable();
        await Eventually.True(() => letters.Obstacle is not null, "the outage to be noticed");
        Assert.StartsWith("rejected records are not passed on: The brokers 127.0.0.1:1 cannot be reached: ", letters.Obstacle?.Text,
            StringComparison.Ordinal);

        var failure =
            Assert.Throws<CommandException>(() => letters.Write(new RejectedRecord(RejectionReason.CsvColumns, "", "a.csv", 1, "x", 0)));

        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        Assert.Contains("the limit rejected.kafka.unavailable_after", failure.Message, StringComparison.Ordinal);
        Assert.Throws<CommandException>(letters.MakeDurable);
    }

    [Fact]
    public async Task Stopped_BrokersAway_EndsInTimeAndKeepsThePositionBeforeThem()
    {
        const int good = 40 * Minibatch;
        string source = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var run = new KafkaRun(broker, source, idleAfter: "200ms", rejected: "kafka: { brokers: [\"127.0.0.1:1\"], topic: dead }");
        broker.Produce(source, 0,
            [.. Enumerable.Range(0, good)
                .Select(row => string.Create(CultureInfo.InvariantCulture, $"{{\"a\":{row % 7},\"b\":{row % 5}}}")), "bad"]);
        using WorkerProcess process = run.Start();
        await Eventually.True(() => run.PublishedBytes() > 0 || process.HasExited, "a version");
        await process.Event("first_rejection");
        // The source's own broker may be slow at first, and say so before.
        const string obstacle = "rejected records are not passed on: The brokers 127.0.0.1:1 cannot be reached";
        await Eventually.True(
            () => process.Output.Contains(obstacle, StringComparison.Ordinal) || process.HasExited, "the outage to be told");
        Assert.Contains(obstacle, process.Output, StringComparison.Ordinal);

        var watch = Stopwatch.StartNew();
        process.Terminate();

        Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
        Assert.Contains("The rejected records were not acknowledged in time", process.Output, StringComparison.Ordinal);
        Assert.InRange(run.Kept()!.Position.Partitions[$"{source}/0"].Next, Minibatch, good);
    }

    [Fact]
    public async Task Killed_AndStartedAgain_LosesNoRejectedRecord()
    {
        const int kills = 5, perKill = 40 * Minibatch;
        broker.NeedsRealBroker("tells no topic's settings");
        string source = await broker.CreateTopicAsync(1), dead = await broker.CreateTopicAsync(1);
        using var run = new KafkaRun(broker, source, rejected: $"kafka: {{ brokers: [\"{broker.Address}\"], topic: {dead} }}");
        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            Produce(source, perKill, kill);
            int before = TopicLog.Read(broker, dead).Count;
            using WorkerProcess process = run.Start();
            await Eventually.True(() => TopicLog.Read(broker, dead).Count > before || process.HasExited, "rejected records");
            await Task.Delay(random.Next(100));
            process.Kill();
            Assert.True(await process.Exit() != 0, $"{process.Output}\n{process.Errors}");
        }

        (int code, string output, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml", "--once");
        Assert.True(code == 0, $"{output}\n{errors}");

        List<Message<byte[]?, byte[]?>> letters = TopicLog.Read(broker, dead);
        var offsets = letters.Select(letter => long.Parse(letter.Header("__connect.errors.offset")!, CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal(Enumerable.Range(0, kills * perKill).Where(IsBad).Select(offset => (long)offset), offsets.Distinct().Order());
        Assert.All(letters.Zip(offsets), pair => Assert.Equal($"bad {pair.Second}", Encoding.UTF8.GetString(pair.First.Value!)));
        Assert.All(letters, letter => Assert.Equal("json_syntax", letter.Header("streamem.errors.reason")));
    }

    private static bool IsBad(int offset) => offset % 20 == 7;

    private void Produce(string topic, int records, int part)
    {
        var random = new Random(part);
        broker.Produce(topic, 0, Enumerable.Range(part * records, records).Select(offset =>
        {
            double centre = 5 * random.Next(3);
            return IsBad(offset)
                ? string.Create(CultureInfo.InvariantCulture, $"bad {offset}")
                : string.Create(CultureInfo.InvariantCulture,
                    $"{{\"a\":{centre + random.NextDouble():F6},\"b\":{centre - random.NextDouble():F6}}}");
        }));
    }

    private async Task<string> Topic(params (string Name, string Value)[] settings)
    {
        broker.NeedsRealBroker("tells no topic's settings");
        return await broker.CreateTopicAsync(1, settings);
    }

    private void Send(string topic, params RejectedRecord[] records)
    {
        using var letters =
            new KafkaDeadLetters(new DeadLetterOptions { Brokers = [broker.Address], Topic = topic }, "boiler", TimeProvider.System, _log);
        foreach (RejectedRecord record in records) letters.Write(record);
        letters.Flush();
        letters.MakeDurable();
    }
}
