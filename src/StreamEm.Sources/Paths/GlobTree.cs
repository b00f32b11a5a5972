using System.IO.Enumeration;

namespace StreamEm.Sources.Paths;

/// <summary>The folders and files that a glob is looked for in: <see cref="GlobWalk"/>.</summary>
internal abstract class GlobTree
{
    /// <summary>
    /// The names in a folder that a part of a pattern matches; <c>**</c> does not lead through links, which could form a ring.
    /// </summary>
    public abstract IEnumerable<string> Names(string folder, string part, bool folders);

    /// <summary>Whether a path is a folder.</summary>
    public abstract bool HasFolder(string path);

    /// <summary>Whether a path is a file.</summary>
    public abstract bool HasFile(string path);
}

/// <summary>What is on disk.</summary>
/// <param name="denied">Told of every folder that may not be looked into, and why; null where nobody wants to know.</param>
internal sealed class DiskTree(Action<string, string>? denied) : GlobTree
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <inheritdoc/>
    public override IEnumerable<string> Names(string folder, string part, bool folders)
    {
        string searched = folder.Length == 0 ? "." : folder;
        if (!Directory.Exists(searched)) return [];
        var names = new FileSystemEnumerable<string>(searched, (ref FileSystemEntry entry) => entry.FileName.ToString(), All)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                entry.IsDirectory == folders && PathPattern.MatchesName(part, entry.FileName) &&
                (part != PathPattern.AnyDepth || !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
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

    /// <inheritdoc/>
    public override bool HasFolder(string path) => Directory.Exists(path);

    /// <inheritdoc/>
    public override bool HasFile(string path) => File.Exists(path);
}

/// <summary>A single file, which may not be there, in its folders: what a pattern comes to when nothing is looked for.</summary>
/// <param name="path">Its absolute path.</param>
internal sealed class OneFile(string path) : GlobTree
{
    /// <inheritdoc/>
    public override IEnumerable<string> Names(string folder, string part, bool folders)
    {
        if (!HasFolder(folder)) return [];
        int start = folder.EndsWith('/') ? folder.Length : folder.Length + 1, slash = path.IndexOf('/', start);
        ReadOnlySpan<char> name = slash < 0 ? path.AsSpan(start) : path.AsSpan(start, slash - start);
        return slash >= 0 == folders && PathPattern.MatchesName(part, name) ? [name.ToString()] : [];
    }

    /// <inheritdoc/>
    public override bool HasFolder(string folder) => RealPath.IsWithin(path, folder);

    /// <inheritdoc/>
    public override bool HasFile(string file) => file == path;
}
