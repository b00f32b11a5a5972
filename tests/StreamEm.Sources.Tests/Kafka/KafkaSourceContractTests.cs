using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>What every source promises, of a topic that is read to its end.</summary>
[ContractOf(nameof(KafkaSource))]
public sealed class KafkaSourceContractTests(KafkaBroker broker) : RecordSourceContract, IAsyncLifetime
{
    private string _topic = "", _empty = "";

    public async ValueTask InitializeAsync()
    {
        _topic = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        _empty = await broker.CreateTopicAsync(KafkaBroker.MockPartitions);
        broker.Produce(_topic, 2, Lines);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override RecordSource Open(SourcePosition start) =>
        new KafkaSource(KafkaReading.Options(broker, _topic), new SourceContext(Schema, start, TimeProvider.System) { Once = true });

    protected override RecordSource OpenIdle() =>
        new KafkaSource(KafkaReading.Options(broker, _empty) with { IdleAfter = null },
            new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
}
