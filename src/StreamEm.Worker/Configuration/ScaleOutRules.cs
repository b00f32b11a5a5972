using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>What cannot be learned by several workers together.</summary>
internal sealed class ScaleOutRules(Binder binder)
{
    /// <summary>Reports what is broken.</summary>
    public void Check(ModelOptions model, string path)
    {
        if (model.ScaleOut is not { } scale) return;
        void Error(string key, string message) => binder.Problems.Error(binder.OriginOf($"{path}.{key}"), message);
        if (model.Source is not (KafkaSourceOptions or null))
            Error("source", "scale_out shares out the partitions of topics: the source has to be kafka");
        if (model.Model is not null && Learner.RefusalToScaleOut(model.Model, model.Learning) is { } refusal)
            Error("scale_out", $"scale_out: {refusal}"
                + (model.PerKey && model.Model.Growth is not null ? "; give their number: a key's own mixture grows up to it" : ""));
        if (model is { Model.MaxKeys: > 0, Schema.Key: null })
            Error("key", "workers that learn sequences together have one for every key, whose records are in one partition: name the field "
                + "of the key with 'key'");
        if (model.Schema.Label is not null)
            Error("label",
                "labels get their components in the order in which they come, which is another on every worker; leave label out");
        if (FeatureStream.Of(model.Schema, calendar: null) is { HasMemory: true })
            Error("features", "a feature that remembers what came before needs all records of its key on one worker; leave it out");
        if (model.Publish.Count > 0) Error("publish", "the model topic holds the snapshots; leave publish out");
        if (model.Scores.Count > 0 && !model.PerKey)
            Error("scores", "workers that learn together score records as they come by the models of the keys: set per_key: true, or leave "
                + "scores out");
        if (model.Alarms is not null && !model.PerKey)
            Error("alarms", "workers that learn together raise alarms by the models of the keys: set per_key: true, or leave alarms out");
        if (model.Candidates is not null) Error("candidates", "workers that learn together compare no candidates; leave them out");
        if (model.FeedbackMemory is not null)
            Error("feedback", "what people say of records reaches one worker only; leave feedback out");
        if (model.Rejected.Kafka is not null)
            Error("rejected.kafka", "workers that learn together keep rejected records in files; leave rejected.kafka out");
        if (scale.KeysTopic is { } keys && !new TopicNameKind().TryParse(keys, out _))
            Error("scale_out.keys_topic", $"keys_topic: '{keys}' is not {new TopicNameKind().Expected}");
        if (scale.Standby && !model.KeepsKeys)
            Error("scale_out.standby",
                "standby copies are of what is known of keys, and nothing is here: set per_key: true, or leave standby out");
        if (model.Source is not KafkaSourceOptions source) return;
        string[] topics = [.. source.Topics, scale.StatisticsTopic, scale.ModelTopic,
            .. model.KeepsKeys ? [scale.KeysTopic ?? $"{model.Id}-keys"] : (string[])[]];
        if (topics.Distinct(StringComparer.Ordinal).Count() < topics.Length)
            Error("scale_out", "statistics_topic, model_topic, keys_topic and the source's topics have to be different topics");
    }
}
