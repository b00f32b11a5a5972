namespace StreamEm.Sources.Tests.Kafka;

/// <summary>What a source tells of how far it is.</summary>
public sealed class KafkaProgressTests(KafkaBroker broker)
{
    [Fact]
    public async Task Progress_WhileReading_TellsHowManyRecordsAreLeft()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, Enumerable.Repeat("{\"x\":1}", 10));
        broker.Produce(topic, 1, "{\"x\":1}", null, "{\"x\":2}", null);
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(50) });

        await Eventually.True(() => Lags(reading) is [10, 4, ..], "the lag of what waits to be read");
        await reading.ReadUntilAsync(12);
        await Eventually.True(() => Lags(reading).All(lag => lag == 0), "no lag when everything is read");
        Assert.Equal(2, reading.Source.Progress.Tombstones);

        broker.Produce(topic, 0, "{\"x\":1}", "{\"x\":2}", "{\"x\":3}");
        await Eventually.True(() => Lags(reading) is [3, ..], "the lag of what has come since");
        await Eventually.True(
            () => reading.Source.Progress.Partitions.Any(partition => partition.LagSeconds > 0), "the age of the next record");
        Assert.All(reading.Source.Progress.Partitions, partition => Assert.Equal(partition.Lag > 0, partition.LagSeconds > 0));
        Assert.True(reading.Source.Bytes > 12 * 7);
    }

    private static long[] Lags(KafkaReading reading) =>
        reading.Source.Progress.Partitions.Count < KafkaBroker.MockPartitions
            ? [-1, -1]
            : [.. reading.Source.Progress.Partitions.OrderBy(partition => partition.PartitionNumber).Select(partition => partition.Lag)];
}
