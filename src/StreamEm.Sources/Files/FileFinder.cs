using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>A file that a source is to read.</summary>
/// <param name="Path">Its path, named the way its pattern is written.</param>
/// <param name="Status">What the system says of it.</param>
/// <param name="IsNamed">Whether it is named by itself, not found by a glob.</param>
internal readonly record struct FoundFile(string Path, FileStatus Status, bool IsNamed);

/// <summary>
/// Finds the files of a source's paths and globs, in the order of the patterns, those of one glob in ordinal order, each once. What must
/// not be read is told instead: what is no regular file, a link that leads out of its glob's folder, a folder that may not be looked into.
/// What the worker itself writes is passed over.
/// </summary>
/// <param name="patterns">Paths and globs.</param>
/// <param name="own">What the worker writes.</param>
internal sealed class FileFinder(IReadOnlyList<string> patterns, OwnFiles own)
{
    private readonly HashSet<(string Path, FileNumber Number)> _checked = [];

    /// <summary>Whether nothing is there for a pattern, by the last <see cref="Find"/>.</summary>
    public IReadOnlyList<string> Empty { get; private set; } = [];

    /// <summary>The files that are there now.</summary>
    /// <param name="refused">Told of every path that is not read, what it is, and whether it is named by itself.</param>
    public List<FoundFile> Find(Action<SourceException, string, bool> refused)
    {
        var files = new List<FoundFile>();
        var empty = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        bool isFresh = false;
        foreach (string pattern in patterns)
        {
            int matches = 0;
            bool isNamed = !PathPattern.IsGlob(pattern) || File.Exists(pattern);
            IReadOnlyList<string> paths = FilePaths.Matches(pattern, (folder, why) =>
                refused(new SourceException(SourceFailure.Denied, $"the folder '{folder}' cannot be looked into: {why}"), folder, false));
            foreach (string path in paths)
            {
                matches++;
                if (!seen.Add(System.IO.Path.GetFullPath(path)) || FileStatus.Of(path) is not { } status) continue;
                bool isChecked = _checked.Contains((path, status.Number));
                if (!isChecked && !isFresh) own.Refresh();
                isFresh |= !isChecked;
                if (!isChecked && own.Find(path) is not null) continue;
                if (Refusal(pattern, path, status, isNamed || isChecked) is { } refusal) refused(refusal, path, isNamed);
                else files.Add(new FoundFile(path, status, isNamed));
            }
            if (matches == 0) empty.Add(pattern);
        }
        Empty = empty;
        return files;
    }

    private SourceException? Refusal(string pattern, string path, in FileStatus status, bool mayLeadOut)
    {
        if (status.Kind != FileKind.Regular) return OpenFile.NotRegular(path, status.Kind);
        if (!mayLeadOut)
        {
            string folder = RealPath.Of(PathPattern.FolderOf(pattern) is { Length: > 0 } written ? written : ".");
            string real = RealPath.Of(path);
            if (!RealPath.IsWithin(real, folder))
                return new SourceException(SourceFailure.Denied,
                    $"'{path}' is a link that leads out of '{folder}', to '{real}'; name it by itself in source.file.path if it is to be "
                        + "read.");
        }
        _checked.Add((path, status.Number));
        return null;
    }
}
