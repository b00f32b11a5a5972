using System.IO.Enumeration;

namespace StreamEm.Sources.Files;

/// <summary>
/// The files that paths and globs stand for. In a glob <c>*</c> and <c>?</c> match within one name, <c>**</c> any number of folders; names that
/// begin with a dot match only when written so.
/// </summary>
internal static class FilePaths
{
    private const string AnyDepth = "**";

    private static readonly char[] Wildcards = ['*', '?'];
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
        if (!IsGlob(pattern)) return [];
        string[] parts = pattern.Split('/');
        var found = new SortedSet<string>(StringComparer.Ordinal);
        Walk(parts[0].Length == 0 ? "/" : "", parts, parts[0].Length == 0 ? 1 : 0, found);
        return [.. found];
    }

    /// <summary>Whether a path has wildcards.</summary>
    public static bool IsGlob(string pattern) => pattern.IndexOfAny(Wildcards) >= 0;

    private static void Walk(string folder, string[] parts, int at, SortedSet<string> found)
    {
        string part = parts[at];
        bool last = at == parts.Length - 1;
        if (part == AnyDepth)
        {
            if (!last) Walk(folder, parts, at + 1, found);
            foreach (string name in Names(folder, AnyDepth, folders: true)) Walk(Path.Combine(folder, name), parts, at, found);
            if (last) Walk(folder, [.. parts[..at], "*"], at, found);
            return;
        }
        if (!IsGlob(part))
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
                entry.IsDirectory == folders && (pattern[0] == '.' || entry.FileName[0] != '.') &&
                (pattern != AnyDepth || !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)) &&
                FileSystemName.MatchesSimpleExpression(pattern, entry.FileName, ignoreCase: false),
        };
        return [.. names];
    }
}
