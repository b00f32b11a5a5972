using System.Text.Json.Nodes;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>
/// The keys of one mapping, each described once: how it is read into <typeparamref name="T"/>, how it is told, what it is for.
/// </summary>
/// <param name="seed">The record with every default in place; where a key is required, with a placeholder that an error makes
/// unused.</param>
/// <param name="fields">The keys, in the order they are shown.</param>
public sealed class Table<T>(Func<T> seed, params Field<T>[] fields)
    where T : class
{
    /// <summary>The record with every default in place.</summary>
    public T Seed() => seed();

    /// <summary>The keys.</summary>
    public IReadOnlyList<Field<T>> Fields { get; } = fields;

    /// <summary>The keys as a JSON Schema.</summary>
    public JsonObject Schema() => Binding.Schema.Mapping(
        Fields.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)field.Schema(Seed()))),
        Fields.Where(field => field.IsRequired).Select(field => field.Key));

    /// <summary>Tells every value of a record as <c>path</c> and canonical text.</summary>
    public void Describe(T record, string path, Action<string, string> tell)
    {
        foreach (Field<T> field in Fields) field.Describe(record, ConfigPath.Join(path, field.Key), tell);
    }
}

/// <summary>One key of a mapping.</summary>
/// <param name="key">snake_case.</param>
/// <param name="description">One line for a person.</param>
public abstract class Field<T>(string key, string description)
    where T : class
{
    /// <summary>The key.</summary>
    public string Key { get; } = key;

    /// <summary>One line for a person.</summary>
    public string Description { get; } = description;

    /// <summary>Whether the configuration cannot do without it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>A copy of the owner with the value that was written; the owner itself, and problems, when it cannot be used.</summary>
    public abstract T Bind(T owner, ConfigNode value, string path, Binder binder);

    /// <summary>What may be written, as a JSON Schema.</summary>
    /// <param name="seed">The owner with every default in place.</param>
    public virtual JsonObject Schema(T seed) => Binding.Schema.Described([], Description);

    /// <summary>Tells the owner's value as one or more lines of path and canonical text.</summary>
    public abstract void Describe(T owner, string path, Action<string, string> tell);
}
