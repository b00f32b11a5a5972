namespace StreamEm.Sources.Paths;

/// <summary>
/// The files there are for paths and globs, as <see cref="PathPattern"/> says. A path that exists is taken as written, whatever characters
/// it has.
/// </summary>
internal static class FilePaths
{
    /// <summary>The existing files in the order of the patterns, those of one glob in ordinal order; each once.</summary>
    public static List<string> Expand(IReadOnlyList<string> patterns)
    {
        var files = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string pattern in patterns)
        {
            foreach (string file in Matches(pattern))
            {
                if (seen.Add(Path.GetFullPath(file))) files.Add(file);
            }
        }
        return files;
    }

    /// <summary>The existing files of one path or glob, in ordinal order, named the way the pattern is written.</summary>
    /// <param name="pattern">The path or glob.</param>
    /// <param name="denied">Told of every folder that may not be looked into, and why; null where nobody wants to know.</param>
    public static IReadOnlyList<string> Matches(string pattern, Action<string, string>? denied = null)
    {
        if (File.Exists(pattern)) return [pattern];
        if (!PathPattern.IsGlob(pattern)) return [];
        return [.. GlobWalk.Find(pattern, new DiskTree(denied))];
    }
}
