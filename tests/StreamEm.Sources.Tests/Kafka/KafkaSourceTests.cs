using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

public sealed class KafkaSourceTests(KafkaBroker broker)
{
    [Fact]
    public async Task Once_SeveralPartitions_ReadsThemRoundRobinAndEnds()
    {
        string topic = await broker.CreateTopicAsync(3);
        Fill(topic, 0, 0, 5);
        Fill(topic, 1, 10, 2);
        Fill(topic, 2, 20, 3);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        // Shares of 6 / 3 = 2; partition 1 is done after its turn, then the shares are 6 / 2 = 3.
        Assert.Equal(["0:0", "0:1", "1:10", "1:11", "2:20", "2:21", "2:22", "0:2", "0:3", "0:4"], reading.Rows);
        Assert.Equal([5L, 2L, 3L], reading.Position.Partitions.Values.Select(p => p.Next));
    }

    [Fact]
    public async Task Once_ResumedAnywhere_GoesOnAsIfNeverStopped()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        for (int partition = 0; partition < 4; partition++) Fill(topic, partition, 1000 * partition, 11 * partition + 3, malformedEvery: 5);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic);
        await using KafkaReading whole = await new KafkaReading(options, once: true, minibatch: 10).DrainAsync();
        Fill(topic, 0, 9000, 20);

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
        for (int partition = 0; partition < 4; partition++) Fill(topic, partition, 1000 * partition, 40, malformedEvery: 7);
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
        string topic = await broker.CreateTopicAsync(2);
        Fill(topic, 0, 0, 8);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(200) };
        await using var reading = new KafkaReading(options, minibatch: 4);

        await reading.ReadUntilAsync(8);
        Assert.True(reading.Position.Partitions[$"{topic}/1"].Turn is { IsIdle: true });
        Fill(topic, 1, 100, 2);
        await reading.ReadUntilAsync(10);

        Assert.Equal(["1:100", "1:101"], reading.Rows[8..]);
        Assert.True(reading.Position.Partitions[$"{topic}/1"].Turn is { IsIdle: false });
    }

    [Fact]
    public async Task Idle_Null_WaitsForTheQuietPartition()
    {
        string topic = await broker.CreateTopicAsync(2);
        Fill(topic, 0, 0, 8);
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
    public async Task Start_Latest_ReadsOnlyWhatComesAfterAndKeepsThatPlace()
    {
        string topic = await broker.CreateTopicAsync(1);
        Fill(topic, 0, 0, 5);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { Start = KafkaStart.Latest };
        SourcePosition place;
        await using (var reading = new KafkaReading(options))
        {
            await reading.ReadAsync();
            place = reading.Position;
        }

        Fill(topic, 0, 5, 2);
        await using KafkaReading resumed = await new KafkaReading(options, place).ReadUntilAsync(2);

        Assert.Equal(5, place.Partitions[$"{topic}/0"].Next);
        Assert.Equal(["0:5", "0:6"], resumed.Rows);
    }

    [Fact]
    public async Task Start_Timestamp_BeginsWithTheFirstRecordOfThatTime()
    {
        broker.NeedsRealBroker("keeps no index of timestamps");
        string topic = await broker.CreateTopicAsync(1);
        broker.Produce(topic, 0, Enumerable.Range(0, 5).Select(i => new Message<byte[]?, byte[]?> { Value = Json(i), Timestamp = new Timestamp(1_000_000 + i, TimestampType.CreateTime) }));

        await using KafkaReading reading = await new KafkaReading(
            KafkaReading.Options(broker, topic) with { Start = KafkaStart.At(DateTimeOffset.FromUnixTimeMilliseconds(1_000_003)) }, once: true).DrainAsync();

        Assert.Equal(["0:3", "0:4"], reading.Rows);
    }

    [Fact]
    public async Task Messages_KeyTimestampAndHeader_FillTheirRoles()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0,
        [
            new Message<byte[]?, byte[]?> { Value = Json(1), Key = "pump-7"u8.ToArray(), Timestamp = new Timestamp(1234567, TimestampType.CreateTime), Headers = [new Header("w", "2.5"u8.ToArray())] },
            new Message<byte[]?, byte[]?> { Value = Json(2), Headers = [new Header("w", "heavy"u8.ToArray())] },
            new Message<byte[]?, byte[]?> { Value = Json(3), Headers = [new Header("w", "-1"u8.ToArray())] },
        ]);
        var schema = new RecordSchema { Features = ["x"], Key = "kafka.key", Timestamp = "kafka.timestamp", Weight = "kafka.header.w" };

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true, schema: schema).DrainAsync();

        Assert.Equal(["0:1"], reading.Rows);
        Assert.Equal((2.5, "pump-7", 1234567L), reading.Last);
        Assert.Equal([(RejectionReason.NotANumber, 1L), (RejectionReason.OutOfRange, 2L)], reading.Rejected.Select(r => (r.Reason, r.Offset)));
    }

    [Fact]
    public async Task Messages_TombstonesAndMalformed_ArePassedOverAndCounted()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, "{\"x\":1}", null, "{x", null, "{\"x\":\"far\"}", "{\"x\":2}", null);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        Assert.Equal(["0:1", "0:2"], reading.Rows);
        Assert.Equal(3, reading.Source.Tombstones);
        Assert.Equal([RejectionReason.JsonSyntax, RejectionReason.NotANumber], reading.Rejected.Select(r => r.Reason));
        Assert.Equal(7, reading.Position.Partitions[$"{topic}/0"].Next);
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Float64)]
    public async Task Messages_OtherFormats_AreDecoded(RecordFormat format)
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, Enumerable.Range(1, 3).Select(i => new Message<byte[]?, byte[]?>
        {
            Value = format == RecordFormat.Csv ? Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ignored,{i}.5")) : BitConverter.GetBytes(i + 0.5),
        }));

        await using KafkaReading reading = await new KafkaReading(
            KafkaReading.Options(broker, topic) with { Format = format, Columns = ["other", "x"] }, once: true).DrainAsync();

        Assert.Equal(["0:1.5", "0:2.5", "0:3.5"], reading.Rows);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    [InlineData("snappy")]
    public async Task Messages_Compressed_AreRead(string codec)
    {
        string topic = await broker.CreateTopicAsync(1, ("compression.type", codec));
        Fill(topic, 0, 0, 500);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"0:{i}"), reading.Rows);
    }

    [Fact]
    public async Task Topics_Several_AreReadInTurn()
    {
        string one = await broker.CreateTopicAsync(1);
        string other = await broker.CreateTopicAsync(1);
        Fill(one, 0, 0, 4);
        Fill(other, 0, 10, 4);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, other, one), once: true, minibatch: 4).DrainAsync();

        Assert.Equal(["0:0", "0:1", "0:10", "0:11", "0:2", "0:3", "0:12", "0:13"], reading.Rows);
    }

    [Fact]
    public async Task Partitions_Added_AreFoundAndReadFromTheirFirstRecord()
    {
        broker.NeedsRealBroker("has a fixed number of partitions");
        string topic = await broker.CreateTopicAsync(1);
        Fill(topic, 0, 0, 2);
        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(100) });
        await reading.ReadUntilAsync(2);

        await broker.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 2 }]);
        await Eventually.TrueAsync(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Partitions.Count == 2, "the broker shows the new partition");
        Fill(topic, 1, 100, 3);
        await reading.ReadUntilAsync(5);

        Assert.Equal(["1:100", "1:101", "1:102"], reading.Rows[2..]);
    }

    [Theory]
    [InlineData(GapPolicy.Fail)]
    [InlineData(GapPolicy.Skip)]
    public async Task Gap_RecordsDeletedBelowThePosition_FailsOrIsOnRecord(GapPolicy policy)
    {
        broker.NeedsRealBroker("deletes no records");
        string topic = await broker.CreateTopicAsync(1);
        Fill(topic, 0, 0, 10);
        SourcePosition place;
        await using (KafkaReading before = await new KafkaReading(KafkaReading.Options(broker, topic)).ReadUntilAsync(3)) place = before.After[2];
        await broker.Admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 7)]);

        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic) with { OnGap = policy }, place, once: true);
        if (policy == GapPolicy.Fail)
        {
            SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);
            Assert.Equal(SourceFailure.Changed, failure.Failure);
            Assert.Contains("offset 3: 4 records were deleted before they were read: its first offset is 7", failure.Message, StringComparison.Ordinal);
            return;
        }

        await reading.DrainAsync();
        Assert.Equal(["0:7", "0:8", "0:9"], reading.Rows);
        Assert.Equal(4, reading.Position.Partitions[$"{topic}/0"].Skipped);
    }

    [Fact]
    public async Task Topic_DeletedAndCreatedAgain_IsRefused()
    {
        broker.NeedsRealBroker("gives topics no ids");
        string topic = await broker.CreateTopicAsync(1);
        Fill(topic, 0, 0, 5);
        SourcePosition place;
        await using (KafkaReading before = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync()) place = before.Position;
        await broker.Admin.DeleteTopicsAsync([topic]);
        await Eventually.TrueAsync(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Error.IsError, "the topic is gone");
        await Eventually.SucceedsAsync(() => broker.Admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1 }]), "the topic is created again");
        Fill(topic, 0, 0, 50);

        await using var reading = new KafkaReading(KafkaReading.Options(broker, topic), place, once: true);
        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);

        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains("was deleted and created again", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_Missing_IsRefusedOrWaitedFor()
    {
        broker.NeedsRealBroker("has every topic that is asked for");
        KafkaSourceOptions options = KafkaReading.Options(broker, "no-such-topic") with { UnavailableAfter = TimeSpan.FromSeconds(1) };
        await using var once = new KafkaReading(options, once: true);
        await using var patient = new KafkaReading(options);

        Assert.Equal(SourceFailure.Missing, (await Assert.ThrowsAsync<SourceException>(once.DrainAsync)).Failure);
        await Eventually.TrueAsync(() => patient.Source.Problem is not null, "the source says what it waits for");
        SourceException failure = await Assert.ThrowsAsync<SourceException>(patient.DrainAsync);
        Assert.Equal(SourceFailure.Missing, failure.Failure);
        Assert.Contains("Topic 'no-such-topic' does not exist", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Brokers_OutOfReach_AreAProblemAndThenAFailure()
    {
        var options = new KafkaSourceOptions { Brokers = ["127.0.0.1:1"], Topics = ["t"], UnavailableAfter = TimeSpan.FromSeconds(2) };
        await using var reading = new KafkaReading(options);

        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);

        Assert.Equal(SourceFailure.Unavailable, failure.Failure);
        Assert.Contains("127.0.0.1:1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("lasted 2 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledge_GroupId_CommitsTheDurablePositionForLagTools()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        Fill(topic, 0, 0, 9);
        string group = topic + "-group";
        await using (KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic) with { GroupId = group, IdleAfter = TimeSpan.FromMilliseconds(100) }).ReadUntilAsync(9))
        {
            reading.Source.Acknowledge(reading.After[3]);
            await Eventually.TrueAsync(() => Committed(group, topic) == 4, "the position of the checkpoint is committed");
        }

        Assert.Equal(4, Committed(group, topic));
    }

    [Fact]
    public async Task ReadAhead_SmallBound_ReadsEverythingInOrder()
    {
        string topic = await broker.CreateTopicAsync(3);
        for (int partition = 0; partition < 3; partition++) Fill(topic, partition, 10_000 * partition, partition == 1 ? 200 : 3000);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic);

        await using KafkaReading roomy = await new KafkaReading(options, once: true).DrainAsync();
        await using KafkaReading tight = await new KafkaReading(options with { ReadAheadBytes = 8 * 1024 }, once: true).DrainAsync();

        Assert.Equal(6200, roomy.Rows.Count);
        Assert.Equal(roomy.Rows, tight.Rows);
    }

    private long Committed(string group, string topic)
    {
        using IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = broker.Address, GroupId = group }).SetLogHandler((_, _) => { }).Build();
        return consumer.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(10))[0].Offset.Value;
    }

    private void Fill(string topic, int partition, int first, int count, int malformedEvery = 0) => broker.Produce(topic, partition,
        Enumerable.Range(first, count).Select(i => malformedEvery > 0 && i % malformedEvery == 1 ? "{\"x\":" : string.Create(CultureInfo.InvariantCulture, $"{{\"x\":{i}}}")));

    private static byte[] Json(int x) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"x\":{x}}}"));
}
