using System.IO.Enumeration;

namespace StreamEm.Sources.Paths;

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
    /// <param name="pattern">The path or glob.</param>
    /// <param name="denied">Told of every folder that may not be looked into, and why; null where nobody wants to know.</param>
    public static IReadOnlyList<string> Matches(string pattern, Action<string, string>? denied = null)
    {
        if (File.Exists(pattern)) return [pattern];
        if (!PathPattern.IsGlob(pattern)) return [];
        string[] parts = pattern.Split('/');
        var walk = new Walk(parts, denied);
        walk.Into(parts[0].Length == 0 ? "/" : "", parts[0].Length == 0 ? 1 : 0);
        return [.. walk.Found];
    }

    /// <summary>The way through the folders of one glob.</summary>
    private sealed class Walk(string[] parts, Action<string, string>? denied)
    {
        /// <summary>The files found.</summary>
        public SortedSet<string> Found { get; } = new(StringComparer.Ordinal);

        /// <summary>Looks in a folder for what the parts from one on say.</summary>
        public void Into(string folder, int at)
        {
            string part = parts[at];
            bool last = at == parts.Length - 1;
            if (part == PathPattern.AnyDepth)
            {
                if (!last) Into(folder, at + 1);
                foreach (string name in Names(folder, PathPattern.AnyDepth, folders: true)) Into(Path.Combine(folder, name), at);
                if (last) AddAll(folder, "*");
            }
            else if (PathPattern.IsGlob(part) && last)
            {
                AddAll(folder, part);
            }
            else if (PathPattern.IsGlob(part))
            {
                foreach (string name in Names(folder, part, folders: true)) Into(Path.Combine(folder, name), at + 1);
            }
            else
            {
                string path = Path.Combine(folder, part);
                if (!last && (part is "" or "." or ".." || Directory.Exists(path))) Into(path, at + 1);
                else if (last && File.Exists(path)) Found.Add(path);
            }
        }

        private void AddAll(string folder, string part)
        {
            foreach (string name in Names(folder, part, folders: false)) Found.Add(Path.Combine(folder, name));
        }

        /// <summary>Names within a folder; <c>**</c> does not lead through symbolic links, which could form a ring.</summary>
        private List<string> Names(string folder, string pattern, bool folders)
        {
            string searched = folder.Length == 0 ? "." : folder;
            if (!Directory.Exists(searched)) return [];
            var names = new FileSystemEnumerable<string>(searched, (ref FileSystemEntry entry) => entry.FileName.ToString(), All)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                    entry.IsDirectory == folders && PathPattern.MatchesName(pattern, entry.FileName) &&
                    (pattern != PathPattern.AnyDepth || !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
            };
            try
            {
                return [.. names];
            }
            catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
            {
                // One folder that may not be looked into, or has just gone, takes nothing from the others.
                denied?.Invoke(searched, failure.Message);
                return [];
            }
        }
    }
}
