using System.Diagnostics;
using System.Globalization;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>The broker crashes while a source reads. On its own broker, so that no other test notices.</summary>
public sealed class KafkaOutageTests
{
    private const string KillsVariable = "STREAMEM_BROKER_KILLS";
    private const int Records = 8000;
    private const int Share = 32;

    /// <summary>A broker takes seconds to start, on a machine with other things to do more than the usual deadline.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Brokers_KilledAndRestartedMidStream_LoseAndRepeatNothing()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable(KillsVariable) ?? "1", CultureInfo.InvariantCulture);
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(2);
        KafkaSourceOptions options =
            KafkaReading.Options(broker, topic) with { IdleAfter = null, ReadAheadBytes = 64 * 1024, UnavailableAfter = null };
        await using var reading = new KafkaReading(options, minibatch: 2 * Share) { Deadline = Patience };
        Task all = reading.ReadUntilAsync(2 * kills * Records);

        for (int kill = 0; kill < kills; kill++)
        {
            int read = reading.Rows.Count;
            Task filling = Task.Run(() =>
            {
                for (int partition = 0; partition < 2; partition++) broker.Fill(topic, partition, kill * Records, Records);
            });
            await UntilAsync(() => reading.Rows.Count > read, "some of the new records are read");
            await broker.KillAsync();
            await UntilAsync(() => reading.Source.Problem is not null, "the source misses the broker");
            Assert.Contains("cannot be reached", reading.Source.Problem, StringComparison.Ordinal);
            await broker.StartAsync();
            await UntilAsync(() => reading.Source.Problem is null, "the source sees the broker again");
            await filling;
        }

        await all;
        Assert.Equal(Enumerable.Range(0, kills * Records / Share)
            .SelectMany(turn => new[] { 0, 1 }.SelectMany(p => Enumerable.Range(Share * turn, Share).Select(i => Row(p, i)))),
            reading.Rows);

        async Task UntilAsync(Func<bool> condition, string what)
        {
            await Eventually.True(() => condition() || all.IsFaulted || all.IsCanceled, what, Patience);
            if (!all.IsCompletedSuccessfully && all.IsCompleted) await all;
        }
    }

    [Fact]
    public async Task Brokers_FrozenMidStream_AreMissedSoonAndReadOn()
    {
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 12);
        KafkaSourceOptions options = new() { Brokers = [broker.Address], Topics = [topic], IdleAfter = null };
        await using var reading = new KafkaReading(options) { Deadline = Patience };
        await reading.ReadUntilAsync(12);

        await broker.FreezeAsync();
        var watch = Stopwatch.StartNew();
        await Eventually.True(() => reading.Source.Problem is not null, "the source misses the broker");
        Assert.Contains("cannot be reached", reading.Source.Problem, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
        await broker.ThawAsync();
        await Eventually.True(() => reading.Source.Problem is null, "the source sees the broker again", Patience);
        broker.Fill(topic, 0, 12, 6);
        await reading.ReadUntilAsync(18);
    }

    /// <summary>
    /// A slow answer is no answer of brokers that have no ids: without them a topic that is deleted and created again would be taken for
    /// the same.
    /// </summary>
    [Fact]
    public async Task Brokers_SlowAtTheStart_StillTellWhatTopicItIs()
    {
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 6);

        await broker.FreezeAsync();
        var watch = Stopwatch.StartNew();
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic)) { Deadline = Patience };
        await Eventually.True(() => watch.Elapsed > TimeSpan.FromSeconds(1.5), "the broker to be slow");
        await broker.ThawAsync();
        await reading.ReadUntilAsync(6);

        Assert.NotNull(reading.Position.Partitions[$"{topic}/0"].Identity);
    }

    private static string Row(int partition, int x) => string.Create(CultureInfo.InvariantCulture, $"{partition}:{x}");
}
