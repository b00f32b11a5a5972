using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEm.Core.Alarms;
using StreamEm.Core.Features;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.WhatIf;

/// <summary>What is to be different in a replay; what is left out stays as it is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record WhatIfChanges
{
    /// <summary>The exponent of the step size: <c>learning.step_size.kappa</c>.</summary>
    public double? Kappa { get; init; }

    /// <summary>The number of components, states, topics or experts.</summary>
    public int? Components { get; init; }

    /// <summary>The features, some of those that there are.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>The p-value below which a record raises an alarm: <c>alarms.threshold</c>.</summary>
    public double? AlarmThreshold { get; init; }

    /// <summary>The share of alarms that may be false: <c>alarms.false_discovery_rate</c>.</summary>
    public double? FalseDiscoveryRate { get; init; }

    /// <summary>The most records that are replayed; null: all that are kept.</summary>
    public int? Records { get; init; }

    /// <summary>The options of a model that is changed so.</summary>
    /// <exception cref="CommandException">It cannot be (64).</exception>
    public ModelOptions Apply(ModelOptions model)
    {
        if (Kappa is { } kappa)
        {
            if (kappa is not (> 0.5 and <= 1)) throw Refused("kappa", "a number in (0.5, 1]");
            model = model with { Learning = model.Learning with { StepSize = model.Learning.StepSize with { Kappa = kappa } } };
        }

        if (Components is { } components)
        {
            if (components is < 1 or > 1000) throw Refused("components", "a whole number from 1 to 1000");
            model = model with { Model = Candidate.Of(model.Model, [components])[0].Model };
        }

        if (AlarmThreshold is { } threshold)
        {
            if (threshold is not (> 0 and < 1)) throw Refused("alarm_threshold", "a number in (0, 1)");
            model = model with { Alarms = (model.Alarms ?? new AlarmOptions()) with { Threshold = threshold } };
        }

        if (FalseDiscoveryRate is { } rate)
        {
            if (rate is not (> 0 and < 1)) throw Refused("false_discovery_rate", "a number in (0, 1)");
            model = model with { Alarms = (model.Alarms ?? new AlarmOptions()) with { FalseDiscoveryRate = rate } };
        }

        if (Features is { } features) model = model with { Schema = Narrowed(model.Schema, features) };
        return model with { Schema = model.Schema with { Kinds = model.Model.Plan(model.Schema).Kinds } };
    }

    /// <summary>The changes as they are written in a configuration: one line <c>path=value</c> each, as <c>--set</c> takes them.</summary>
    public IReadOnlyList<string> Settings(ModelOptions model)
    {
        var settings = new List<string>();
        string root = $"models.{model.Id}.";
        if (Features is { } features)
            settings.Add($"{root}features=[{string.Join(", ", features.Select(name => Written(model.Schema, name)))}]");
        if (Components is { } components) settings.Add(Invariant($"{root}model.{Candidate.SettingOf(model.Model)}={components}"));
        if (Kappa is { } kappa) settings.Add(Invariant($"{root}learning.step_size.kappa={kappa:R}"));
        if (AlarmThreshold is { } threshold) settings.Add(Invariant($"{root}alarms.threshold={threshold:R}"));
        if (FalseDiscoveryRate is { } rate) settings.Add(Invariant($"{root}alarms.false_discovery_rate={rate:R}"));
        return settings;
    }

    /// <summary>The changes as the part of a configuration file that holds them.</summary>
    public string Yaml(ModelOptions model)
    {
        var text = new StringBuilder("models:\n").Append(CultureInfo.InvariantCulture, $"  - id: {model.Id}\n");
        string open = "";
        foreach (string setting in Settings(model))
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);
            string[] path = setting[$"models.{model.Id}.".Length..equals].Split('.');
            string sections = string.Join('.', path[..^1]);
            if (sections != open)
                for (int depth = 0; depth < path.Length - 1; depth++)
                    text.Append(' ', 4 + (2 * depth)).Append(path[depth]).Append(":\n");
            open = sections;
            text.Append(' ', 2 + (2 * path.Length)).Append(path[^1]).Append(": ").Append(setting[(equals + 1)..]).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The schema with some of its features.</summary>
    private static RecordSchema Narrowed(RecordSchema schema, IReadOnlyList<string> features)
    {
        if (features.Count == 0 || features.Distinct(StringComparer.Ordinal).Count() < features.Count
            || features.Any(name => !schema.Features.Contains(name)))
            throw Refused("features", $"some of {string.Join(", ", schema.Features)}, each once");
        DerivedFeature[] derived = [.. schema.Derived.Where(one => one.Outputs.All(features.Contains))];
        if (schema.Derived.Any(one => one.Outputs.Any(features.Contains) && !derived.Contains(one)))
            throw Refused("features", "all or none of the features that are made together of one field");
        return schema with { Features = features, Derived = derived, Kinds = [] };
    }

    /// <summary>A feature as a configuration has it.</summary>
    private static string Written(RecordSchema schema, string name) => schema.DerivedAt(name) is { } derived
        ? DerivedFeatureJson.TextOf(derived)
        : JsonSerializer.Serialize(name, JsonSerializerOptions.Web);

    private static CommandException Refused(string what, string expected) =>
        new(ExitCode.Usage, $"'{what}' cannot be used; expected {expected}.");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
