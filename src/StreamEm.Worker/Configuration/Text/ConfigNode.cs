using System.Text.Json.Nodes;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>A value in a configuration file, with the place it was written at.</summary>
public abstract class ConfigNode(Origin origin)
{
    /// <summary>Where it starts.</summary>
    public Origin Origin { get; } = origin;

    /// <summary>What it is, for a person who expected something else: <c>'deep'</c>, <c>a list</c>.</summary>
    public abstract string Found { get; }

    /// <summary>The value as compact JSON; scalars are texts.</summary>
    public string ToJson() => Node()?.ToJsonString() ?? "null";

    private JsonNode? Node() => this switch
    {
        ScalarNode scalar => scalar.Text is null ? null : JsonValue.Create(scalar.Text),
        SequenceNode sequence => new JsonArray([.. sequence.Items.Select(item => item.Node())]),
        MappingNode mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Node()))),
        _ => throw new InvalidOperationException($"A node that is {Found} has no JSON."),
    };
}

/// <summary>One value, variables already replaced.</summary>
/// <param name="origin">Where it starts.</param>
/// <param name="text">The text; null for null (<c>null</c>, <c>~</c> or nothing, unquoted).</param>
/// <param name="isSecret">Whether it came from a file that may hold a secret, so that it is never shown.</param>
public sealed class ScalarNode(Origin origin, string? text, bool isSecret = false) : ConfigNode(origin)
{
    /// <summary>Where its characters are written; null where that is not known.</summary>
    internal ScalarPlaces? Places { get; init; }

    /// <summary>The same place with another text.</summary>
    internal ScalarNode With(string other) => new(Origin, other, isSecret) { Places = Places };

    /// <summary>Where a character of the text is written, or, where that cannot be told, the scalar starts.</summary>
    public Origin At(int index)
    {
        if (Origin.Line == 0 || Places?.Find(Text ?? "", index) is not ({ } lines, { } columns)) return Origin;
        return Origin with { Line = Origin.Line + lines, Column = lines == 0 ? Origin.Column + columns : columns + 1 };
    }

    private const int ShownCharacters = 60;

    /// <summary>The text; null for null.</summary>
    public string? Text { get; } = text;

    /// <inheritdoc/>
    public override string Found => (isSecret, Text) switch
    {
        (true, _) => "a text read from a file",
        (_, null) => "null",
        ({ }, { Length: > ShownCharacters }) => $"'{Text[..ShownCharacters]}...'",
        _ => $"'{Text}'",
    };
}

/// <summary>A list.</summary>
public sealed class SequenceNode(Origin origin) : ConfigNode(origin)
{
    /// <summary>Its items.</summary>
    public List<ConfigNode> Items { get; } = [];

    /// <inheritdoc/>
    public override string Found => "a list";
}

/// <summary>Keys with values; every key once.</summary>
public sealed class MappingNode(Origin origin) : ConfigNode(origin)
{
    private readonly List<MappingEntry> _entries = [];
    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);

    /// <summary>Its entries in the order written.</summary>
    public IReadOnlyList<MappingEntry> Entries => _entries;

    /// <inheritdoc/>
    public override string Found => "a mapping";

    /// <summary>The entry of a key; null when there is none.</summary>
    public MappingEntry? Find(string key) => _indices.TryGetValue(key, out int index) ? _entries[index] : null;

    /// <summary>The same keys and values; further keys of the one are none of the other.</summary>
    public MappingNode Copy()
    {
        var copy = new MappingNode(Origin);
        foreach (MappingEntry entry in _entries) copy.Add(entry);
        return copy;
    }

    /// <summary>Adds a key that is not there yet.</summary>
    public void Add(MappingEntry entry)
    {
        _indices.Add(entry.Key, _entries.Count);
        _entries.Add(entry);
    }

    /// <summary>Sets or adds a key.</summary>
    public void Set(MappingEntry entry)
    {
        if (_indices.TryGetValue(entry.Key, out int index)) _entries[index] = entry;
        else Add(entry);
    }
}

/// <summary>One key of a mapping.</summary>
/// <param name="Key">The key.</param>
/// <param name="Origin">Where the key is written.</param>
/// <param name="Value">Its value.</param>
public sealed record MappingEntry(string Key, Origin Origin, ConfigNode Value);
