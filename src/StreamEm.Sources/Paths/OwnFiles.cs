namespace StreamEm.Sources.Paths;

/// <summary>
/// The files and folders that the worker itself writes, which it must not read: known by where their paths lead, links followed, and by
/// device and inode, so that another name of the same file is known too. Any thread.
/// </summary>
public sealed class OwnFiles
{
    private readonly Dictionary<string, string> _byRealPath = new(StringComparer.Ordinal);
    private readonly string[] _folders;
    private readonly string[] _realPaths;
    private readonly Dictionary<string, string?> _readBy = new(StringComparer.Ordinal);
    private bool _isLookedUp;
    private volatile Dictionary<FileNumber, string> _byNumber = [];

    /// <summary>Files, which may not be there yet, and folders with all that is in them.</summary>
    public OwnFiles(IEnumerable<string> files, IEnumerable<string> folders)
    {
        foreach (string file in files) _byRealPath.TryAdd(RealPath.OfNew(file), file);
        _realPaths = [.. _byRealPath.Keys.Order(StringComparer.Ordinal)];
        _folders = [.. folders.Select(RealPath.OfNew)];
    }

    /// <summary>Nothing.</summary>
    public static OwnFiles None { get; } = new([], []);

    /// <summary>
    /// Which of the files a path or glob of a source leads to, now or as soon as it is written; null when none. Looks at names, at links,
    /// and at the files that are there when it is first asked. One thread at a time.
    /// </summary>
    public string? ReadBy(string pattern)
    {
        // Many models may read by the same pattern.
        if (!_readBy.TryGetValue(pattern, out string? known)) _readBy[pattern] = known = Find(pattern, PathPattern.Resolve(pattern));
        return known;
    }

    private string? Find(string pattern, string real)
    {
        if (_byRealPath.TryGetValue(real, out string? named)) return named;
        if (PathPattern.IsGlob(real))
        {
            // Among all files of a large configuration only those that begin as the pattern does are compared.
            string prefix = PathPattern.PrefixOf(real);
            int at = Array.BinarySearch(_realPaths, prefix, StringComparer.Ordinal);
            for (int i = at < 0 ? ~at : at; i < _realPaths.Length && _realPaths[i].StartsWith(prefix, StringComparison.Ordinal); i++)
                if (PathPattern.Matches(real, _realPaths[i])) return _byRealPath[_realPaths[i]];
        }
        if (!_isLookedUp) Refresh();
        _isLookedUp = true;
        // None of them is there, under whatever name.
        if (_byNumber.Count == 0) return null;
        return FilePaths.Matches(pattern).Select(Find).FirstOrDefault(own => own is not null);
    }

    /// <summary>Looks anew which files there are.</summary>
    internal void Refresh()
    {
        var byNumber = new Dictionary<FileNumber, string>();
        foreach (string file in _byRealPath.Values)
            if (FileStatus.Of(file) is { Number.IsKnown: true } status) byNumber.TryAdd(status.Number, file);
        _byNumber = byNumber;
    }

    /// <summary>Which of them an existing path is, as of the last <see cref="Refresh"/>; null when none.</summary>
    internal string? Find(string path)
    {
        string real = RealPath.Of(path);
        if (_byRealPath.TryGetValue(real, out string? named)) return named;
        if (FileStatus.Of(path) is { } status && _byNumber.TryGetValue(status.Number, out string? other)) return other;
        return Array.Find(_folders, folder => RealPath.IsWithin(real, folder));
    }
}
