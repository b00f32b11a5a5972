using System.Globalization;
using StreamEm.Core.Data;

namespace StreamEm.Core.Learning;

/// <summary>
/// Which component a label stands for: a number 0 .. K-1 its own; any other text the lowest component without a name, in the order the
/// texts first appear. Part of the state.
/// </summary>
internal sealed class LabelNames(int components)
{
    private readonly string?[] _names = new string?[components];

    /// <summary>The label each component was named after, null where none.</summary>
    public IReadOnlyList<string?> Names => _names;

    /// <summary>Whether any component has a name.</summary>
    public bool Any { get; private set; }

    /// <summary>Labels met that no component was left for.</summary>
    public long Unknown { get; private set; }

    /// <summary>
    /// The component of a label; <see cref="Minibatch.Unlabelled"/> for none, a negative number, or when no component is left.
    /// </summary>
    public int Component(string? label)
    {
        if (string.IsNullOrEmpty(label)) return Minibatch.Unlabelled;
        for (int k = 0; k < _names.Length; k++)
            if (string.Equals(_names[k], label, StringComparison.Ordinal)) return k;
        if (int.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
        {
            if (number < 0) return Minibatch.Unlabelled;
            if (number < _names.Length && _names[number] is null) return Take(number, label);
        }
        int free = Array.IndexOf(_names, null);
        if (free >= 0) return Take(free, label);
        Unknown++;
        return Minibatch.Unlabelled;
    }

    /// <summary>Takes over names [K], null where a component has none, and the labels that no component was left for.</summary>
    public void Restore(IReadOnlyList<string?> names, long unknown)
    {
        for (int k = 0; k < _names.Length; k++) _names[k] = names[k];
        Any = names.Any(name => name is not null);
        Unknown = unknown;
    }

    public void Save(BinaryWriter writer)
    {
        foreach (string? name in _names) writer.Write(name ?? "");
        writer.Write(Unknown);
    }

    public void Load(BinaryReader reader)
    {
        for (int k = 0; k < _names.Length; k++)
        {
            string name = reader.ReadString();
            _names[k] = name.Length == 0 ? null : name;
            Any |= name.Length > 0;
        }
        Unknown = reader.ReadInt64();
        if (Unknown < 0) throw new InvalidDataException($"{Unknown} labels are unknown; expected at least 0.");
    }

    private int Take(int component, string label)
    {
        Any = true;
        _names[component] = label;
        return component;
    }
}
