using Confluent.Kafka.Admin;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>The order of records over the partitions, and what leaves it and comes back.</summary>
public sealed class KafkaRotationTests(KafkaBroker broker)
{
    [Fact]
    public async Task Once_SeveralPartitions_ReadsThemRoundRobinAndEnds()
    {
        string topic = await broker.CreateTopicAsync(3);
        broker.Fill(topic, 0, 0, 5);
        broker.Fill(topic, 1, 10, 2);
        broker.Fill(topic, 2, 20, 3);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        // Shares of 6 / 3 = 2; partition 1 is done after its turn, then the shares are 6 / 2 = 3.
        Assert.Equal(["0:0", "0:1", "1:10", "1:11", "2:20", "2:21", "2:22", "0:2", "0:3", "0:4"], reading.Rows);
        Assert.Equal([5L, 2L, 3L], reading.Position.Partitions.Values.Select(p => p.Next));
    }

    [Fact]
    public async Task Once_ResumedAnywhere_GoesOnAsIfNeverStopped()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        for (int partition = 0; partition < 4; partition++)
            broker.Fill(topic, partition, 1000 * partition, 11 * partition + 3, malformedEvery: 5);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic);
        await using KafkaReading whole = await new KafkaReading(options, once: true, minibatch: 10).DrainAsync();
        broker.Fill(topic, 0, 9000, 20);

        for (int cut = 0; cut < whole.Rows.Count; cut += 7)
        {
            await using KafkaReading rest = await new KafkaReading(options, whole.After[cut], once: true, minibatch: 10).DrainAsync();
            Assert.Equal(whole.Rows.Skip(cut + 1), rest.Rows);
        }
    }

    [Fact]
    public async Task Follow_ResumedAnywhere_GoesOnAsIfNeverStopped()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        for (int partition = 0; partition < 4; partition++) broker.Fill(topic, partition, 1000 * partition, 40, malformedEvery: 7);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { IdleAfter = null };
        await using KafkaReading whole = await new KafkaReading(options, minibatch: 12).ReadUntilAsync(90);

        for (int cut = 3; cut < 60; cut += 11)
        {
            await using KafkaReading rest = await new KafkaReading(options, whole.After[cut], minibatch: 12).ReadUntilAsync(25);
            Assert.Equal(whole.Rows.Skip(cut + 1).Take(25), rest.Rows.Take(25));
        }
    }

    [Fact]
    public async Task Idle_QuietPartition_DoesNotStallTheOthersAndComesBack()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Fill(topic, 0, 0, 8);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(200) };
        await using var reading = new KafkaReading(options, minibatch: 4);

        await reading.ReadUntilAsync(8);
        Assert.True(reading.Position.Partitions[$"{topic}/1"].Turn is { IsIdle: true });
        Assert.Contains(reading.Decisions, made => made.Partition == $"{topic}/1" && made.Position.Turn is { IsIdle: true });
        reading.Decisions.Clear();
        broker.Fill(topic, 1, 100, 2);
        await reading.ReadUntilAsync(10);
        Assert.Contains(reading.Decisions, made => made.Partition == $"{topic}/1" && made.Position.Turn is { IsIdle: false });

        Assert.Equal(["1:100", "1:101"], reading.Rows[8..]);
        Assert.True(reading.Position.Partitions[$"{topic}/1"].Turn is { IsIdle: false });
    }

    [Fact]
    public async Task Once_RecordsThatComeWhileItReads_AreLeftForTheNextTime()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Fill(topic, 0, 0, 30);
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic), once: true);
        await reading.ReadUntilAsync(1);
        broker.Fill(topic, 0, 1000, 30);

        await reading.DrainAsync();

        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"0:{i}"), reading.Rows);
        Assert.Equal(30, reading.Position.Partitions[$"{topic}/0"].Next);
    }

    [Fact]
    public async Task Idle_Null_WaitsForTheQuietPartition()
    {
        string topic = await broker.CreateTopicAsync(2);
        broker.Fill(topic, 0, 0, 8);
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { IdleAfter = null }, minibatch: 4);
        await reading.ReadUntilAsync(2);

        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1.5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true) await reading.ReadAsync(stop.Token);
        });

        Assert.Equal(["0:0", "0:1"], reading.Rows);
    }

    [Fact]
    public async Task Topics_Several_AreReadInTurn()
    {
        string one = await broker.CreateTopicAsync(1);
        string other = await broker.CreateTopicAsync(1);
        broker.Fill(one, 0, 0, 4);
        broker.Fill(other, 0, 10, 4);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, other, one), once: true, minibatch: 4)
            .DrainAsync();

        Assert.Equal(["0:0", "0:1", "0:10", "0:11", "0:2", "0:3", "0:12", "0:13"], reading.Rows);
    }

    [Fact]
    public async Task Partitions_Added_AreFoundAndReadFromTheirFirstRecord()
    {
        broker.NeedsRealBroker("has a fixed number of partitions");
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 2);
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(100) });
        await reading.ReadUntilAsync(2);

        await broker.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 2 }]);
        await Eventually.True(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Partitions.Count == 2,
            "the broker shows the new partition");
        broker.Fill(topic, 1, 100, 3);
        await reading.ReadUntilAsync(5);

        Assert.Equal(["1:100", "1:101", "1:102"], reading.Rows[2..]);
    }
}
