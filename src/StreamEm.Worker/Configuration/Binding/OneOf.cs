using System.Text.Json.Nodes;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>One of the things a mapping with a single key may be: <c>file: {...}</c> or <c>kafka: {...}</c>.</summary>
public sealed class Alternative
{
    private readonly Func<ConfigNode, string, Binder, object> _bind;
    private readonly Action<object, string, Action<string, string>> _describe;
    private readonly Func<JsonObject> _schema;

    private Alternative(string key, Type type, Func<ConfigNode, string, Binder, object> bind,
        Action<object, string, Action<string, string>> describe, Func<JsonObject> schema) =>
        (Key, OptionsType, _bind, _describe, _schema) = (key, type, bind, describe, schema);

    /// <summary>The key that chooses it.</summary>
    public string Key { get; }

    /// <summary>The options record it becomes.</summary>
    public Type OptionsType { get; }

    /// <summary>An alternative with a table.</summary>
    public static Alternative Of<TOptions>(string key, Table<TOptions> table)
        where TOptions : class =>
        new(key, typeof(TOptions), (node, path, binder) => binder.Bind(table, node, path),
            (options, path, tell) => table.Describe((TOptions)options, path, tell), table.Schema);

    /// <summary>The options' keys as a JSON Schema.</summary>
    public JsonObject Schema() => _schema();

    /// <summary>Reads the options.</summary>
    public object Bind(ConfigNode node, string path, Binder binder) => _bind(node, path, binder);

    /// <summary>Tells the options.</summary>
    public void Describe(object options, string path, Action<string, string> tell) => _describe(options, path, tell);
}

/// <summary>A mapping that has exactly one key, which chooses what it is.</summary>
public sealed class OneOf(params Alternative[] alternatives)
{
    /// <summary>The keys there are.</summary>
    public IEnumerable<string> Keys => alternatives.Select(alternative => alternative.Key);

    /// <summary>Reads the one that is there; null, and problems, when there is not exactly one.</summary>
    public object? Bind(ConfigNode node, string path, Binder binder)
    {
        if (binder.AsMapping(node, path, Keys) is not { } mapping) return null;
        binder.ReportUnknown(mapping, path, Keys);
        List<MappingEntry> known = [.. mapping.Entries.Where(entry => Keys.Contains(entry.Key))];
        object? first = null;
        foreach (MappingEntry entry in known)
        {
            Alternative alternative = Array.Find(alternatives, candidate => candidate.Key == entry.Key)!;
            object options = alternative.Bind(binder.Locate(entry, path), ConfigPath.Join(path, entry.Key), binder);
            first ??= options;
        }

        bool isMisspelt = mapping.Entries.Any(entry => !Keys.Contains(entry.Key) && Spelling.Nearest(entry.Key, Keys) is not null);
        if (known.Count > 1 || (known.Count == 0 && !isMisspelt))
        {
            string found = known.Count == 0 ? "none" : string.Join(" and ", known.Select(entry => entry.Key));
            binder.Problems.Error(node.Origin, $"{ConfigPath.Shown(path)} has {found}; expected exactly one of {string.Join(", ", Keys)}");
        }

        return first;
    }

    /// <summary>The alternatives as a JSON Schema: one key.</summary>
    public JsonObject Schema()
    {
        JsonObject schema = Binding.Schema.Mapping(
            alternatives.Select(alternative => KeyValuePair.Create(alternative.Key, (JsonNode?)alternative.Schema())), []);
        schema["type"] = "object";
        schema["minProperties"] = 1;
        schema["maxProperties"] = 1;
        return schema;
    }

    /// <summary>Tells options of one of the alternatives.</summary>
    public void Describe(object options, string path, Action<string, string> tell)
    {
        Alternative alternative = Array.Find(alternatives, candidate => candidate.OptionsType == options.GetType())!;
        alternative.Describe(options, ConfigPath.Join(path, alternative.Key), tell);
    }
}

/// <summary>A key whose value is one of several things.</summary>
public sealed class OneOfField<T>(
    string key, string description, OneOf choice, Func<T, object?> get, Func<T, object, T> set) : Field<T>(key, description)
    where T : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder) =>
        choice.Bind(value, path, binder) is { } options ? set(owner, options) : owner;

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(choice.Schema(), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        if (get(owner) is { } options) choice.Describe(options, path, tell);
    }
}
