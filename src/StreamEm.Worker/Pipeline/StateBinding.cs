using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// What of a configuration is not as it was when a state was made, and what that means. Before the first version a state binds nothing;
/// afterwards it is bound by what its parameters depend on: the features and the shape of the model. A setting of the model binds when
/// another value gives the parameters or statistics other names or extents, which is found by making both.
/// </summary>
internal sealed class StateBinding
{
    private const string Unset = "null";
    private const string ModelSection = "model.";
    private const string WherePath = "where";

    /// <summary>What has no value of its own where it is not written: an entry that is not there is a change.</summary>
    private static readonly string[] Lists =
        ["publish.", "scores.", "alarms.", "source.", "rejected.", "features.", "candidates.", "feedback."];

    private readonly ModelOptions _options;
    private readonly Checkpoint _checkpoint;
    private readonly IReadOnlyDictionary<string, string> _old;

    private StateBinding(ModelOptions options, Checkpoint checkpoint, IReadOnlyDictionary<string, string> old)
    {
        (_options, _checkpoint, _old) = (options, checkpoint, old);
        Changes = [.. Compare().OrderByDescending(change => change.Effect).ThenBy(change => change.Path, StringComparer.Ordinal)];
    }

    /// <summary>The keys with other values: first those that cannot be, then those that need a word, then the rest.</summary>
    public IReadOnlyList<ConfigurationChange> Changes { get; }

    /// <summary>Whether parameters are there that were learned with the old values.</summary>
    public bool HasParameters => _checkpoint.Updates > 0;

    /// <summary>Whether the records buffered before the first version are of other records than would be read now.</summary>
    public bool ReadsOtherRecords => Changes.Any(change =>
        change.Path.StartsWith("source.", StringComparison.Ordinal) || !change.Path.Contains('.', StringComparison.Ordinal)
        || !KindsOf(_options.Model).SequenceEqual(Recorded is { } old ? KindsOf(old) : []));

    /// <summary>The model the state was made with; null when this program cannot make it.</summary>
    public LatentModelOptions? Recorded => RecordedConfiguration.ModelOf(_old);

    /// <summary>Compares; null when nothing is recorded to compare with.</summary>
    public static StateBinding? Of(ModelOptions options, Checkpoint checkpoint) =>
        options.Values.Count > 0 && RecordedConfiguration.Of(checkpoint) is { } old ? new StateBinding(options, checkpoint, old) : null;

    /// <summary>What keeps the state from being gone on with, for a person: every such key with both values and what to do.</summary>
    /// <param name="acceptsModelChange">Whether components may come and go.</param>
    /// <returns>Null when nothing does.</returns>
    public string? Refusal(bool acceptsModelChange)
    {
        if (!HasParameters) return null;
        ChangeEffect least = acceptsModelChange ? ChangeEffect.Reset : ChangeEffect.Components;
        ConfigurationChange[] bound = [.. Changes.Where(change => change.Effect >= least)];
        if (bound.Length == 0) return null;
        bool isLost = bound[0].Effect == ChangeEffect.Reset;
        string what = isLost
            ? "Its parameters mean something else then. Restore the old values; or forget what was learned: streamem state reset "
                + $"{_options.Id}; or give the model a new id, which keeps both."
            : "Components can come and go, and the others keep what they have learned: start with --accept-model-change; or restore "
                + "the old value.";
        return string.Create(CultureInfo.InvariantCulture,
            $"The state of model '{_options.Id}' (version {_checkpoint.Updates}, {_checkpoint.Records} records) was learned with another "
                + $"configuration:\n{string.Join("", bound.Select(change => $"  {change}\n"))}{what}");
    }

