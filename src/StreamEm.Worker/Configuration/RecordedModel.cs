using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Tables;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>A model as it was configured, from what a checkpoint says of that: every value by its path, as canonical text.</summary>
internal static class RecordedModel
{
    private const string Features = "features", Source = "source.", Properties = ".properties.";

    /// <summary>What says neither what is learned nor how: it is left out.</summary>
    private static readonly string[] Others =
        ["publish", "feedback", "scores", "alarms", "rejected", "candidates", "checkpoint", "on_failure"];

    private static readonly Origin Place = new("the configuration in the checkpoint");

    /// <summary>The model; null when this release cannot make it, or makes another one of the same values.</summary>
    /// <param name="values">What the checkpoint says.</param>
    /// <param name="configHash">The hash of what is learned, there.</param>
    public static ModelOptions? Of(IReadOnlyDictionary<string, string> values, string configHash) =>
        Read(values, configHash, hasSource: true) ?? Read(values, configHash, hasSource: false);

    private static ModelOptions? Read(IReadOnlyDictionary<string, string> values, string configHash, bool hasSource)
    {
        var root = new MappingNode(Place);
        foreach ((string path, string value) in values)
        {
            string[] keys = path.Split('.');
            bool isSource = path.StartsWith(Source, StringComparison.Ordinal);
            if (Others.Contains(keys[0]) || (isSource && (!hasSource || path.Contains(Properties, StringComparison.Ordinal)))) continue;
            Add(root, keys, value);
        }

        // Whose records they are says nothing of what was learned; something has to be said.
        if (root.Find("source") is null) Add(root, ["source", "stdin"], "null");
        var problems = new Problems();
        ModelOptions model = new Binder(problems).Bind(WorkerTable.Model, Lists(root), "");
        if (problems.HasErrors) return null;
        model = ConfigurationLoader.Finished(model) with { Values = values };
        return model.ConfigHash == configHash ? model : null;
    }

    private static void Add(MappingNode root, string[] keys, string value)
    {
        MappingNode node = root;
        foreach (string key in keys[..^1])
        {
            if (node.Find(key)?.Value is not MappingNode next)
            {
                next = new MappingNode(Place);
                node.Set(new MappingEntry(key, Place, next));
            }

            node = next;
        }

        node.Set(new MappingEntry(keys[^1], Place, keys[0] == Features ? Feature(value) : Scalar(value)));
    }

    private static ScalarNode Scalar(string value) => new(Place, value == "null" ? null : value);

    /// <summary>A name; of a feature that is made of another, the mapping that says how.</summary>
    private static ConfigNode Feature(string value)
    {
        if (!value.StartsWith("{\"", StringComparison.Ordinal)) return new ScalarNode(Place, value);
        var mapping = new MappingNode(Place);
        using var json = JsonDocument.Parse(value);
        foreach (JsonProperty property in json.RootElement.EnumerateObject())
            mapping.Set(new MappingEntry(property.Name, Place, new ScalarNode(Place,
                property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : property.Value.GetRawText())));
        return mapping;
    }

    /// <summary>A mapping of the keys 0, 1, ... is a list.</summary>
    private static ConfigNode Lists(ConfigNode node)
    {
        if (node is not MappingNode { Entries.Count: > 0 } mapping) return node;
        if (mapping.Entries.All(entry => int.TryParse(entry.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            var list = new SequenceNode(Place);
            list.Items.AddRange(mapping.Entries
                .OrderBy(entry => int.Parse(entry.Key, NumberStyles.None, CultureInfo.InvariantCulture))
                .Select(entry => Lists(entry.Value)));
            return list;
        }

        var result = new MappingNode(Place);
        foreach (MappingEntry entry in mapping.Entries) result.Set(entry with { Value = Lists(entry.Value) });
        return result;
    }
}
