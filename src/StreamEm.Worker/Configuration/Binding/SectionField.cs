using System.Text.Json.Nodes;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>A key whose value is a mapping with a table of its own.</summary>
/// <param name="key">The key.</param>
/// <param name="description">One line for a person.</param>
/// <param name="table">The keys inside.</param>
/// <param name="get">The owner's part that the mapping describes.</param>
/// <param name="set">A copy of the owner with another such part.</param>
public sealed class SectionField<T, TPart>(
    string key, string description, Table<TPart> table, Func<T, TPart> get, Func<T, TPart, T> set) : Field<T>(key, description)
    where T : class
    where TPart : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder) => set(owner, binder.Bind(table, value, path));

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(table.Schema(), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell) => table.Describe(get(owner), path, tell);
}

/// <summary>A key whose value is a mapping with a table of its own, or null for nothing, which is the default.</summary>
/// <param name="key">The key.</param>
/// <param name="description">One line for a person.</param>
/// <param name="table">The keys inside.</param>
/// <param name="get">The owner's part that the mapping describes; null for nothing.</param>
/// <param name="set">A copy of the owner with another such part.</param>
public sealed class OptionalSectionField<T, TPart>(
    string key, string description, Table<TPart> table, Func<T, TPart?> get, Func<T, TPart?, T> set) : Field<T>(key, description)
    where T : class
    where TPart : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder) =>
        set(owner, value is ScalarNode { Text: null } ? null : binder.Bind(table, value, path));

    /// <inheritdoc/>
    public override JsonObject Schema(T seed)
    {
        JsonObject schema = table.Schema();
        schema["type"] = Binding.Schema.Texts(["object", "null"]);
        return Binding.Schema.Described(schema, Description);
    }

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        if (get(owner) is { } part) table.Describe(part, path, tell);
        else tell(path, "null");
    }
}

/// <summary>A key whose mapping only groups: its keys are further properties of the owner itself.</summary>
public sealed class GroupField<T>(string key, string description, params Field<T>[] fields) : Field<T>(key, description)
    where T : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder) =>
        binder.Bind(new Table<T>(() => owner, fields), value, path);

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(new Table<T>(() => seed, fields).Schema(), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        foreach (Field<T> field in fields) field.Describe(owner, ConfigPath.Join(path, field.Key), tell);
    }
}
