using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Tests.Contracts;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>What every publisher promises, of a topic.</summary>
[ContractOf(nameof(KafkaSnapshotPublisher))]
public sealed class KafkaSnapshotPublisherContractTests(KafkaBroker broker) : SnapshotPublisherContract
{
    private string? _topic;

    protected override async Task<SnapshotPublisher> CreateAsync()
    {
        broker.NeedsRealBroker("tells no topic's settings");
        _topic ??= await broker.CreateTopicAsync(1, ("cleanup.policy", "compact"));
        var options = new KafkaPublisherOptions { Brokers = [broker.Address], Topic = _topic };
        var schema = new RecordSchema { Features = ["temperature", "pressure"] };
        var model = new PublishedModel("boiler", ModelCatalog.MixtureOf(new GaussianOptions(), components: 2), schema);
        return new KafkaSnapshotPublisher(options, model, TimeProvider.System, new ListLogger());
    }

    protected override IReadOnlyList<byte[]> Published() => [.. TopicLog.Read(broker, _topic!).Select(record => record.Value!)];
}
