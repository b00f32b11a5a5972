using System.Text;
using Avro.Generic;
using Confluent.Kafka;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Registry;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Topics whose messages name their schemas in a registry, written by Confluent's own serializer.</summary>
public sealed class RegisteredTopicTests(KafkaBroker broker) : IDisposable
{
    private const string One = """{"type":"record","name":"R","fields":[{"name":"x","type":"double"}]}""";

    private const string Two = """
        {"type":"record","name":"R","fields":[{"name":"y","type":["null","string"]},{"name":"x","type":"long"}]}
        """;

    private readonly StandInRegistry _server = new();

    public void Dispose() => _server.Dispose();

    private KafkaSourceOptions Options(string topic, RecordFormat format = RecordFormat.Avro) => KafkaReading.Options(broker, topic) with
    {
        Format = format, SchemaRegistry = new SchemaRegistryOptions { Url = [_server.Url] },
    };

    [Fact]
    public async Task AvroTopic_WhoseSchemaChanges_IsReadOnWithKeysAndRejectsWhatIsDamaged()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        byte[] older = await SerializedAsync(topic, One, ("x", 1.5)), newer = await SerializedAsync(topic, Two, ("y", "a"), ("x", 2L));
        byte[] key = StandInRegistry.Message(_server.Register($"{topic}-key", "\"string\""), 4, (byte)'p', (byte)'7');
        broker.Produce(topic, 0, new[] { older, newer, [.. newer, 0], [1, 2, 3, 4, 5, 6], "{\"x\":1}"u8.ToArray(), older }
            .Select(value => new Message<byte[]?, byte[]?> { Value = value, Key = key }));
        var schema = new RecordSchema { Features = ["x"], Key = "kafka.key" };

        await using KafkaReading reading = await new KafkaReading(
            Options(topic) with { KeyFormat = KeyFormat.Avro }, once: true, schema: schema).DrainAsync();

        Assert.Equal(["0:1.5", "0:2", "0:1.5"], reading.Rows);
        Assert.Equal("p7", reading.Last.Key);
        Assert.Equal([2L, 3L, 4L], reading.Rejected.Select(record => record.Offset));
        Assert.All(reading.Rejected, record => Assert.Equal(RejectionReason.SchemaMismatch, record.Reason));
        Assert.Equal(6, reading.Position.Partitions[$"{topic}/0"].Next);
        Assert.Equal(3, _server.Asked.Count(path => path.StartsWith("/schemas/ids/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task JsonTopic_IsReadBehindTheNumberOfItsSchema()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        int json = _server.Register($"{topic}-value", "{\"type\":\"object\"}", "JSON"), avro = _server.Register("other-value", One);
        broker.Produce(topic, 0,
            new[] { (json, "{\"x\":1}"), (json, "{\"x\":"), (avro, "{\"x\":2}"), (json, "{\"x\":3}") }.Select(
                message => new Message<byte[]?, byte[]?>
                {
                    Value = StandInRegistry.Message(message.Item1, Encoding.UTF8.GetBytes(message.Item2)),
                }));

        await using KafkaReading reading =
            await new KafkaReading(Options(topic, RecordFormat.JsonSchema), once: true).DrainAsync();

        Assert.Equal(["0:1", "0:3"], reading.Rows);
        Assert.Equal([RejectionReason.JsonSyntax, RejectionReason.SchemaMismatch], reading.Rejected.Select(record => record.Reason));
        Assert.Equal($"schema {avro} of the registry is of type AVRO, expected JSON (source.kafka.format)", reading.Rejected[1].Detail);
    }

    [Fact]
    public async Task RegistryThatIsAway_IsWaitedForAndNothingIsLostOrRejected()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, [new Message<byte[]?, byte[]?> { Value = await SerializedAsync(topic, One, ("x", 1.0)) }]);
        _server.IsAway = true;
        await using var reading = new KafkaReading(Options(topic), once: true);

        Task<KafkaReading> drained = reading.DrainAsync();
        await Eventually.True(() => reading.Source.Problem is not null, "the outage is told");
        Assert.Contains("answers 503", reading.Source.Problem, StringComparison.Ordinal);
        Assert.Empty(reading.Rows);
        _server.IsAway = false;
        await Eventually.Within(drained);

        Assert.Equal(["0:1"], reading.Rows);
        Assert.Empty(reading.Rejected);
        Assert.Null(reading.Source.Problem);
    }

    [Fact]
    public async Task NumberThatTheRegistryDoesNotHave_IsRejectedAsADecision()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        byte[] good = await SerializedAsync(topic, One, ("x", 1.0));
        broker.Produce(topic, 0, new[] { good, StandInRegistry.Message(99, 0), good }
            .Select(value => new Message<byte[]?, byte[]?> { Value = value }));

        await using KafkaReading reading = await new KafkaReading(Options(topic), once: true).DrainAsync();

        Assert.Equal(["0:1", "0:1"], reading.Rows);
        Assert.Equal((RejectionReason.SchemaMismatch, "the schema registry has no schema 99", 1L),
            (Assert.Single(reading.Rejected).Reason, reading.Rejected[0].Detail, reading.Rejected[0].Offset));
        Assert.Contains(reading.Decisions, decision => decision.Position.Next >= 2);
    }

    [Fact]
    public async Task MessagesOfARegistry_ReadAsJson_SayWhatTheyAre()
    {
        string topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(topic, 0, [new Message<byte[]?, byte[]?> { Value = await SerializedAsync(topic, One, ("x", 1.5)) }]);

        await using KafkaReading reading = await new KafkaReading(KafkaReading.Options(broker, topic), once: true).DrainAsync();

        Assert.Contains("whose schema is in a registry (source.kafka.format: avro or json_schema)", Assert.Single(reading.Rejected).Detail,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(One, "x", "schema 1 of subject 't-value' has all the fields", null)]
    [InlineData(One, "X2", null,
        "Schema 1, the newest of subject 't-value', has no field 'X2'; did you mean 'x'?; its fields are: x.")]
    [InlineData("{", "x", null, "schema 1 of the registry cannot be read: it is no JSON.")]
    public async Task Probe_SaysWhatTheNewestSchemaHas(string schema, string field, string? found, string? refused)
    {
        _server.Register("t-value", schema);

        Task<string> asked = RegistryProbe.AskAsync(Options("t"), new RecordSchema { Features = [field] }, TimeSpan.FromSeconds(15),
            TimeProvider.System, TestContext.Current.CancellationToken);

        if (found is not null) Assert.Equal(found, await asked);
        else Assert.Equal(refused, (await Assert.ThrowsAsync<SourceException>(() => asked)).Message);
    }

    [Fact]
    public async Task Probe_WithoutASubject_IsNoFault() => Assert.Equal(
        "no subject 't-value' yet; each message names its schema; no subject 't-key' yet; each message names its schema",
        await RegistryProbe.AskAsync(Options("t") with { KeyFormat = KeyFormat.Avro }, new RecordSchema { Features = ["x"] },
            TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken));

    private async Task<byte[]> SerializedAsync(string topic, string schema, params (string Field, object? Value)[] fields)
    {
        using var client = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = _server.Url });
        var record = new GenericRecord((global::Avro.RecordSchema)global::Avro.Schema.Parse(schema));
        foreach ((string field, object? value) in fields) record.Add(field, value);
        return await new AvroSerializer<GenericRecord>(client).SerializeAsync(
            record, new SerializationContext(MessageComponentType.Value, topic));
    }
}
