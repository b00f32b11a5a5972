namespace StreamEm.Sources.Files;

/// <summary>
/// Files that were read and are gone: deleted, truncated or written over. A new file that begins with everything that was read of one of
/// them is a copy of it (copied before a truncation, compressed after a rotation, replaced by a longer one) and is read on from there.
/// </summary>
internal sealed class PastFiles
{
    /// <summary>How many are remembered.</summary>
    public const int Most = 1000;

    private readonly List<KnownFile> _files = [];
    private long _order;

    /// <summary>In the order they went.</summary>
    public IReadOnlyList<KnownFile> Files => _files;

    /// <summary>Takes one that an earlier run knew to be gone.</summary>
    public void Restore(KnownFile file)
    {
        _order = Math.Max(_order, file.Gone ?? 0);
        _files.Add(file);
        _files.Sort((one, other) => Nullable.Compare(one.Gone, other.Gone));
    }

    /// <summary>Takes one whose content is gone. One of which no record was read is forgotten: its header may be any other's.</summary>
    public void Add(KnownFile file)
    {
        file.Vanish(++_order);
        if (IsOfUse(file)) _files.Add(file);
    }

    /// <summary>Takes one that is not to be found, though it may come back as it was.</summary>
    public void AddLost(KnownFile file)
    {
        file.Dispose();
        file.Lose();
        file.Gone = ++_order;
        if (IsOfUse(file)) _files.Add(file);
    }

    private static bool IsOfUse(KnownFile file) =>
        file.IsInState && (file.Evidence.Length > file.HeaderLength || file.Evidence.Length == 0);

    /// <summary>Lets one go that is there again.</summary>
    public void Remove(KnownFile file) => _files.Remove(file);

    /// <summary>
    /// Lets the oldest go when there are too many, but those of a folder of which nothing is there: it may only be out of reach.
    /// </summary>
    public void Trim(IReadOnlyList<KnownFile> present)
    {
        if (_files.Count <= Most) return;
        var folders = present.Select(file => Path.GetDirectoryName(file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (KnownFile file in _files.Take(_files.Count - Most).ToList())
            if (folders.Contains(Path.GetDirectoryName(file.Name))) _files.Remove(file);
    }

    /// <summary>The file that a new one is a copy of; null when it is none.</summary>
    /// <exception cref="SourceException">The new one cannot be read.</exception>
    public KnownFile? OriginalOf(OpenFile copy)
    {
        KnownFile[] known = [.. _files.Where(file => file.Evidence.Length > 0)];
        if (known.Length > 0)
        {
            int found = copy.Attempt(() =>
            {
                using FileText text = copy.NewText();
                return TextMatch.Longest(text, Array.ConvertAll(known, file => file.Evidence));
            });
            if (found >= 0) return known[found];
        }
        return _files.Find(file => file.IsOldTextOf(copy));
    }
}
