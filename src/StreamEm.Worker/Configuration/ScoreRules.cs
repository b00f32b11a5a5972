using StreamEm.Core.Learning;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about scores and alarms that one key alone cannot break.</summary>
internal sealed class ScoreRules(Binder binder)
{
    private const string Every = "*";

    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check(ModelOptions model, string path)
    {
        var sinks = new Dictionary<string, Origin>(StringComparer.Ordinal);
        for (int item = 0; item < model.Scores.Count; item++)
        {
            (string at, string sink) = PlaceOf(model.Scores[item], $"{path}.scores.{item}");
            Origin origin = binder.OriginOf(at);
            if (!sinks.TryAdd(sink, origin))
                binder.Problems.Error(
                    origin, $"the scores of model '{model.Id}' go to {sink} twice; the first is at {sinks[sink]}; keep one");
            CheckSelection(model, model.Scores[item].Selection, at);
        }

        if (model.Alarms is { } alarms) CheckAlarms(model, alarms, path);
    }

    private void CheckSelection(ModelOptions model, ScoreSelection selection, string at)
    {
        foreach (string name in selection.Include.Names)
            RefuseUnknown(name, ScoreFields.AllOf(model.Schema), $"{at}.include", "a field that the model reads");
        if (selection.Explain && model.Model is { NeedsKey: true })
            binder.Problems.Error(binder.OriginOf($"{at}.explain"),
                $"explain: a record of {model.Model.Type} is improbable for what came before it, not for one feature; leave explain out");
        if (selection.AlarmsOnly && model.Alarms is null)
            binder.Problems.Error(binder.OriginOf($"{at}.alarms_only"),
                "alarms_only: the model raises no alarms; add 'alarms: {}' to it, or choose records by 'above'");
    }

    private void CheckAlarms(ModelOptions model, Core.Alarms.AlarmOptions alarms, string path)
    {
        if (alarms.Clear is { } clear && clear < alarms.Threshold)
            binder.Problems.Error(binder.OriginOf($"{path}.alarms.clear"),
                FormattableString.Invariant(
                    $"alarms.clear {clear} is below alarms.threshold {alarms.Threshold}: an alarm would end at once; use at least that"));
        if (alarms.FalseDiscoveryRate is not null && model.Model is { Growth: null })
        {
            bool learnsAll = model.Learning.Learn is LearnMode.Bounded or LearnMode.Always;
            if (learnsAll || model.Model is MixtureOptions { Components: > 1 })
                binder.Problems.Warn(binder.OriginOf($"{path}.alarms.false_discovery_rate"),
                    learnsAll
                        ? "false_discovery_rate finds little where strange records keep coming and count as a part of the stream; let the "
                            + "mixture grow (model.components: { max: 32 }), or set learn: gated"
                        : "false_discovery_rate is not held by several components that are gated: what is not learned is missing in the "
                            + "tail that p-values come from; let the mixture grow (model.components: { max: 32 }) to hold it");
        }

        if (alarms.MinGap is not null && model.Schema.Timestamp is null)
            binder.Problems.Error(binder.OriginOf($"{path}.alarms.min_gap"),
                "alarms.min_gap is a time between records: name the field of their time with 'timestamp', or use alarms.rest");
        foreach ((string key, IEnumerable<string> names) in new[]
            { ("min_deviation", alarms.MinDeviation.Keys), ("direction", alarms.Direction.Keys) })
        {
            foreach (string name in names.Where(name => name != Every))
            {
                int feature = model.Schema.Features.ToList().IndexOf(name);
                if (feature >= 0 && model.Model is not null && model.Model.Plan(model.Schema).Features[feature].HasLevels)
                    binder.Problems.Error(binder.OriginOf($"{path}.alarms.{key}"),
                        $"alarms.{key}: '{name}' has levels, and no mean that it could be off; name a feature that is a number");
                RefuseUnknown(name, model.Schema.Features, $"{path}.alarms.{key}", "a feature");
            }
        }
    }

    private void RefuseUnknown(string name, IEnumerable<string> known, string at, string expected)
    {
        string[] names = [.. known];
        if (names.Contains(name)) return;
        string suggestion = Spelling.Suggestion(name, names);
        binder.Problems.Error(binder.OriginOf(at), $"{ConfigPath.Shown(at)}: '{name}' is not {expected}"
            + (suggestion.Length > 0 ? suggestion : $"; expected {string.Join(", ", names)}"));
    }

    private static (string Path, string Sink) PlaceOf(ScoreSinkOptions entry, string path) => entry switch
    {
        FileScoreOptions file => ($"{path}.file", $"file '{file.Path}'"),
        KafkaScoreOptions kafka => ($"{path}.kafka", $"topic '{kafka.Topic}'"),
        WebhookScoreOptions webhook => ($"{path}.webhook", $"'{webhook.Url}'"),
        _ => ($"{path}.stdout", "standard output"),
    };
}
