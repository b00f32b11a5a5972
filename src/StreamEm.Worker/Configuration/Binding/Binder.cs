using System.Security.Cryptography;
using System.Text;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>Reads nodes into records by their tables, reports whatever does not fit, and remembers where each value was written.</summary>
public sealed class Binder(Problems problems)
{
    private readonly Dictionary<string, Origin> _origins = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _secrets = new(StringComparer.Ordinal);

    /// <summary>Takes what does not fit.</summary>
    public Problems Problems { get; } = problems;

    /// <summary>Where a value was written, or, when it was not, the nearest thing around it that was.</summary>
    public Origin OriginOf(string path)
    {
        for (; path.Length > 0; path = ConfigPath.Parent(path))
        {
            if (_origins.TryGetValue(path, out Origin origin)) return origin;
        }

        return _origins.GetValueOrDefault("");
    }

    /// <summary>Whether a value was written at this very path.</summary>
    public bool IsWritten(string path) => _origins.ContainsKey(path);

    /// <summary>Notes a value that is told to nobody.</summary>
    public void Secret(string path, string value) => _secrets[path] = value;

    /// <summary>A hash of the secrets below a path, which tells whether any is another one; empty without any.</summary>
    public string SecretsUnder(string path)
    {
        string[] lines = [.. _secrets.Where(pair => pair.Key.StartsWith(path + '.', StringComparison.Ordinal))
            .Select(pair => $"{pair.Key[path.Length..]}={pair.Value}\n")];
        return lines.Length == 0 ? "" : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))));
    }

    /// <summary>Reads a mapping; null stands for an empty one.</summary>
    public T Bind<T>(Table<T> table, ConfigNode node, string path)
        where T : class
    {
        T record = table.Seed();
        if (AsMapping(node, path, table.Fields.Select(field => field.Key)) is not { } mapping) return record;
        ReportUnknown(mapping, path, table.Fields.Select(field => field.Key));
        foreach (Field<T> field in table.Fields)
        {
            if (mapping.Find(field.Key) is { } entry)
                record = field.Bind(record, Locate(entry, path), ConfigPath.Join(path, field.Key), this);
            else if (field.IsRequired) ReportMissing(node, field.Key, path, field.Description);
        }

        return record;
    }

    /// <summary>The mapping that a node is; an empty one for null; null, and a problem, when it is something else.</summary>
    public MappingNode? AsMapping(ConfigNode node, string path, IEnumerable<string> keys)
    {
        _origins.TryAdd(path, node.Origin);
        switch (node)
        {
            case MappingNode mapping:
                return mapping;
            case ScalarNode { Text: null }:
                return new MappingNode(node.Origin);
            default:
                Problems.Error(node.Origin, $"{Name(path)} is {node.Found}; expected a mapping of {string.Join(", ", keys)}");
                return null;
        }
    }

    /// <summary>The items of a list; none for null; null, and a problem, when the node is no list.</summary>
    public IReadOnlyList<ConfigNode>? AsItems(ConfigNode node, string path)
    {
        switch (node)
        {
            case SequenceNode sequence:
                for (int i = 0; i < sequence.Items.Count; i++) _origins[ConfigPath.Join(path, i)] = sequence.Items[i].Origin;
                return sequence.Items;
            case ScalarNode { Text: null }:
                return [];
            default:
                Problems.Error(node.Origin, $"{Name(path)} is {node.Found}; expected a list");
                return null;
        }
    }

    /// <summary>A copy of the options with a setting's value; the options themselves, and a problem, when the node does not fit.</summary>
    public object Read(Setting setting, object options, ConfigNode node, string path)
    {
        if (node is ScalarNode scalar)
        {
            if (setting.TryRead(options, scalar.Text, out object result)) return result;
            if (setting.Form is ValueForm.Structure or ValueForm.IntegerOrStructure && setting.Problem(scalar.Text ?? "") is { } problem)
                Problems.Error(node.Origin, $"{Name(path)}: {problem}");
            else Refuse(node, path, setting.Expected, Spelling.Suggestion(scalar.Text ?? "", setting.Words));
            return options;
        }

        if (setting.Form is ValueForm.Structure or ValueForm.IntegerOrStructure)
        {
            string text = node.ToJson();
            if (setting.TryRead(options, text, out object result)) return result;
            Problems.Error(node.Origin, $"{Name(path)}: {setting.Problem(text) ?? $"expected {setting.Expected}"}");
            return options;
        }

        Refuse(node, path, setting.Expected);
        return options;
    }

    /// <summary>Reports a value that does not fit.</summary>
    public void Refuse(ConfigNode node, string path, string expected, string suggestion = "") =>
        Problems.Error(node.Origin, $"{Name(path)} is {node.Found}; expected {expected}{suggestion}");

    /// <summary>Reports keys that are not among the known ones.</summary>
    public void ReportUnknown(MappingNode mapping, string path, IEnumerable<string> keys)
    {
        string[] known = [.. keys];
        foreach (MappingEntry entry in mapping.Entries.Where(entry => !known.Contains(entry.Key)))
        {
            string suggestion = Spelling.Suggestion(entry.Key, known);
            if (suggestion.Length == 0) suggestion = known is [] ? "; it has no keys" : $"; known keys: {string.Join(", ", known)}";
            Problems.Error(entry.Origin, $"unknown key '{entry.Key}'{In(path)}{suggestion}");
        }
    }

    /// <summary>Reports a key that must be there.</summary>
    public void ReportMissing(ConfigNode node, string key, string path, string description) =>
        Problems.Error(node.Origin,
            $"missing key '{key}'{In(path)}: {char.ToLowerInvariant(description[0])}{description[1..].TrimEnd('.')}");

    /// <summary>The entry's value, its place remembered.</summary>
    public ConfigNode Locate(MappingEntry entry, string path)
    {
        _origins[ConfigPath.Join(path, entry.Key)] = entry.Value.Origin;
        return entry.Value;
    }

    private static string Name(string path) => path.Length == 0 ? "the configuration" : ConfigPath.Shown(path);

    private static string In(string path) => path.Length == 0 ? "" : $" in {ConfigPath.Shown(path)}";
}
