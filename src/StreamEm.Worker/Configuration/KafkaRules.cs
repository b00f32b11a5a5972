using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Configuration;

/// <summary>
/// Rules that only Kafka knows: what its client takes as properties, and which parts of a message a record can have its fields from.
/// </summary>
internal sealed class KafkaRules(WorkerOptions options, Binder binder)
{
    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check()
    {
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelOptions model = options.Models[i];
            string path = ConfigPath.Join("models", i);
            if (model.Source is KafkaSourceOptions source)
            {
                CheckFields(model, source, path);
                RegistryRules.Check(source, $"{path}.source.kafka", model.Schema.Read.Key == KafkaFields.Key, binder);
                CheckProperties($"{path}.source.kafka", source.Properties, () => KafkaPropertyCheck.Find(source));
            }

            for (int item = 0; item < model.Publish.Count; item++)
            {
                if (model.Publish[item] is KafkaPublisherOptions publisher)
                    CheckTarget($"{path}.publish.{item}.kafka",
                        new KafkaTarget(publisher.Brokers, publisher.Topic, publisher.Properties, "publish.kafka"), isBatched: false);
            }

            for (int item = 0; item < model.Scores.Count; item++)
            {
                if (model.Scores[item] is KafkaScoreOptions scores)
                    CheckTarget($"{path}.scores.{item}.kafka",
                        new KafkaTarget(scores.Brokers, scores.Topic, scores.Properties, "scores.kafka"), isBatched: true);
            }

            if (model.Rejected.Kafka is { } rejected)
                CheckTarget($"{path}.rejected.kafka",
                    new KafkaTarget(rejected.Brokers, rejected.Topic, rejected.Properties, "rejected.kafka"), isBatched: true);
        }
    }

    private void CheckFields(ModelOptions model, KafkaSourceOptions source, string path)
    {
        bool isRefused = false;
        foreach ((string role, string reason) in KafkaFields.Refusals(model.Schema.Read))
        {
            binder.Problems.Error(binder.OriginOf($"{path}.{role}"), $"{role}: {reason.TrimEnd('.')}");
            isRefused = true;
        }

        foreach ((string role, string field, string meant) in KafkaFields.Doubts(model.Schema.Read))
            binder.Problems
                .Warn(binder.OriginOf($"{path}.{role}"),
                    $"{role}: '{field}' is looked for in the message's value; did you mean '{meant}'?");
        if (!isRefused && KafkaSource.Refusal(source, model.Schema.Read) is { } refusal)
            binder.Problems.Error(
                binder.OriginOf($"{path}.source.kafka.{(source.Format == RecordFormat.Csv ? "columns" : "format")}"), refusal.TrimEnd('.'));
    }

    /// <summary>Where something is written, the topic is asked by a consumer and written by a producer.</summary>
    private void CheckTarget(string path, KafkaTarget target, bool isBatched) =>
        CheckProperties(path, target.Properties, () => KafkaPropertyCheck.Find(
        target.Properties,
        properties => KafkaTopic.Configure(target with { Properties = properties }),
        properties => KafkaProducer.Configure(target with { Properties = properties }, KafkaProducer.DefaultMaxMessageBytes, isBatched)));

    private void CheckProperties(string path, IReadOnlyDictionary<string, string> properties, Func<IReadOnlyList<PropertyFault>> find)
    {
        if (properties.Count == 0) return;
        string at = $"{path}.properties";
        try
        {
            foreach (PropertyFault fault in find())
            {
                string where = fault.Name is null ? at : ConfigPath.Join(at, fault.Name);
                binder.Problems.Error(binder.OriginOf(where), $"{ConfigPath.Shown(where)} {fault.Message}");
            }
        }
        catch (Exception missing) when (KafkaClient.IsMissing(missing))
        {
            binder.Problems
                .Warn(binder.OriginOf(at), $"{ConfigPath.Shown(at)} cannot be checked: {KafkaClient.UnusableClient(missing).Message}");
        }
    }
}
