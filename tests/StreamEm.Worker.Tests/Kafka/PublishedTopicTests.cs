using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The real executable learns from a topic and publishes to another one.</summary>
public sealed class PublishedTopicTests(KafkaBroker broker)
{
    private const int Minibatch = 32;

    [Fact]
    public async Task Topic_ReadByTheConsoleConsumer_HoldsTheHttpAnswerByteForByte()
    {
        (string source, string snapshots) = await Topics();
        Produce(source, 20 * Minibatch);
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every: null"));
        using WorkerProcess process = run.Start();
        using var http = new HttpClient { BaseAddress = await process.Address() };
        string answer = await Eventually.Get<string>(async () =>
        {
            using HttpResponseMessage response = await http.GetAsync("v1/models/clouds?min_version=20&wait=1s");
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : null;
        }, "version 20");
        await Eventually.True(() => TopicLog.Read(broker, snapshots).Count == 20, "20 versions in the topic");

        IReadOnlyList<(string Key, string Value)> records = await TopicLog.ReadByConsole(broker, snapshots, 20);

        Assert.All(records, record => Assert.Equal("clouds", record.Key));
        Assert.Equal(answer, records[^1].Value);
        await Eventually.True(() =>
            http.GetStringAsync("metrics").Result
                .Contains($"\nstreamem_source_lag_records{{model=\"clouds\",topic=\"{source}\",partition=\"0\"}} 0\n",
                    StringComparison.Ordinal), "no lag");
        JsonElement summary = (await http.GetFromJsonAsync<JsonElement>("v1/models"))[0];
        Assert.Equal((0, 0), (summary.GetProperty("source_lag").GetInt64(), summary.GetProperty("records_skipped").GetInt64()));
        Assert.Contains($"streamem_snapshot_published_total{{model=\"clouds\",sink=\"kafka:{snapshots}\"}} 20\n",
            await http.GetStringAsync("metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_AndStartedAgain_LeavesNoGapAndOnlyIdenticalRepeats()
    {
        const int kills = 6, perKill = 50 * Minibatch;
        (string source, string snapshots) = await Topics();
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every: null"));
        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            Produce(source, perKill, seed: kill);
            int before = TopicLog.Read(broker, snapshots).Count;
            using WorkerProcess process = run.Start();
            await Eventually.True(() => TopicLog.Read(broker, snapshots).Count > before + random.Next(30) || process.HasExited,
                "new versions");
            process.Kill();
            Assert.True(await process.Exit() != 0, $"{process.Output}\n{process.Errors}");
        }

        await RunOnce(run);

        List<Message<byte[]?, byte[]?>> records = TopicLog.Read(broker, snapshots);
        var versions = records.Select(record => long.Parse(record.Header("streamem_version")!, CultureInfo.InvariantCulture)).ToList();
        Assert.Single(records.Select(record => record.Header("ce_id")!.Split('/')[0]).Distinct());
        Assert.Equal(Enumerable.Range(1, kills * perKill / Minibatch).Select(version => (long)version), versions.Distinct());
        Assert.All(records.Zip(versions).GroupBy(pair => pair.Second),
            same => Assert.Single(same.Select(pair => Encoding.UTF8.GetString(pair.First.Value!)).Distinct()));
        // What was on its way when the worker was killed - five requests at most - may arrive after its successor has looked.
        Assert.InRange(records.Count - versions.Distinct().Count(), 0, 5 * kills);
    }

    [Fact]
    public async Task Topic_GoneBeforeARestart_HoldsTheNewestVersionAgainAndOnce()
    {
        (string source, string snapshots) = await Topics();
        Produce(source, 20 * Minibatch);
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every: null"));
        await RunUntil(run, () => TopicLog.Read(broker, snapshots).Count == 20, "20 versions");
        broker.Produce(source, 0, "bad");
        await RunUntil(run,
            () => WorkerProcess.Run(run.Path, "inspect", run.NewestCheckpoint()).Result.Output
                .Contains("\n0 snapshots not yet acknowledged", StringComparison.Ordinal), "a checkpoint that knows of it");
        await Delete(snapshots);

        await RunUntil(run, () => Exists(snapshots) && TopicLog.Read(broker, snapshots).Count > 0, "the newest version");
        Produce(source, Minibatch, seed: 1);
        await RunUntil(run, () => TopicLog.Read(broker, snapshots).Count > 1, "one more version");

        Assert.Equal(["20", "21"], TopicLog.Read(broker, snapshots).Select(record => record.Header("streamem_version")));
    }

    [Theory]
    [InlineData(false, "20", "30")]
    [InlineData(true, "23", "30")]
    public async Task Topic_GoneBeforeARestart_HoldsTheNewestVersionItWantsAgain(bool isDrained, string held, string next)
    {
        (string source, string snapshots) = await Topics();
        Produce(source, 23 * Minibatch);
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every_updates: 10, every: null"));
        if (isDrained) await RunOnce(run);
        else await RunUntil(run, () => run.Kept()?.Updates == 23 && TopicLog.Read(broker, snapshots).Count == 2, "23 updates");
        await Delete(snapshots);

        await RunUntil(run, () => Exists(snapshots) && Versions().Contains(held), "the newest version");
        Produce(source, 7 * Minibatch, seed: 1);
        await RunUntil(run, () => Versions().Contains(next), "one more version");

        // A checkpoint may not know of the last acknowledgements: what was published before comes again with it.
        Assert.Equal([held, next], Versions().TakeLast(2));
        Assert.Equal(Versions().Distinct(), Versions());

        List<string?> Versions() => [.. TopicLog.Read(broker, snapshots).Select(record => record.Header("streamem_version"))];
    }

    [Fact]
    public async Task Topic_DeletedWhileItIsWritten_EndsWith69AndSaysSo()
    {
        (string source, string snapshots) = await Topics();
        Produce(source, 20 * Minibatch);
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every: null"));
        using WorkerProcess process = run.Start();
        await Eventually.True(() => TopicLog.Read(broker, snapshots).Count == 20, "20 versions");

        await broker.Admin.DeleteTopicsAsync([snapshots]);
        Produce(source, Minibatch, seed: 1);

        int code = await Eventually.Within(process.Exit());
        Assert.True(
            process.Errors.Contains($"publish.kafka: topic '{snapshots}' on {broker.Address}: ", StringComparison.Ordinal)
                && process.Errors.Contains("topic was deleted; start again to create it.", StringComparison.Ordinal), process.Errors);
        Assert.Equal(ExitCode.Unavailable, code);
        Assert.DoesNotContain("cannot be reached", process.Output, StringComparison.Ordinal);
        await RunUntil(run, () => Exists(snapshots) && TopicLog.Read(broker, snapshots).Count > 0, "the newest version");
    }

    [Fact]
    public async Task Stopped_WithinTheInterval_PublishesTheLastVersion()
    {
        (string source, string snapshots) = await Topics();
        Produce(source, 20 * Minibatch);
        using var run = new KafkaRun(broker, source, Publish(snapshots, "every: 1h"));
        using (WorkerProcess process = run.Start())
        {
            using var http = new HttpClient { BaseAddress = await process.Address() };
            await Eventually.True(() => TopicLog.Read(broker, snapshots).Count == 1, "the first version");
            await Eventually.Get<string>(async () =>
                (await http.GetAsync("v1/models/clouds?min_version=20&wait=1s")).IsSuccessStatusCode ? "yes" : null, "version 20");
            process.Terminate();
            Assert.Equal(0, await process.Exit());
        }

        List<Message<byte[]?, byte[]?>> records = TopicLog.Read(broker, snapshots);
        // The first is the newest there was when the brokers answered, on a busy machine the last of all.
        Assert.Equal("20", records[^1].Header("streamem_version"));
        Assert.Equal(records[0].Header("streamem_version") == "20" ? 1 : 2, records.Count);
    }

    [Fact]
    public async Task TooLargeModel_IsRefusedAtStartWith78()
    {
        broker.NeedsRealBroker("tells no topic's settings");
        string source = await broker.CreateTopicAsync(1), small = await broker.CreateTopicAsync(1, ("max.message.bytes", "10000"));
        using var run = new KafkaRun(broker, source, Publish(small, "every: null"));

        (int code, _, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml");

        Assert.Equal(ExitCode.Configuration, code);
        Assert.Matches(
            $"(?m)^publish.kafka: a snapshot of model 'clouds' .* can take [0-9]+ bytes; topic '{small}' takes messages of at most 10000 "
                + "bytes", errors);
    }

    private static async Task RunUntil(KafkaRun run, Func<bool> condition, string what)
    {
        using WorkerProcess process = run.Start();
        // Before its first word a process is ended by a signal as any is.
        await Eventually.True(() => process.HasExited || ((process.Output + process.Errors).Length > 0 && condition()), what);
        process.Terminate();
        Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
    }

    private static async Task RunOnce(KafkaRun run)
    {
        (int code, string output, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml", "--once");
        Assert.True(code == 0, $"{output}\n{errors}");
    }

    private async Task Delete(string topic)
    {
        await broker.Admin.DeleteTopicsAsync([topic]);
        await Eventually.True(() => !Exists(topic), "the topic is gone");
    }

    private bool Exists(string topic) => !broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Error.IsError;

    private string Publish(string topic, string more) =>
        $"- kafka: {{ brokers: [\"{broker.Address.Replace(",", "\", \"", StringComparison.Ordinal)}\"], topic: {topic}, {more} }}";

    private async Task<(string Source, string Snapshots)> Topics()
    {
        broker.NeedsRealBroker("tells no topic's settings");
        return (await broker.CreateTopicAsync(1), await broker.CreateTopicAsync(1, ("cleanup.policy", "compact")));
    }

    private void Produce(string topic, int records, int seed = 0)
    {
        var random = new Random(seed);
        broker.Produce(topic, 0, Enumerable.Range(0, records).Select(_ =>
        {
            double centre = 5 * random.Next(3);
            return string.Create(CultureInfo.InvariantCulture,
                $"{{\"a\":{centre + random.NextDouble():F6},\"b\":{centre - random.NextDouble():F6}}}");
        }));
    }
}
