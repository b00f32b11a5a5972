using System.IO.Enumeration;

namespace StreamEm.Sources.Files;

/// <summary>
/// The files there are for paths and globs, as <see cref="PathPattern"/> says. A path that exists is taken as written, whatever characters
/// it has.
/// </summary>
internal static class FilePaths
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

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
    public static IReadOnlyList<string> Matches(string pattern)
    {
        if (File.Exists(pattern)) return [pattern];
        if (!PathPattern.IsGlob(pattern)) return [];
        string[] parts = pattern.Split('/');
        var found = new SortedSet<string>(StringComparer.Ordinal);
        Walk(parts[0].Length == 0 ? "/" : "", parts, parts[0].Length == 0 ? 1 : 0, found);
        return [.. found];
    }

    private static void Walk(string folder, string[] parts, int at, SortedSet<string> found)
    {
        string part = parts[at];
        bool last = at == parts.Length - 1;
        if (part == PathPattern.AnyDepth)
        {
            if (!last) Walk(folder, parts, at + 1, found);
            foreach (string name in Names(folder, PathPattern.AnyDepth, folders: true)) Walk(Path.Combine(folder, name), parts, at, found);
            if (last) Walk(folder, [.. parts[..at], "*"], at, found);
            return;
        }
        if (!PathPattern.IsGlob(part))
        {
            string path = Path.Combine(folder, part);
            if (!last && (part is "" or "." or ".." || Directory.Exists(path))) Walk(path, parts, at + 1, found);
            else if (last && File.Exists(path)) found.Add(path);
            return;
        }
        foreach (string name in Names(folder, part, folders: !last))
        {
            string path = Path.Combine(folder, name);
            if (last) found.Add(path);
            else Walk(path, parts, at + 1, found);
        }
    }

    /// <summary>Names within a folder; <c>**</c> does not lead through symbolic links, which could form a ring.</summary>
    private static List<string> Names(string folder, string pattern, bool folders)
    {
        string searched = folder.Length == 0 ? "." : folder;
        if (!Directory.Exists(searched)) return [];
        var names = new FileSystemEnumerable<string>(searched, (ref FileSystemEntry entry) => entry.FileName.ToString(), All)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                entry.IsDirectory == folders && PathPattern.MatchesName(pattern, entry.FileName) &&
                (pattern != PathPattern.AnyDepth || !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
        };
        return [.. names];
    }
}
