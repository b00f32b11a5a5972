using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Brokers and topics out of reach, and memory that is full.</summary>
public sealed class KafkaAvailabilityTests(KafkaBroker broker)
{
    [Fact]
    public async Task Topic_Missing_IsRefusedOrWaitedFor()
    {
        broker.NeedsRealBroker("has every topic that is asked for");
        KafkaSourceOptions options = KafkaReading.Options(broker, "no-such-topic") with { UnavailableAfter = TimeSpan.FromSeconds(1) };
        await using var once = new KafkaReading(options, once: true);
        await using var patient = new KafkaReading(options);

        Assert.Equal(SourceFailure.Missing, (await Assert.ThrowsAsync<SourceException>(once.DrainAsync)).Failure);
        await Eventually.True(() => patient.Source.Problem is not null, "the source says what it waits for");
        SourceException failure = await Assert.ThrowsAsync<SourceException>(patient.DrainAsync);
        Assert.Equal(SourceFailure.Missing, failure.Failure);
        Assert.Contains("Topic 'no-such-topic' does not exist", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_DeletedWhileItIsRead_IsAProblemAtOnce()
    {
        broker.NeedsRealBroker("deletes no topics");
        string topic = await broker.CreateTopicAsync(2);
        broker.Fill(topic, 0, 0, 12);
        KafkaSourceOptions options =
            KafkaReading.Options(broker, topic) with { DiscoverEvery = TimeSpan.FromHours(1), UnavailableAfter = TimeSpan.FromSeconds(3) };
        await using var reading = new KafkaReading(options);
        await reading.ReadUntilAsync(12);
        Assert.Null(reading.Source.Problem);

        await broker.Admin.DeleteTopicsAsync([topic]);
        await Eventually.True(() => reading.Source.Problem is not null, "the source misses the topic", TimeSpan.FromSeconds(5));

        Assert.StartsWith($"Topic '{topic}' does not exist", reading.Source.Problem, StringComparison.Ordinal);
        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);
        Assert.Equal(SourceFailure.Missing, failure.Failure);
        Assert.Contains($"Topic '{topic}' does not exist", failure.Message, StringComparison.Ordinal);
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
    public async Task ReadAhead_SmallBound_ReadsEverythingInOrder()
    {
        string topic = await broker.CreateTopicAsync(3);
        for (int partition = 0; partition < 3; partition++) broker.Fill(topic, partition, 10_000 * partition, partition == 1 ? 200 : 3000);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic);

        await using KafkaReading roomy = await new KafkaReading(options, once: true).DrainAsync();
        await using KafkaReading tight = await new KafkaReading(options with { ReadAheadBytes = 8 * 1024 }, once: true).DrainAsync();

        Assert.Equal(6200, roomy.Rows.Count);
        Assert.Equal(roomy.Rows, tight.Rows);
    }

    [Fact]
    public async Task ReadAhead_NobodyReads_PausesPartitionsAndPollsOn()
    {
        const int Partitions = KafkaBroker.MockPartitions, Records = 3000;
        const long Bound = 32 * 1024;
        string topic = await broker.CreateTopicAsync(Partitions);
        for (int partition = 0; partition < Partitions; partition++) broker.Fill(topic, partition, 10_000 * partition, Records);
        await using var reading =
            new KafkaReading(KafkaReading.Options(broker, topic) with { ReadAheadBytes = Bound, IdleAfter = null }, minibatch: 60);

        await Eventually.True(() => reading.Source.Progress.Paused == Partitions, "every partition is paused");
        long rounds = reading.Source.Rounds;
        await Eventually.True(() => reading.Source.Rounds > rounds + 20, "polling goes on");
        Assert.Equal(Partitions, reading.Source.Progress.Paused);
        Assert.InRange(reading.Source.BytesAhead, Bound, 2 * Bound);

        await reading.ReadUntilAsync(Partitions * Records);
        Assert.Equal(Partitions * Records, reading.Rows.Distinct().Count());
        await Eventually.True(() => reading.Source.Progress.Paused == 0, "every partition is resumed");
    }
}
