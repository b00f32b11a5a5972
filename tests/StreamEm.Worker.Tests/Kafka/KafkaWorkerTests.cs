using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>The real executable on a topic: started twice, on records that are gone, and beside brokers that crash.</summary>
public sealed class KafkaWorkerTests(KafkaBroker shared)
{
    private const string BrokerKillsVariable = "STREAMEM_BROKER_KILLS";
    private const int Partitions = KafkaBroker.MockPartitions;
    private const int RowsPerRound = 6400;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task StartedTwice_OnOneStateDirectory_TheSecondEndsWithCode73()
    {
        string topic = await shared.CreateTopicAsync(Partitions);
        using var run = new KafkaRun(shared, topic);
        using WorkerProcess first = run.Start();
        await first.Address();

        using WorkerProcess second = run.Start();

        Assert.Equal(73, await second.Exit());
        Assert.Contains("state", second.Errors + second.Output, StringComparison.Ordinal);
        Assert.False(first.HasExited);
        first.Terminate();
        Assert.Equal(0, await first.Exit());
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("skip")]
    public async Task RecordsGone_BelowThePosition_EndWithCode65OrAreOnRecord(string policy)
    {
        shared.NeedsRealBroker("deletes no records");
        string topic = await shared.CreateTopicAsync(Partitions);
        using var run = new KafkaRun(shared, topic, source: $", on_gap: {policy}");
        ClusteredRows.Produce(shared, topic, part: 0, RowsPerRound);
        await run.FinishAsync(ClusteredRows.Versions(RowsPerRound));
        ClusteredRows.Produce(shared, topic, part: 1, RowsPerRound);
        await shared.Admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 1, new Offset(RowsPerRound / Partitions + 100))]);

        using WorkerProcess process = run.Start();
        if (policy == "fail")
        {
            Assert.Equal(65, await process.Exit());
            Assert.Contains("100 records were deleted before they were read", process.Errors + process.Output, StringComparison.Ordinal);
            return;
        }

        JsonElement told = await process.Event("records_skipped");
        Assert.Contains("100 records", told.GetProperty("msg").GetString(), StringComparison.Ordinal);
        await Eventually.True(() => PublishedLog.LastVersion(run.Snapshots) > ClusteredRows.Versions(RowsPerRound), "learning goes on");
        process.Terminate();
        Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
        (int code, string inspected, _) = await WorkerProcess.Run(run.Path, "inspect", run.NewestCheckpoint());
        Assert.Equal(0, code);
        Assert.Contains("100 of its records were gone before they were read", inspected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_BeforeACheckpointIsDue_GoesOnWhereItStarted()
    {
        string topic = await shared.CreateTopicAsync(Partitions);
        ClusteredRows.Produce(shared, topic, part: 0, RowsPerRound);
        using var run = new KafkaRun(shared, topic, source: ", start: latest", checkpoint: "every_updates: 1000000, every: 1h");
        using (WorkerProcess process = run.Start())
        {
            await process.Address();
            await Eventually.True(() => process.HasExited || run.Kept()?.Position.Partitions.Count == Partitions,
                "where every partition starts to be kept");
            process.Kill();
            await process.Exit();
        }

        ClusteredRows.Produce(shared, topic, part: 1, RowsPerRound);
        using WorkerProcess again = run.Start("--once");

        Assert.True(await again.Exit() == 0, $"{again.Output}\n{again.Errors}");
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"after {RowsPerRound - ClusteredRows.Malformed(RowsPerRound)} records"),
            again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Brokers_KilledAndRestartedMidStream_FinalStateEqualsUninterrupted()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable(BrokerKillsVariable) ?? "1", CultureInfo.InvariantCulture);
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(Partitions);
        using var shaken = new KafkaRun(broker, topic);
        using (WorkerProcess process = shaken.Start())
        {
            await process.Address();
            for (int kill = 0; kill < kills; kill++)
            {
                long published = shaken.PublishedBytes();
                Task producing = Task.Run(() => ClusteredRows.Produce(broker, topic, kill, RowsPerRound));
                await Eventually.True(() => shaken.PublishedBytes() > published || process.HasExited, "something new to be published",
                    Patience);
                await broker.KillAsync();
                await broker.StartAsync();
                await producing;
                Assert.False(process.HasExited, process.Output);
            }
        }

        long versions = ClusteredRows.Versions(kills * RowsPerRound);
        await shaken.FinishAsync(versions, Patience);
        using var whole = new KafkaRun(broker, topic);
        await whole.FinishAsync(versions, Patience);
        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(shaken.Snapshots));
        Assert.Equal(await File.ReadAllTextAsync(whole.Rejected), await File.ReadAllTextAsync(shaken.Rejected));
    }
}
