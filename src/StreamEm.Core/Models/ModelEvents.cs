namespace StreamEm.Core.Models;

/// <summary>A degenerate case that an M-step met and handled.</summary>
public enum ModelEventKind
{
    /// <summary>The minibatch gave the component no evidence; it kept its parameters.</summary>
    NoEvidence,

    /// <summary>The component's covariance was not positive definite; its eigenvalues were floored.</summary>
    CovarianceFloored,

    /// <summary>The component had lost its weight and was given a new start.</summary>
    Reseeded,

    /// <summary>The component has lost its weight and is kept as it is, by policy.</summary>
    Dead,
}

/// <summary>One degenerate case.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Component">Which component; -1 for all.</param>
/// <param name="Value">The number that triggered it: evidence in rows, smallest eigenvalue, weight.</param>
public readonly record struct ModelEvent(ModelEventKind Kind, int Component, double Value);

/// <summary>The degenerate cases of one update, reused from update to update.</summary>
public sealed class ModelEvents
{
    private readonly List<ModelEvent> _events = [];

    /// <summary>The cases, in the order met.</summary>
    public IReadOnlyList<ModelEvent> All => _events;

    /// <summary>Records a case.</summary>
    public void Add(ModelEventKind kind, int component, double value) => _events.Add(new ModelEvent(kind, component, value));

    /// <summary>Numbers the components of the cases from <paramref name="first"/> on as those of a larger model.</summary>
    /// <param name="first">The first case of a part of the model.</param>
    /// <param name="before">Components before those of the part.</param>
    internal void Renumber(int first, int before)
    {
        for (int at = first; at < _events.Count && before > 0; at++)
            if (_events[at].Component >= 0) _events[at] = _events[at] with { Component = _events[at].Component + before };
    }

    /// <summary>Forgets all cases.</summary>
    public void Clear() => _events.Clear();

    /// <summary>Writes the cases.</summary>
    internal void Save(BinaryWriter writer)
    {
        writer.Write(_events.Count);
        foreach (ModelEvent item in _events)
        {
            writer.Write((int)item.Kind);
            writer.Write(item.Component);
            writer.Write(item.Value);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote of a model of so many components.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    internal void Load(BinaryReader reader, int components)
    {
        int count = reader.ReadInt32();
        if (count < 0) throw new InvalidDataException($"A state has {count} events of its last update.");
        for (int at = 0; at < count; at++)
        {
            var kind = (ModelEventKind)reader.ReadInt32();
            int component = reader.ReadInt32();
            if (!Enum.IsDefined(kind) || component < -1 || component >= components)
                throw new InvalidDataException($"A state has an event {(int)kind} of component {component}; there are {components}.");
            Add(kind, component, reader.ReadDouble());
        }
    }
}
