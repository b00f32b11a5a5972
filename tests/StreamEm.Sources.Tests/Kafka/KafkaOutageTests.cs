using System.Globalization;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>The broker crashes while a source reads. On its own broker, so that no other test notices.</summary>
public sealed class KafkaOutageTests
{
    private const int Kills = 2;
    private const int Records = 8000;

    [Fact]
    public async Task Brokers_KilledAndRestartedMidStream_LoseAndRepeatNothing()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("STREAMEM_CHAOS_KILLS") is { Length: > 0 }, "crashing brokers takes a minute: part of ./build.sh chaos");
        await using var broker = new KafkaBroker();
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(2);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { IdleAfter = null, ReadAheadBytes = 64 * 1024, UnavailableAfter = null };
        await using var reading = new KafkaReading(options, minibatch: 64);
        Task<KafkaReading> all = reading.ReadUntilAsync(2 * Kills * Records);

        for (int kill = 0; kill < Kills; kill++)
        {
            Fill(broker, topic, kill * Records);
            await broker.KillAsync();
            await Eventually.TrueAsync(() => reading.Source.Problem is not null, "the source misses the broker");
            Assert.Contains("cannot be reached", reading.Source.Problem, StringComparison.Ordinal);
            await broker.StartAsync();
            await Eventually.TrueAsync(() => reading.Source.Problem is null, "the source sees the broker again");
        }

        await all;
        const int Share = 32;
        Assert.Equal(Enumerable.Range(0, Kills * Records / Share).SelectMany(turn => new[] { 0, 1 }.SelectMany(p => Enumerable.Range(Share * turn, Share).Select(i => Row(p, i)))), reading.Rows);
    }

    private static string Row(int partition, int x) => string.Create(CultureInfo.InvariantCulture, $"{partition}:{x}");

    private static void Fill(KafkaBroker broker, string topic, int first)
    {
        for (int partition = 0; partition < 2; partition++)
            broker.Produce(topic, partition, Enumerable.Range(first, Records).Select(i => string.Create(CultureInfo.InvariantCulture, $"{{\"x\":{i}}}")));
    }
}
