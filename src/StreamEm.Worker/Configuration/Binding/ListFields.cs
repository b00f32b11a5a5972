using System.Text.Json.Nodes;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>A list of texts of one kind (left out: any that is not empty), none twice, at least one.</summary>
public sealed class TextListField<T>(
    string key, string description, Func<T, IReadOnlyList<string>> get, Func<T, IReadOnlyList<string>, T> set,
    ValueKind<string>? kind = null) : Field<T>(key, description)
    where T : class
{
    private readonly ValueKind<string> _kind = kind ?? new TextKind();

    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        if (binder.AsItems(value, path) is not { } items) return owner;
        if (items.Count == 0) binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)} is empty; expected at least one");
        var texts = new Dictionary<string, Origin>(StringComparer.Ordinal);
        for (int i = 0; i < items.Count; i++)
        {
            if (items[i] is not ScalarNode scalar || !_kind.TryParse(scalar.Text, out string? text))
                binder.Refuse(items[i], ConfigPath.Join(path, i), _kind.Expected);
            else if (!texts.TryAdd(text, items[i].Origin))
                binder.Problems.Error(items[i].Origin, $"'{text}' is in {ConfigPath.Shown(path)} twice; the first is at {texts[text]}");
        }

        return set(owner, [.. texts.Keys]);
    }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) =>
        Binding.Schema.Described(Binding.Schema.List(Binding.Schema.Text(), isUnique: true), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        IReadOnlyList<string> texts = get(owner);
        for (int i = 0; i < texts.Count; i++) tell(ConfigPath.Join(path, i), texts[i]);
    }
}

/// <summary>A list whose items are of one kind.</summary>
/// <param name="key">The key.</param>
/// <param name="description">One line for a person.</param>
/// <param name="bind">Reads an item; null, and problems, when it cannot be used.</param>
/// <param name="describe">Tells an item.</param>
/// <param name="get">The owner's list.</param>
/// <param name="set">A copy of the owner with another list.</param>
public sealed class ListField<T, TItem>(
    string key,
    string description,
    Func<ConfigNode, string, Binder, TItem?> bind,
    Action<TItem, string, Action<string, string>> describe,
    Func<T, IReadOnlyList<TItem>> get,
    Func<T, IReadOnlyList<TItem>, T> set) : Field<T>(key, description)
    where T : class
    where TItem : class
{
    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        if (binder.AsItems(value, path) is not { } items) return owner;
        if (items.Count == 0 && IsRequired)
            binder.Problems.Error(value.Origin, $"{ConfigPath.Shown(path)} is empty; expected at least one");
        return set(owner, [.. items.Select((item, index) => bind(item, ConfigPath.Join(path, index), binder)).OfType<TItem>()]);
    }

    /// <summary>What an item may be, as a JSON Schema; null: anything.</summary>
    public Func<JsonObject>? ItemSchema { get; init; }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) =>
        Binding.Schema.Described(Binding.Schema.List(ItemSchema is { } item ? item() : []), Description);

    /// <inheritdoc/>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        IReadOnlyList<TItem> items = get(owner);
        for (int i = 0; i < items.Count; i++) describe(items[i], ConfigPath.Join(path, i), tell);
    }
}