    private IEnumerable<ConfigurationChange> Compare()
    {
        IReadOnlyList<string> features = RecordedConfiguration.FeaturesOf(_old);
        IReadOnlyList<string> definitions = _options.Schema.Definitions;
        bool sameFeatures = features.SequenceEqual(definitions);
        if (!sameFeatures) yield return new ConfigurationChange("features", Shown(features), Shown(definitions), ChangeEffect.Reset);
        foreach (string path in _old.Keys.Union(_options.Values.Keys).Where(path => path != "id" && !IsFeature(path)))
        {
            string? old = _old.GetValueOrDefault(path), now = _options.Values.GetValueOrDefault(path);
            // A state of a release that had no filters was learned from all records.
            if (path == WherePath) (old, now) = (old ?? Unset, now ?? Unset);
            // A key that a release before this one did not know had, in effect, its default.
            bool isComparable = (old is not null && now is not null)
                || Array.Exists(Lists, section => path.StartsWith(section, StringComparison.Ordinal));
            if (isComparable && old != now) yield return new ConfigurationChange(path, old, now, EffectOf(path, old, now, sameFeatures));
        }
    }

    private ChangeEffect EffectOf(string path, string? old, string? now, bool sameFeatures)
    {
        if (path.StartsWith(ModelSection, StringComparison.Ordinal))
            return path == "model.type" || !sameFeatures ? ChangeEffect.Reset : EffectOfSetting(path[ModelSection.Length..]);
        return path switch
        {
            WherePath or "learning.standardize" => ChangeEffect.Reset,
            "key" => _options.Model.NeedsKey || _options.Schema.Derived.Count > 0 ? ChangeEffect.Reset : ChangeEffect.NextUpdate,
            "target" => _options.Model.NeedsTarget ? ChangeEffect.Reset : ChangeEffect.NextUpdate,
            // Components keep the names that labels gave them.
            "label" => old != Unset && now != Unset ? ChangeEffect.Reset : ChangeEffect.NextUpdate,
            _ => path.StartsWith("learning.initialization.", StringComparison.Ordinal) ? ChangeEffect.None : ChangeEffect.NextUpdate,
        };
    }

    /// <summary>What one setting of the model does to the shape of parameters and statistics.</summary>
    private ChangeEffect EffectOfSetting(string key)
    {
        if (Recorded is not { } old || old.Type != _options.Model.Type) return ChangeEffect.Reset;
        try
        {
            var settings = new Dictionary<string, string>(old.Settings, StringComparer.Ordinal) { [key] = _options.Model.Settings[key] };
            LatentModelOptions changed = old.Entry.Read(settings);
            if (!KindsOf(old).SequenceEqual(KindsOf(changed))) return ChangeEffect.Reset;
            if (old.Growth is { } grown && changed.Growth is { } grows)
                return grows.Max >= grown.Max ? ChangeEffect.NextUpdate : ChangeEffect.Reset;
            if (old.Growth is not null || changed.Growth is not null) return ChangeEffect.Reset;
            LatentModel before = Make(old), after = Make(changed);
            if (HaveSameShape(before, after)) return ChangeEffect.NextUpdate;
            return ComponentChange.IsPossible(before, after) ? ChangeEffect.Components : ChangeEffect.Reset;
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException or InvalidOperationException or OverflowException)
        {
            return ChangeEffect.Reset;
        }
    }

    /// <summary>The model as it would be with two levels wherever there are levels: what is known of its shape without records.</summary>
    private LatentModel Make(LatentModelOptions model) => model.Create(model.Plan(_options.Schema).WithLevels(_ => ["0", "1"]));

    private IReadOnlyList<FeatureKind> KindsOf(LatentModelOptions model) =>
        [.. model.Plan(_options.Schema).Features.Select(feature => feature.Kind)];

    private static bool HaveSameShape(LatentModel one, LatentModel other) =>
        HaveSameShape(one.ParameterLayout, other.ParameterLayout) && HaveSameShape(one.StatisticsLayout, other.StatisticsLayout);

    private static bool HaveSameShape(VectorLayout one, VectorLayout other) => one.Blocks.Count == other.Blocks.Count
        && one.Blocks.Zip(other.Blocks).All(pair => pair.First.Name == pair.Second.Name && pair.First.Domain == pair.Second.Domain
            && pair.First.Shape.SequenceEqual(pair.Second.Shape)
            && (pair.First.Features ?? []).SequenceEqual(pair.Second.Features ?? []));

    private static bool IsFeature(string path) => path.StartsWith("features.", StringComparison.Ordinal);

    private static string Shown(IReadOnlyList<string> names) => $"[{string.Join(", ", names)}]";
}
