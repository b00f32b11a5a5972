using System.Globalization;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Exactly once from a topic: the real executable, killed by SIGKILL at random moments while a producer runs.</summary>
public sealed class KilledKafkaWorkerTests(KafkaBroker broker, ITestOutputHelper report)
{
    private const string KillsVariable = "STREAMEM_KAFKA_KILLS";
    private const int Partitions = KafkaBroker.MockPartitions;
    private const int RowsPerKill = 1600;
    private const int Minibatch = 32;

    [Fact]
    public async Task Killed_WhileAProducerRuns_EqualsNeverStopped()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable(KillsVariable) ?? "10", CultureInfo.InvariantCulture);
        string topic = await broker.CreateTopicAsync(Partitions);
        using var killed = new KafkaRun(broker, topic);
        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            using WorkerProcess process = killed.Start();
            long published = killed.PublishedBytes();
            Task producing = Task.Run(() => Produce(topic, kill));
            if (random.Next(3) > 0) await Eventually.True(() => killed.PublishedBytes() > published || process.HasExited, "something new to be published");
            await Task.Delay(random.Next(200));
            process.Kill();
            Assert.True(await process.Exit() != 0, $"The worker ended by itself before kill {kill}:\n{process.Output}\n{process.Errors}");
            await producing;
        }

        int malformed = kills * RowsPerKill / 20;
        long versions = ((kills * RowsPerKill) - malformed) / Minibatch;
        await FinishAsync(killed, versions);
        using var whole = new KafkaRun(broker, topic);
        await FinishAsync(whole, versions);

        Assert.Equal(malformed, File.ReadLines(whole.Rejected).Count());
        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(killed.Snapshots));
        Assert.Equal(await File.ReadAllTextAsync(whole.Rejected), await File.ReadAllTextAsync(killed.Rejected));
        report.WriteLine($"{kills} kills, {versions} versions, {malformed} malformed records.");
    }

    /// <summary>Runs until everything that makes a whole minibatch is learned and published, and stops in order.</summary>
    private static async Task FinishAsync(KafkaRun run, long versions)
    {
        using WorkerProcess process = run.Start();
        await process.Address();
        await Eventually.True(() => process.HasExited || (run.PublishedBytes() > 0 && PublishedLog.LastVersion(run.Snapshots) >= versions), $"version {versions}");
        process.Terminate();
        Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
        Assert.Equal(versions, PublishedLog.LastVersion(run.Snapshots));
    }

    /// <summary>The same records whatever the timing; every twentieth of a partition cannot be used.</summary>
    private void Produce(string topic, int part)
    {
        var random = new Random(part);
        var rows = Enumerable.Range(0, Partitions).Select(_ => new List<string>()).ToArray();
        for (int i = 0; i < RowsPerKill; i++)
        {
            double centre = 5 * random.Next(3);
            string row = i / Partitions % 20 == 7
                ? "{\"a\":1,\"b\":"
                : string.Create(CultureInfo.InvariantCulture, $"{{\"a\":{centre + random.NextDouble():F6},\"b\":{centre - random.NextDouble():F6}}}");
            rows[i % Partitions].Add(row);
        }

        for (int partition = 0; partition < Partitions; partition++) broker.Produce(topic, partition, rows[partition]);
    }
}
