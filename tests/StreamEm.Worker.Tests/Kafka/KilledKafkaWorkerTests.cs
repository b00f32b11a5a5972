using System.Globalization;
using System.Net;
using System.Text.Json;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Exactly once from a topic: the real executable, killed by SIGKILL at random moments while a producer runs.</summary>
public sealed class KilledKafkaWorkerTests(KafkaBroker broker, ITestOutputHelper report)
{
    private const int RowsPerKill = 1600;

    private static int Kills => int.Parse(Environment.GetEnvironmentVariable("STREAMEM_KAFKA_KILLS") ?? "6", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Killed_WhileAProducerRuns_EqualsNeverStopped()
    {
        int kills = Kills;
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var killed = new KafkaRun(broker, topic);
        await KillAsync(killed, kills, _ => Task.CompletedTask,
            (_, kill) => Task.Run(() => ClusteredRows.Produce(broker, topic, kill, RowsPerKill)));

        int malformed = ClusteredRows.Malformed(kills * RowsPerKill);
        long versions = ClusteredRows.Versions(kills * RowsPerKill);
        await killed.FinishAsync(versions);
        using var whole = new KafkaRun(broker, topic);
        await whole.FinishAsync(versions);

        Assert.Equal(malformed, File.ReadLines(whole.Rejected).Count());
        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(killed.Snapshots));
        Assert.Equal(await File.ReadAllTextAsync(whole.Rejected), await File.ReadAllTextAsync(killed.Rejected));
        report.WriteLine($"{kills} kills, {versions} versions, {malformed} malformed records.");
    }

    /// <summary>Thousands of sequences under way, each with records that wait for those behind them.</summary>
    [Fact]
    public async Task Killed_WithALagBehindManyKeys_EqualsNeverStopped()
    {
        const int Keys = 10_000, Lag = 2, RowsOfAKill = 6000;
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using KafkaRun whole = KafkaRun.OfSequences(broker, topic, Keys, Lag), killed = KafkaRun.OfSequences(broker, topic, Keys, Lag);
        await KillAsync(killed, Kills, _ => Task.CompletedTask, (_, kill) => Task.Run(() => ProduceSequences(topic, kill)));
        await killed.DrainAsync();
        await whole.DrainAsync();

        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(killed.Snapshots));
        long learned = PublishedLog.Read(killed.Snapshots)[^1].GetProperty("training").GetProperty("records").GetInt64();
        Assert.Equal(Kills * RowsOfAKill, learned);
        report.WriteLine($"{Kills} kills, {PublishedLog.LastVersion(killed.Snapshots)} versions.");

        void ProduceSequences(string to, int part)
        {
            var random = new Random(part);
            var rows = Enumerable.Range(0, KafkaBroker.MockPartitions).Select(_ => new List<string>()).ToArray();
            for (int row = 0; row < RowsOfAKill; row++)
            {
                int key = random.Next(Keys);
                double value = 4 * ((part + key) % 2) + random.NextDouble();
                rows[key % rows.Length].Add(
                    string.Create(CultureInfo.InvariantCulture, $"{{\"device\":\"d{key}\",\"a\":{value:F4}}}"));
            }
            for (int partition = 0; partition < rows.Length; partition++) broker.Produce(to, partition, rows[partition]);
        }
    }

    /// <summary>
    /// With <c>idle_after</c>, which partition was left out of which minibatch depends on when records came, so that no other run need
    /// equal this one. What holds: no version that anybody has seen, over HTTP or published, is ever made again differently, and every
    /// record is learned once.
    /// </summary>
    [Fact]
    public async Task Killed_WithPartitionsIdleNowAndThen_NeverContradictsAVersionThatWasSeen()
    {
        int kills = Kills;
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        using var killed = new KafkaRun(broker, topic, idleAfter: "20ms");
        var seen = new SeenVersions();
        var pauses = new Random(kills);
        await KillAsync(killed, kills, seen.WatchAsync, async (process, kill) =>
        {
            await Task.WhenAny(process.Address());
            await ClusteredRows.ProduceUnevenlyAsync(broker, topic, kill, RowsPerKill, () => Task.Delay(pauses.Next(60)));
        });
        await killed.FinishAsync(ClusteredRows.Versions(kills * RowsPerKill));

        Assert.Equal(ClusteredRows.Malformed(kills * RowsPerKill), File.ReadLines(killed.Rejected).Count());
        int compared = 0;
        foreach (JsonElement published in PublishedLog.Read(killed.Snapshots))
        {
            if (!seen.TryGet(published.GetProperty("version").GetInt64(), out JsonElement shown)) continue;
            compared++;
            foreach (string part in (string[])["parameters", "training", "source"])
                Assert.Equal(shown.GetProperty(part).GetRawText(), published.GetProperty(part).GetRawText());
        }

        Assert.True(compared > 0, "no version was seen over HTTP");
        Assert.Equal(compared, seen.Count);
        report.WriteLine($"{kills} kills, {compared} versions seen over HTTP before or after a kill.");
    }

    /// <summary>Starts the worker, lets a producer run, kills the worker; so many times.</summary>
    private static async Task KillAsync(KafkaRun run, int kills, Func<WorkerProcess, Task> watch, Func<WorkerProcess, int, Task> produce)
    {
        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            using WorkerProcess process = run.Start();
            Task watching = watch(process);
            long published = run.PublishedBytes();
            Task producing = produce(process, kill);
            if (random.Next(3) > 0)
                await Eventually.True(() => run.PublishedBytes() > published || process.HasExited, "something new to be published");
            await Task.Delay(random.Next(400));
            process.Kill();
            Assert.True(await process.Exit() != 0, $"The worker ended by itself before kill {kill}:\n{process.Output}\n{process.Errors}");
            await Task.WhenAll(producing, watching);
        }
    }

    /// <summary>What a reader of the HTTP API has seen of every version.</summary>
    private sealed class SeenVersions
    {
        private readonly Dictionary<long, JsonElement> _versions = [];

        public int Count => _versions.Count;

        public bool TryGet(long version, out JsonElement snapshot) => _versions.TryGetValue(version, out snapshot);

        /// <summary>Asks for the newest version, again and again, until the worker is gone.</summary>
        public async Task WatchAsync(WorkerProcess process)
        {
            try
            {
                using var client = new HttpClient { BaseAddress = await process.Address() };
                while (!process.HasExited)
                {
                    using HttpResponseMessage answer = await client.GetAsync("/v1/models/clouds?min_version=0");
                    if (answer.StatusCode != HttpStatusCode.OK) continue;
                    JsonElement snapshot = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
                    long version = snapshot.GetProperty("version").GetInt64();
                    if (!_versions.TryAdd(version, snapshot))
                        Assert.Equal(_versions[version].GetProperty("parameters").GetRawText(),
                            snapshot.GetProperty("parameters").GetRawText());
                }
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException or InvalidOperationException or TaskCanceledException)
            {
                // Killed before or while it answered.
            }
        }
    }
}
