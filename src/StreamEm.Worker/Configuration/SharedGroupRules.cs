using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>
/// Models that several workers learn are kept apart: a consumer group shares partitions out among all of its members, whichever model they
/// are of, so that two models of one group would each learn a part of the records.
/// </summary>
internal sealed class SharedGroupRules(WorkerOptions options, Binder binder)
{
    private const string Reducers = "-reducer";

    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check()
    {
        for (int i = 0; i < options.Models.Count; i++)
        {
            if (options.Models[i] is not { ScaleOut: { } scale, Source: KafkaSourceOptions source } model) continue;
            for (int before = 0; before < i; before++)
            {
                if (options.Models[before] is not { ScaleOut: { } otherScale, Source: KafkaSourceOptions otherSource } other) continue;
                bool isOneCluster = source.Brokers.Intersect(otherSource.Brokers, StringComparer.OrdinalIgnoreCase).Any();
                if (!isOneCluster || other.Id == model.Id) continue;
                string path = ConfigPath.Join("models", i);
                CheckGroups(model.Id, scale.GroupOf(model.Id, source), other.Id, otherScale.GroupOf(other.Id, otherSource),
                    scale.GroupId is null && source.GroupId is not null ? $"{path}.source.kafka.group_id" : $"{path}.scale_out.group_id");
                CheckTopics(model, other, path);
            }
        }
    }

    private void CheckGroups(string id, string group, string otherId, string otherGroup, string path)
    {
        string? fault = group == otherGroup
            ? $"the workers of model '{id}' and those of model '{otherId}' would be in one consumer group, '{group}', which "
                + "shares partitions out among all of its members: each model would learn a part of the records"
            : group == otherGroup + Reducers
                ? $"the workers of model '{id}' would be in consumer group '{group}', which chooses who folds model '{otherId}'"
            : otherGroup == group + Reducers
                ? $"the workers of model '{otherId}' would be in consumer group '{otherGroup}', which chooses who folds model '{id}'"
            : null;
        if (fault is not null)
            binder.Problems.Error(binder.OriginOf(path),
                $"{fault}; expected a group for each: give one a scale_out.group_id of its own, or leave it out for streamem-ID");
    }

    private void CheckTopics(ModelOptions model, ModelOptions other, string path)
    {
        foreach ((string topic, string role) in TopicsOf(model))
            foreach ((string known, string otherRole) in TopicsOf(other))
                if (topic == known && role != otherRole)
                    binder.Problems.Error(binder.OriginOf($"{path}.scale_out"),
                        $"topic '{topic}' is {role} of model '{model.Id}' and {otherRole} of model '{other.Id}'; expected a topic for "
                            + "each: name another");
        string statistics = model.ScaleOut!.StatisticsTopic;
        if (statistics == other.ScaleOut!.StatisticsTopic)
            binder.Problems.Warn(binder.OriginOf($"{path}.scale_out.statistics_topic"),
                $"statistics_topic '{statistics}' is that of model '{other.Id}' too: each reads the other's messages, says of every one "
                    + "that it does not count, and drops it; name another");
    }

    private static IEnumerable<(string Topic, string Role)> TopicsOf(ModelOptions model)
    {
        ScaleOutOptions scale = model.ScaleOut!;
        yield return (scale.StatisticsTopic, "statistics_topic");
        yield return (scale.ModelTopic, "model_topic");
        if (model.KeepsKeys) yield return (scale.KeysTopic ?? $"{model.Id}-keys", "keys_topic");
        foreach (string topic in ((KafkaSourceOptions)model.Source).Topics) yield return (topic, "a source");
    }
}
