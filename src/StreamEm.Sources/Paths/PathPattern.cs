using System.IO.Enumeration;

namespace StreamEm.Sources.Paths;

/// <summary>
/// What a path with wildcards stands for, where files are looked for and where a configuration is checked without looking: <c>*</c> and
/// <c>?</c> match within one name, <c>**</c> any number of folders, at the end every file below; names that begin with a dot match only
/// when written so.
/// </summary>
public static class PathPattern
{
    /// <summary>The part that stands for any number of folders.</summary>
    internal const string AnyDepth = "**";

    private static readonly char[] Wildcards = ['*', '?'];

    /// <summary>Whether a path has wildcards.</summary>
    public static bool IsGlob(string pattern) => pattern.IndexOfAny(Wildcards) >= 0;

    /// <summary>
    /// The folder before the first part with wildcards, as written; "" when the pattern begins with it, the folder of the file without
    /// wildcards.
    /// </summary>
    public static string FolderOf(string pattern)
    {
        int wildcard = pattern.IndexOfAny(Wildcards);
        return Path.GetDirectoryName(wildcard < 0 ? pattern : pattern[..wildcard]) ?? "";
    }

    /// <summary>
    /// Whether a pattern names a path, by their texts alone: both are made absolute, and no file is looked for. Links are not known, so
    /// that <c>**</c>
    /// may name a path that reading does not come to.
    /// </summary>
    public static bool Matches(string pattern, string path)
    {
        string full = Path.GetFullPath(pattern), of = Path.GetFullPath(path);
        return full == of || (IsGlob(full) && GlobWalk.Find(full, new OneFile(of)).Count > 0);
    }

    /// <summary>What every path begins with that an absolute pattern matches.</summary>
    internal static string PrefixOf(string pattern) => pattern.IndexOfAny(Wildcards) is >= 0 and int at ? pattern[..at] : pattern;

    /// <summary>The same pattern with every link followed in the folders before its first wildcard.</summary>
    internal static string Resolve(string pattern)
    {
        string full = Path.GetFullPath(pattern);
        if (!IsGlob(full)) return RealPath.OfNew(full);
        string folder = FolderOf(full);
        return RealPath.OfNew(folder).TrimEnd('/') + full[folder.TrimEnd('/').Length..];
    }

    /// <summary>Whether one part of a pattern, other than <c>**</c> at the end, matches the name of a file or folder.</summary>
    internal static bool MatchesName(string part, ReadOnlySpan<char> name) =>
        (part.StartsWith('.') || !name.StartsWith('.')) && FileSystemName.MatchesSimpleExpression(part, name, ignoreCase: false);
}
