using StreamEm.Core.Features;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about derived features and the calendar that one key alone cannot break.</summary>
internal sealed class FeatureRules(Binder binder)
{
    /// <summary>Reports what is broken.</summary>
    public void Check(ModelOptions model, string path)
    {
        RecordSchema schema = model.Schema;
        foreach (DerivedFeature feature in schema.Derived) CheckFeature(feature, schema, $"{path}.features");
        if (schema.Derived.Count > 0 && schema.Read.Features.Count == 0)
            Error($"{path}.features", "no feature is made of a field; add one: the time alone is nothing to learn from");
        if (schema.Derived.Count > 0 && model.Model is not null && !model.Model.ProblemsWith(schema).Any()) CheckKinds(model, path);
        if (model.Learning.Calendar is not { } calendar) return;
        if (schema.Timestamp is null)
            Error($"{path}.calendar", "calendar is about the records' times: name the field of their time with 'timestamp'");
        if (calendar.SkipLearning.Count > 0 && model.Model is { NeedsKey: true })
            Error($"{path}.calendar.skip_learning",
                $"skip_learning leaves records out, which {model.Model.Type} would miss in their sequences; leave it out");
    }

    private void CheckFeature(DerivedFeature feature, RecordSchema schema, string at)
    {
        if (feature.NeedsTime && schema.Timestamp is null)
            Error(at, $"'{feature.Name}' is made of the records' times: name the field of their time with 'timestamp'");
        else if (feature.IsOfTime && feature.Source != schema.Timestamp)
            Error(at, $"'{feature.Name}' is made of '{feature.Source}'; expected the field that 'timestamp' names, '{schema.Timestamp}'");
    }

    /// <summary>What is made is a number, and so is what it is made of.</summary>
    private void CheckKinds(ModelOptions model, string path)
    {
        RecordSchema schema = model.Schema;
        IReadOnlyList<FeatureKind> kinds = model.Model.Plan(schema).Kinds;
        for (int d = 0; d < schema.Features.Count && kinds.Count > 0; d++)
        {
            if (kinds[d] == FeatureKind.Number) continue;
            string name = schema.Features[d];
            if (schema.DerivedAt(name) is not null)
                Error($"{path}.features", $"'{name}' is a number, and {model.Model.Type} takes it for a {Shown(kinds[d])}; leave it out");
            else if (kinds[d] is FeatureKind.Level or FeatureKind.Terms
                && schema.Derived.FirstOrDefault(derived => derived.Source == name) is { } derived)
                Error($"{path}.features",
                    $"'{derived.Name}' is made of '{name}', which holds a {Shown(kinds[d])}; expected a field that is a number");
        }
    }

    private static string Shown(FeatureKind kind) => kind switch
    {
        FeatureKind.Level => "level",
        FeatureKind.Terms => "text",
        FeatureKind.Binary => "0 or 1",
        FeatureKind.Count => "count",
        _ => "number of at least 0",
    };

    private void Error(string path, string message) => binder.Problems.Error(binder.OriginOf(path), message);
}
