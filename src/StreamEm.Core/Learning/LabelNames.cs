using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Which component, or class, a label stands for. Of components a number 0 .. K-1 names its own; any other text, and every class, the
/// lowest without a name, in the order the texts first appear. Part of the state.
/// </summary>
/// <param name="components">K: the most names.</param>
/// <param name="areClasses">Whether labels name classes, which have no numbers of their own.</param>
internal sealed class LabelNames(int components, bool areClasses = false)
{
    private readonly string?[] _names = new string?[components];
    private readonly LabelText _reader = new();
    private readonly double[] _says = new double[components];

    /// <summary>The labels of a model: names of its classes, or of its components.</summary>
    public static LabelNames Of(LatentModelOptions model, int components)
    {
        if (model.MaxClasses == 0) return new LabelNames(components);
        var names = new LabelNames(model.MaxClasses, areClasses: true);
        names.Restore(model.Classes, unknown: 0);
        names.IsFixed = names.Any;
        return names;
    }

    /// <summary>The label each component was named after, null where none.</summary>
    public IReadOnlyList<string?> Names => _names;

    /// <summary>Whether labels name classes.</summary>
    public bool AreClasses => areClasses;

    /// <summary>The names there are, in their order: of classes, which leave none out.</summary>
    public IReadOnlyList<string> Known => [.. _names.OfType<string>()];

    /// <summary>Whether any component has a name.</summary>
    public bool Any { get; private set; }

    /// <summary>Whether the names there are are all there will be.</summary>
    public bool IsFixed { get; set; }

    /// <summary>Labels met that no component was left for.</summary>
    public long Unknown { get; private set; }

    /// <summary>
    /// The label of an observation: the component of a name, what is said of all of them by several names (<see cref="LabelText"/>), or
    /// <see cref="Minibatch.Unlabelled"/> for none, a negative number, every component, or when no component is left for a name.
    /// </summary>
    /// <param name="text">The label.</param>
    /// <param name="rows">What the observation is added to next.</param>
    public int Read(string? text, Minibatch rows)
    {
        if (text is null || !LabelText.MayBeSeveral(text) || !_reader.TryRead(text)) return Component(text);
        bool isExcept = _reader.Form == LabelForm.Except;
        Array.Fill(_says, isExcept ? 1 : 0);
        for (int at = 0; at < _reader.Count; at++)
        {
            int component = Component(_reader.Name(at));
            if (component >= 0) _says[component] = isExcept ? 0 : _says[component] + _reader.Probability(at);
            // Of one that is not known it says nothing to leave it out, and to name it leaves all open.
            else if (!isExcept) return Minibatch.Unlabelled;
        }
        return Label(rows);
    }

    /// <summary>
    /// The component of a name; <see cref="Minibatch.Unlabelled"/> for none, a negative number, or when no component is left.
    /// </summary>
    public int Component(string? label)
    {
        if (string.IsNullOrEmpty(label)) return Minibatch.Unlabelled;
        for (int k = 0; k < _names.Length; k++)
            if (string.Equals(_names[k], label, StringComparison.Ordinal)) return k;
        if (int.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
        {
            if (number < 0) return Minibatch.Unlabelled;
            if (!areClasses && number < _names.Length && _names[number] is null) return Take(number, label);
        }
        int free = IsFixed ? -1 : Array.IndexOf(_names, null);
        if (free >= 0) return Take(free, label);
        Unknown++;
        return Minibatch.Unlabelled;
    }

    /// <summary>The names of the components, or of the classes they are of; null where one has none, empty where none has.</summary>
    public IReadOnlyList<string?> OfComponents(IReadOnlyList<string> classes, int components) => areClasses
        ? [.. Enumerable.Range(0, components).Select(k => classes[k * classes.Count / components])]
        : Any ? [.. _names] : [];

    /// <summary>Takes over names [K], null where a component has none, and the labels that no component was left for.</summary>
    public void Restore(IReadOnlyList<string?> names, long unknown)
    {
        for (int k = 0; k < _names.Length; k++) _names[k] = k < names.Count ? names[k] : null;
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
        if (areClasses && Known.Count < _names.Length && _names[Known.Count..].Any(name => name is not null))
            throw new InvalidDataException("A class without a name is before one that has one.");
        Unknown = reader.ReadInt64();
        if (Unknown < 0) throw new InvalidDataException($"{Unknown} labels are unknown; expected at least 0.");
    }

    /// <summary>What is said of all components as a label: one of them, none when it is the same of all, or evidence.</summary>
    private int Label(Minibatch rows)
    {
        double most = 0, least = double.PositiveInfinity;
        int only = -1, possible = 0;
        for (int k = 0; k < _says.Length; k++)
        {
            (most, least) = (Math.Max(most, _says[k]), Math.Min(least, _says[k]));
            if (_says[k] > 0) (only, possible) = (k, possible + 1);
        }
        if (most == least) return Minibatch.Unlabelled;
        if (possible == 1) return only;
        for (int k = 0; k < _says.Length; k++) _says[k] /= most;
        return rows.AddEvidence(_says);
    }

    private int Take(int component, string label)
    {
        Any = true;
        _names[component] = label;
        return component;
    }
}
