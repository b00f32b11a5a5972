using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>The last events of the components, oldest first. Part of the state.</summary>
internal sealed class ComponentEvents
{
    /// <summary>The most that are kept.</summary>
    private const int Most = 32;

    /// <summary>Updates within which the same goes on.</summary>
    private const int Together = 50;

    private readonly List<ComponentEvent> _all = [];

    /// <summary>The events.</summary>
    public IReadOnlyList<ComponentEvent> All => [.. _all];

    /// <summary>Takes what an update met.</summary>
    public void Take(ModelEvents events, IReadOnlyList<string> ids, long update)
    {
        foreach (ModelEvent item in events.All)
        {
            string? component = item.Component >= 0 ? ids[item.Component] : null;
            if (item.Kind == ModelEventKind.Reseeded) Add(ComponentEventKind.Reseeded, component, update);
            if (item.Kind == ModelEventKind.CovarianceFloored) Add(ComponentEventKind.Floored, component, update);
            if (item.Kind == ModelEventKind.Dead) Add(ComponentEventKind.Died, component, update);
        }
    }

    /// <summary>Takes what came and what went between two updates.</summary>
    /// <param name="before">Ids there were.</param>
    /// <param name="after">Ids there are.</param>
    /// <param name="update">The version from which on they are.</param>
    public void Follow(IReadOnlyList<string> before, IReadOnlyList<string> after, long update)
    {
        foreach (string id in before.Except(after)) Add(ComponentEventKind.Died, id, update);
        foreach (string id in after.Except(before)) Add(ComponentEventKind.Born, id, update);
    }

    /// <summary>Takes an event; it goes on where one of the last updates had it too.</summary>
    public void Add(ComponentEventKind kind, string? component, long update)
    {
        int at = _all.FindLastIndex(item => item.Kind == kind && item.Component == component && item.Until > update - Together);
        if (at >= 0)
        {
            ComponentEvent known = _all[at];
            _all[at] = known with { Until = update, Count = known.Until == update ? known.Count : known.Count + 1 };
            return;
        }
        if (_all.Count == Most) _all.RemoveAt(0);
        _all.Add(new ComponentEvent(kind, component, update, update, 1));
    }

    /// <summary>Takes over the events of another state.</summary>
    public void CopyFrom(ComponentEvents other)
    {
        _all.Clear();
        _all.AddRange(other._all);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_all.Count);
        foreach (ComponentEvent item in _all)
        {
            writer.Write((int)item.Kind);
            writer.Write(item.Component is not null);
            if (item.Component is { } id) writer.Write(id);
            foreach (long number in (ReadOnlySpan<long>)[item.Version, item.Until, item.Count]) writer.Write(number);
        }
    }

    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public void Load(BinaryReader reader)
    {
        _all.Clear();
        int count = reader.ReadInt32();
        if (count is < 0 or > Most) throw new InvalidDataException($"The state is damaged: it has {count} events of components.");
        for (int at = 0; at < count; at++)
        {
            var kind = (ComponentEventKind)reader.ReadInt32();
            string? component = reader.ReadBoolean() ? reader.ReadString() : null;
            var item = new ComponentEvent(kind, component, reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
            if (!Enum.IsDefined(kind) || item.Version < 0 || item.Until < item.Version || item.Count < 1)
                throw new InvalidDataException("The state is damaged: an event of a component cannot have been.");
            _all.Add(item);
        }
    }
}
