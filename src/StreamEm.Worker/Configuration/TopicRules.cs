using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about topics: none is written that a model reads, and one model publishes to one only once.</summary>
internal sealed class TopicRules(WorkerOptions options, Binder binder)
{
    /// <summary>The models that read a topic, by its name.</summary>
    private readonly ILookup<string, (ModelOptions Model, KafkaSourceOptions Source)> _readers = options.Models
        .Where(model => model.Source is KafkaSourceOptions).Select(model => (Model: model, Source: (KafkaSourceOptions)model.Source))
        .SelectMany(reader => reader.Source.Topics.Select(topic => (Topic: topic, Reader: reader)))
        .ToLookup(read => read.Topic, read => read.Reader, StringComparer.Ordinal);

    /// <summary>Reports what is broken.</summary>
    public void Check()
    {
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelOptions model = options.Models[i];
            string path = ConfigPath.Join("models", i);
            var written = new Dictionary<string, List<KafkaPublisherOptions>>(StringComparer.Ordinal);
            for (int item = 0; item < model.Publish.Count; item++)
            {
                if (model.Publish[item] is not KafkaPublisherOptions publisher) continue;
                Origin origin = binder.OriginOf($"{path}.publish.{item}.kafka.topic");
                RefuseLoop(publisher.Brokers, publisher.Topic, origin, "snapshots");
                if (!written.TryGetValue(publisher.Topic, out List<KafkaPublisherOptions>? others)) written[publisher.Topic] = others = [];
                if (others.Exists(other => IsSame(other.Brokers, other.Topic, publisher.Brokers, publisher.Topic)))
                    binder.Problems.Error(origin, $"model '{model.Id}' publishes to topic '{publisher.Topic}' twice; keep one");
                else others.Add(publisher);
            }

            for (int item = 0; item < model.Scores.Count; item++)
            {
                if (model.Scores[item] is not KafkaScoreOptions scores) continue;
                Origin origin = binder.OriginOf($"{path}.scores.{item}.kafka.topic");
                RefuseLoop(scores.Brokers, scores.Topic, origin, "scores");
                if (model.Publish.OfType<KafkaPublisherOptions>()
                    .Any(publisher => IsSame(publisher.Brokers, publisher.Topic, scores.Brokers, scores.Topic)))
                    binder.Problems.Error(origin,
                        $"scores would go to topic '{scores.Topic}', which holds snapshots of model '{model.Id}'; write to another topic");
            }

            if (model.Rejected.Kafka is { } rejected)
                RefuseLoop(rejected.Brokers, rejected.Topic, binder.OriginOf($"{path}.rejected.kafka.topic"), "rejected records");
        }
    }

    private void RefuseLoop(IReadOnlyList<string> brokers, string topic, Origin origin, string what)
    {
        ModelOptions? reader = _readers[topic].FirstOrDefault(known => IsSame(known.Source.Brokers, topic, brokers, topic)).Model;
        if (reader is not null)
            binder.Problems
                .Error(origin, $"{what} would go to topic '{topic}', which is a source of model '{reader.Id}'; write to another topic");
    }

    /// <summary>Whether it is the same topic; clusters with a broker in common are the same.</summary>
    private static bool IsSame(IReadOnlyList<string> brokers, string topic, IReadOnlyList<string> otherBrokers, string otherTopic) =>
        topic == otherTopic && topic.Length > 0 && brokers.Intersect(otherBrokers, StringComparer.OrdinalIgnoreCase).Any();
}
