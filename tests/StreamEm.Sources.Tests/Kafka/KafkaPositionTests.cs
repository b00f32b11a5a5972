using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Core.Features;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Where reading starts, what happens when the records there are gone, and what lag tools see.</summary>
public sealed class KafkaPositionTests(KafkaBroker broker)
{
    [Fact]
    public async Task Start_Latest_ReadsOnlyWhatComesAfterAndKeepsThatPlace()
    {
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 5);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { Start = KafkaStart.Latest };
        SourcePosition place;
        await using (var reading = new KafkaReading(options))
        {
            await reading.ReadAsync();
            place = reading.Position;
        }

        broker.Fill(topic, 0, 5, 2);
        await using KafkaReading resumed = await new KafkaReading(options, place).ReadUntilAsync(2);

        Assert.Equal(5, place.Partitions[$"{topic}/0"].Next);
        Assert.Equal(["0:5", "0:6"], resumed.Rows);
    }

    [Fact]
    public async Task Start_Timestamp_BeginsWithTheFirstRecordOfThatTime()
    {
        broker.NeedsRealBroker("keeps no index of timestamps");
        string topic = await broker.CreateTopicAsync(1);
        broker.Produce(topic, 0,
            Enumerable.Range(0, 5)
                .Select(i =>
                    new Message<byte[]?, byte[]?>
                    {
                        Value = KafkaBroker.Json(i),
                        Timestamp = new Timestamp(1_000_000 + i, TimestampType.CreateTime)
                    }));

        await using KafkaReading reading = await new KafkaReading(
            KafkaReading.Options(broker, topic) with { Start = KafkaStart.At(DateTimeOffset.FromUnixTimeMilliseconds(1_000_003)) },
            once: true).DrainAsync();

        Assert.Equal(["0:3", "0:4"], reading.Rows);
    }

    [Theory]
    [InlineData(GapPolicy.Fail)]
    [InlineData(GapPolicy.Skip)]
    public async Task Gap_RecordsDeletedBelowThePosition_FailsOrIsOnRecord(GapPolicy policy)
    {
        broker.NeedsRealBroker("deletes no records");
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 10);
        SourcePosition place;
        await using (KafkaReading before = await new KafkaReading(KafkaReading.Options(broker, topic)).ReadUntilAsync(3))
            place = before.After[2];
        await broker.Admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 7)]);

        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { OnGap = policy }, place, once: true);
        if (policy == GapPolicy.Fail)
        {
            SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);
            Assert.Equal(SourceFailure.Changed, failure.Failure);
            Assert.Contains("offset 3: 4 records were deleted before they were read: its first offset is 7", failure.Message,
                StringComparison.Ordinal);
            return;
        }

        await reading.DrainAsync();
        Assert.Equal(["0:7", "0:8", "0:9"], reading.Rows);
        Assert.Equal(4, reading.Position.Partitions[$"{topic}/0"].Skipped);
        await Eventually.True(() =>
            reading.Source.Progress.Partitions.SingleOrDefault(partition => partition.PartitionNumber == 0)?.Skipped == 4,
            "the gap to be told");
    }

    [Fact]
    public async Task Gap_InSeveralPartitionsAtOnce_IsPassedInEach()
    {
        broker.NeedsRealBroker("deletes no records");
        const int Partitions = 3;
        string topic = await broker.CreateTopicAsync(Partitions);
        for (int partition = 0; partition < Partitions; partition++) broker.Fill(topic, partition, 100 * partition, 10);
        SourcePosition place;
        await using (KafkaReading before = await new KafkaReading(KafkaReading.Options(broker, topic)).ReadUntilAsync(2 * Partitions))
            place = before.After[^1];
        await broker.Admin
            .DeleteRecordsAsync(Enumerable.Range(0, Partitions).Select(partition => new TopicPartitionOffset(topic, partition, 7)));

        await using KafkaReading reading =
            await new KafkaReading(KafkaReading.Options(broker, topic) with { OnGap = GapPolicy.Skip }, place, once: true).DrainAsync();

        Assert.Equal(
            Enumerable.Range(0, Partitions)
                .SelectMany(partition => Enumerable.Range(7, 3).Select(offset => $"{partition}:{(100 * partition) + offset}"))
                .Order(StringComparer.Ordinal),
            reading.Rows.Order(StringComparer.Ordinal));
        Assert.All(reading.Position.Partitions.Values, position => Assert.Equal(5, position.Skipped));
    }

    [Fact]
    public async Task Topic_DeletedAndCreatedAgain_IsRefused()
    {
        broker.NeedsRealBroker("gives topics no ids");
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 5);
        SourcePosition place;
        await using (KafkaReading before = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync())
            place = before.Position;
        var context = new SourceContext(new RecordSchema { Features = ["a"] }, place, TimeProvider.System);
        Assert.True(KafkaReading.Options(broker, topic).HoldsWhatWasRead(context));
        await broker.Admin.DeleteTopicsAsync([topic]);
        await Eventually.True(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Error.IsError, "the topic is gone");
        await Eventually.Succeeds<KafkaException>(() =>
            broker.Admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1 }]), "the topic is created again");
        broker.Fill(topic, 0, 0, 50);

        // Where there is no version yet, it is begun anew instead.
        Assert.False(KafkaReading.Options(broker, topic).HoldsWhatWasRead(context));
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic), place, once: true);
        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);

        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains("was deleted and created again", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_DeletedAndCreatedAgainWhileItIsRead_IsRefusedRatherThanTakenForAGap()
    {
        broker.NeedsRealBroker("gives topics no ids");
        string topic = await broker.CreateTopicAsync(1);
        broker.Fill(topic, 0, 0, 50);
        await using KafkaReading reading = await new KafkaReading(
            KafkaReading.Options(broker, topic) with { OnGap = GapPolicy.Skip, DiscoverEvery = TimeSpan.FromHours(1) }).ReadUntilAsync(50);
        await broker.Admin.DeleteTopicsAsync([topic]);
        await Eventually.True(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Error.IsError, "the topic is gone");
        await Eventually.Succeeds<KafkaException>(() =>
            broker.Admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1 }]), "the topic is created again");
        broker.Fill(topic, 0, 0, 5);

        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => reading.ReadUntilAsync(51));

        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains("was deleted and created again", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledge_GroupId_CommitsTheDurablePositionForLagTools()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Fill(topic, 0, 0, 9);
        string group = topic + "-group";
        await using (KafkaReading reading = await new KafkaReading(
            KafkaReading.Options(broker, topic) with { GroupId = group, IdleAfter = TimeSpan.FromMilliseconds(100) }).ReadUntilAsync(9))
        {
            reading.Source.Acknowledge(reading.After[3]);
            await Eventually.True(() => Committed(group, topic) == 4, "the position of the checkpoint is committed");
        }

        Assert.Equal(4, Committed(group, topic));
    }

    private long Committed(string group, string topic)
    {
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = broker.Address, GroupId = group }).SetLogHandler((_, _) => { }).Build();
        return consumer.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(10))[0].Offset.Value;
    }
}
