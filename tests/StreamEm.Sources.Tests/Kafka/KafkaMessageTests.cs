using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>What a message means.</summary>
public sealed class KafkaMessageTests(KafkaBroker broker)
{
    [Fact]
    public async Task Messages_KeyTimestampAndHeader_FillTheirRoles()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0,
        [
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(1), Key = "pump-7"u8.ToArray(),
                Timestamp = new Timestamp(1234567, TimestampType.CreateTime), Headers = [new Header("w", "2.5"u8.ToArray())] },
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(2), Headers = [new Header("w", "heavy"u8.ToArray())] },
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(3), Headers = [new Header("w", "-1"u8.ToArray())] },
        ]);
        var schema = new RecordSchema { Features = ["x"], Key = "kafka.key", Timestamp = "kafka.timestamp", Weight = "kafka.header.w" };

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true, schema: schema)
            .DrainAsync();

        Assert.Equal(["0:1"], reading.Rows);
        Assert.Equal((2.5, "pump-7", 1234567L), reading.Last);
        Assert.Equal([(RejectionReason.NotANumber, 1L), (RejectionReason.OutOfRange, 2L)],
            reading.Rejected.Select(r => (r.Reason, r.Offset)));
    }

    [Fact]
    public async Task Messages_TraceInTheHeaders_IsKeptOnlyWhenAskedFor()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        Header first = new("traceparent", "00-1"u8.ToArray()), last = new("traceparent", "00-2"u8.ToArray()),
            state = new("tracestate", "a=1"u8.ToArray());
        broker.Produce(topic, 0,
        [
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(1), Headers = [first, state, last] },
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(2), Headers = [state] },
            new Message<byte[]?, byte[]?> { Value = "{"u8.ToArray(), Headers = [first] },
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(3), Headers = [first] },
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(4) },
        ]);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic);

        await using KafkaReading asked = await new KafkaReading(options, once: true, keepTraces: true).DrainAsync();
        await using KafkaReading plain = await new KafkaReading(options, once: true).DrainAsync();

        Assert.Equal(["00-2 a=1", "", "00-1", ""], asked.Traces.Select(Text));
        Assert.All(plain.Traces, trace => Assert.True(trace.IsNone));
        Assert.Equal(asked.Rows, plain.Rows);

        static string Text(RecordTrace trace) =>
            string.Join(' ', new[] { trace.Parent, trace.State }.OfType<byte[]>().Select(Encoding.UTF8.GetString));
    }

    [Theory]
    [InlineData(false, "none")]
    [InlineData(true, "headers")]
    public void ConsumeResultFields_Traces_CostTheHeadersWhereTheyAreKept(bool keepsTraces, string fields)
    {
        var message = new KafkaMessageFields(new RecordSchema { Features = ["x"] }) { KeepsTraces = keepsTraces };

        Assert.Equal(fields, message.ConsumeResultFields(isOneTopic: true));
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
    [InlineData("{x", 1)]
    [InlineData(null, 0)]
    public async Task Messages_LastOfWhichIsNoRecord_LeaveThePositionAfterIt(string? last, int rejected)
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, "{\"x\":1}", last);
        KafkaSourceOptions options = KafkaReading.Options(broker, topic) with { IdleAfter = TimeSpan.FromMilliseconds(100) };
        await using var reading = new KafkaReading(options);

        // While more may come: at the end of a drained partition the end itself is the position.
        while (reading.Position.Partitions.GetValueOrDefault($"{topic}/0")?.Next is not 2) await reading.ReadAsync();
        Assert.Equal(rejected, reading.Rejected.Count);
        broker.Produce(topic, 0, "{\"x\":2}");
        await using KafkaReading rest = await new KafkaReading(options, reading.Position).ReadUntilAsync(1);

        Assert.Equal(["0:2"], rest.Rows);
        Assert.Empty(rest.Rejected);
    }

    [Fact]
    public async Task Messages_RejectedOnes_KeepTheirMessageWhenAsked()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 1,
        [
            new Message<byte[]?, byte[]?> { Value = KafkaBroker.Json(1), Key = "good"u8.ToArray() },
            new Message<byte[]?, byte[]?>
            {
                Value = [0xFF, 0x00, (byte)'{'],
                Key = [0xFE, 1],
                Timestamp = new Timestamp(1234567, TimestampType.CreateTime),
                Headers = [new Header("a", "1"u8.ToArray()), new Header("b", null), new Header("a", [0xFD])],
            },
            new Message<byte[]?, byte[]?> { Value = [] },
        ]);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true, keepOriginals: true)
            .DrainAsync();
        await using KafkaReading without = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        Assert.Equal([1L, 2L], reading.Rejected.Select(record => record.Offset));
        OriginalMessage original = reading.Rejected[0].Original!, bare = reading.Rejected[1].Original!;
        Assert.Equal((topic, 1, 1234567L), (original.Topic, original.PartitionNumber, original.Timestamp));
        Assert.Equal<byte[]>([[0xFF, 0x00, (byte)'{'], [0xFE, 1]], [original.Value, original.Key!]);
        Assert.Equal(["a", "b", "a"], original.Headers.Select(header => header.Key));
        Assert.Equal<byte[]?>(["1"u8.ToArray(), null, [0xFD]], original.Headers.Select(header => header.Value));
        Assert.Null(bare.Key);
        Assert.Empty(bare.Value);
        Assert.Empty(bare.Headers);
        Assert.Equal(["1:1"], reading.Rows);
        Assert.All(without.Rejected, record => Assert.Null(record.Original));
    }

    [Theory]
    [InlineData(RecordFormat.Csv)]
    [InlineData(RecordFormat.Float64)]
    public async Task Messages_OtherFormats_AreDecoded(RecordFormat format)
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, Enumerable.Range(1, 3).Select(i => new Message<byte[]?, byte[]?>
        {
            Value = format == RecordFormat.Csv
                ? Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ignored,{i}.5"))
                : BitConverter.GetBytes(i + 0.5),
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
        broker.Fill(topic, 0, 0, 500);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"0:{i}"), reading.Rows);
    }
}
