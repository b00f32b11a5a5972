using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Pipeline;

/// <summary>The configuration that a state was made with, as its checkpoint tells it.</summary>
internal static class RecordedConfiguration
{
    private const string TypeKey = "model.type";
    private const string ModelSection = "model.";
    private const string FeaturesSection = "features.";

    /// <summary>Canonical texts by path; of a checkpoint of 0.1.0 those its newest snapshot shows. Null where none are known.</summary>
    public static IReadOnlyDictionary<string, string>? Of(Checkpoint checkpoint)
    {
        if (checkpoint.Configuration is { Count: > 0 } recorded) return recorded;
        return checkpoint.Latest?.Snapshot is { } snapshot ? OfSnapshot(snapshot) : null;
    }

    /// <summary>The model's options; null when this program cannot make them.</summary>
    public static LatentModelOptions? ModelOf(IReadOnlyDictionary<string, string> values)
    {
        if (values.GetValueOrDefault(TypeKey) is not { } type || ModelCatalog.Find(type) is not { } entry) return null;
        try
        {
            return entry.Read(Under(ModelSection, values));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The features, in their order.</summary>
    public static IReadOnlyList<string> FeaturesOf(IReadOnlyDictionary<string, string> values)
    {
        var names = new List<string>();
        while (values.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{FeaturesSection}{names.Count}"), out string? name))
            names.Add(name);
        return names;
    }

    /// <summary>The values whose paths begin so, by the rest of their paths.</summary>
    public static Dictionary<string, string> Under(string section, IReadOnlyDictionary<string, string> values) => values
        .Where(pair => pair.Key.StartsWith(section, StringComparison.Ordinal))
        .ToDictionary(pair => pair.Key[section.Length..], pair => pair.Value, StringComparer.Ordinal);

    private static SortedDictionary<string, string> OfSnapshot(ModelSnapshot snapshot)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal) { [TypeKey] = snapshot.Options.Type };
        for (int d = 0; d < snapshot.Schema.Features.Count; d++)
            values[string.Create(CultureInfo.InvariantCulture, $"{FeaturesSection}{d}")] = snapshot.Schema.Features[d];
        foreach ((string key, string value) in snapshot.Options.Settings) values[ModelSection + key] = value;
        RecordSchema schema = snapshot.Schema;
        foreach ((string key, string? field) in new[] { ("key", schema.Key), ("target", schema.Target) })
            if (field is not null) values[key] = field;
        return values;
    }
}
