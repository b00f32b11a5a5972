using System.Text.Json.Nodes;
using StreamEm.Core.Catalog;
using StreamEm.Core.Models;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>The key <c>model</c>: <c>type</c> chooses an entry of the catalogue, the other keys are that entry's settings.</summary>
public sealed class CatalogField<T>(
    string key, string description, Func<T, LatentModelOptions?> get, Func<T, LatentModelOptions, T> set) : Field<T>(key, description)
    where T : class
{
    private const string TypeKey = "type";

    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        if (binder.AsMapping(value, path, [TypeKey, "the model's settings"]) is not { } mapping) return owner;
        if (FindEntry(mapping, path, binder) is not { } entry)
        {
            // Which settings there are is not known; what is none of any model's is a mistake all the same.
            binder.ReportUnknown(mapping, path,
                [TypeKey, .. ModelCatalog.Entries.SelectMany(known => known.Settings).Select(setting => setting.Key).Distinct()]);
            return owner;
        }

        binder.ReportUnknown(mapping, path, [TypeKey, .. entry.Settings.Select(setting => setting.Key)]);
        object options = entry.CreateOptions();
        foreach (Setting setting in entry.Settings)
        {
            if (mapping.Find(setting.Key) is { } written)
                options = binder.Read(setting, options, binder.Locate(written, path), ConfigPath.Join(path, setting.Key));
        }

        return set(owner, (LatentModelOptions)options);
    }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(
        new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { [TypeKey] = new JsonObject { ["enum"] = Binding.Schema.Texts(ModelCatalog.Types) } },
            ["required"] = Binding.Schema.Texts([TypeKey]),
            ["allOf"] = new JsonArray([.. ModelCatalog.Entries.Select(entry => (JsonNode?)SettingsOf(entry))]),
        },
        Description);

    /// <summary>If the type is the entry's, then the other keys are its settings.</summary>
    private static JsonObject SettingsOf(ModelEntry entry)
    {
        object options = entry.CreateOptions();
        IEnumerable<KeyValuePair<string, JsonNode?>> settings =
            entry.Settings.Select(setting => KeyValuePair.Create(setting.Key, (JsonNode?)Binding.Schema.Of(setting, options)));
        JsonObject TypeIs() => new() { ["const"] = entry.Type, ["description"] = entry.Description };
        return new JsonObject
        {
            ["if"] = new JsonObject
            {
                ["properties"] = new JsonObject { [TypeKey] = TypeIs() },
                ["required"] = Binding.Schema.Texts([TypeKey]),
            },
            ["then"] = Binding.Schema.Mapping([KeyValuePair.Create(TypeKey, (JsonNode?)TypeIs()), .. settings], []),
        };
    }

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        if (get(owner) is not { } options) return;
        ModelEntry entry = options.Entry;
        tell(ConfigPath.Join(path, TypeKey), entry.Type);
        foreach (Setting setting in entry.Settings) tell(ConfigPath.Join(path, setting.Key), setting.Format(options));
    }

    private static ModelEntry? FindEntry(MappingNode mapping, string path, Binder binder)
    {
        if (mapping.Find(TypeKey) is not { } type)
        {
            binder.ReportMissing(mapping, TypeKey, path, $"One of {string.Join(", ", ModelCatalog.Types)}.");
            return null;
        }

        string? name = (binder.Locate(type, path) as ScalarNode)?.Text;
        ModelEntry? entry = ModelCatalog.Find(name ?? "");
        if (entry is null)
        {
            string expected = $"a model that 'streamem models' lists ({string.Join(", ", ModelCatalog.Types)})";
            binder.Refuse(type.Value, ConfigPath.Join(path, TypeKey), expected, Spelling.Suggestion(name ?? "", ModelCatalog.Types));
        }

        return entry;
    }
}
