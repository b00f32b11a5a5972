using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Features;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary><c>features</c>: a list of fields' names and of mappings that say how a feature is made of a field.</summary>
internal sealed class FeaturesField() : Field<ModelOptions>(
    "features", "Columns or JSON fields that are learned from, and what is made of them, in this order.")
{
    private const string Expected = "a field's name, or a mapping such as {name: dx, difference: x}";

    /// <inheritdoc/>
    public override ModelOptions Bind(ModelOptions owner, ConfigNode value, string path, Binder binder)
    {
        if (binder.AsItems(value, path) is not { } items) return owner;
        if (items.Count == 0) binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)} is empty; expected at least one");
        var names = new Dictionary<string, Origin>(StringComparer.Ordinal);
        var derived = new List<DerivedFeature>();
        for (int i = 0; i < items.Count; i++)
        {
            string at = ConfigPath.Join(path, i);
            if (items[i] is ScalarNode { Text: { Length: > 0 } name }) Add(name, items[i].Origin);
            else if (items[i] is MappingNode mapping && Read(mapping, at, binder) is { } made)
            {
                derived.Add(made);
                foreach (string output in made.Outputs) Add(output, items[i].Origin);
            }
            else if (items[i] is not MappingNode) binder.Refuse(items[i], at, Expected);
        }

        return owner with { Schema = owner.Schema with { Features = [.. names.Keys], Derived = derived } };

        void Add(string name, Origin origin)
        {
            if (!names.TryAdd(name, origin))
                binder.Problems.Error(origin, $"'{name}' is in {ConfigPath.Shown(path)} twice; the first is at {names[name]}");
        }
    }

    /// <inheritdoc/>
    public override JsonObject Schema(ModelOptions seed)
    {
        JsonObject item = Binding.Schema.Mapping(
            DerivedFeatureJson.Keys.Select(key => KeyValuePair.Create(key, (JsonNode?)Binding.Schema.Text())),
            [DerivedFeatureJson.Keys[0]]);
        var either = new JsonObject { ["anyOf"] = new JsonArray(Binding.Schema.Text(), item) };
        return Binding.Schema.Described(Binding.Schema.List(either, isUnique: true), Description);
    }

    /// <inheritdoc/>
    public override void Describe(ModelOptions owner, string path, Action<string, string> tell)
    {
        IReadOnlyList<string> definitions = owner.Schema.Definitions;
        for (int i = 0; i < definitions.Count; i++) tell(ConfigPath.Join(path, i), definitions[i]);
    }

    private static DerivedFeature? Read(MappingNode node, string path, Binder binder)
    {
        binder.ReportUnknown(node, path, DerivedFeatureJson.Keys);
        using var json = JsonDocument.Parse(node.ToJson());
        DerivedFeature? feature = DerivedFeatureJson.Read(json.RootElement, out string problem);
        if (feature is null) binder.Problems.Error(node.Origin, $"{ConfigPath.Shown(path)} {problem}");
        return feature;
    }
}
