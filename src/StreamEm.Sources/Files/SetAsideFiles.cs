using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// What of a source's files is not read for now, and why. Each reason is told once for a path; what becomes readable is forgotten.
/// </summary>
/// <param name="tell">Told of every new reason.</param>
internal sealed class SetAsideFiles(Action<string>? tell)
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<SetAsidePart> _list = [];

    /// <summary>What is set aside now, in the order of the names. Any thread.</summary>
    public IReadOnlyList<SetAsidePart> List => _list;

    /// <summary>The first failure; null when nothing is set aside.</summary>
    public SourceException? First => _entries.Values.MinBy(entry => entry.Order)?.Failure;

    /// <summary>Whether a path was set aside when its file looked the same.</summary>
    public bool Holds(string path, in FileStatus status) => _entries.TryGetValue(path, out Entry? entry) && entry.Status == status;

    /// <summary>Sets a path aside.</summary>
    /// <param name="path">The path.</param>
    /// <param name="status">What its file looked like; null when that does not matter.</param>
    /// <param name="failure">Why.</param>
    public void Add(string path, FileStatus? status, SourceException failure)
    {
        bool isKnown = _entries.TryGetValue(path, out Entry? before) && before.Failure.Message == failure.Message;
        _entries[path] = new Entry(status, failure, before?.Order ?? _entries.Count);
        if (isKnown) return;
        Publish();
        tell?.Invoke($"{failure.Message} It is set aside, the other files are read; it is looked at again when it changes.");
    }

    /// <summary>Forgets a path: it can be read.</summary>
    public void Remove(string path)
    {
        if (_entries.Remove(path)) Publish();
    }

    /// <summary>Forgets what is no longer there, by the paths that are.</summary>
    public void Keep(Predicate<string> isThere)
    {
        foreach (string path in _entries.Keys.Where(path => !isThere(path)).ToList()) Remove(path);
    }

    private void Publish() => _list =
        [.. _entries.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => new SetAsidePart(entry.Key, entry.Value.Failure.Message))];

    private sealed record Entry(FileStatus? Status, SourceException Failure, int Order);
}
