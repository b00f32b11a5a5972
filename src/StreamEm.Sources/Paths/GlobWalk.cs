namespace StreamEm.Sources.Paths;

/// <summary>The way of one glob through folders, the same where files are looked for and where a path is only compared.</summary>
internal sealed class GlobWalk
{
    private readonly string[] _parts;
    private readonly GlobTree _tree;

    private GlobWalk(string[] parts, GlobTree tree) => (_parts, _tree) = (parts, tree);

    private SortedSet<string> Found { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of a glob in ordinal order, named the way it is written.</summary>
    public static IReadOnlyCollection<string> Find(string pattern, GlobTree tree)
    {
        string[] parts = pattern.Split('/');
        var walk = new GlobWalk(parts, tree);
        walk.Into(parts[0].Length == 0 ? "/" : "", parts[0].Length == 0 ? 1 : 0);
        return walk.Found;
    }

    /// <summary>Looks in a folder for what the parts from one on say.</summary>
    private void Into(string folder, int at)
    {
        string part = _parts[at];
        bool last = at == _parts.Length - 1;
        if (part == PathPattern.AnyDepth)
        {
            if (!last) Into(folder, at + 1);
            foreach (string name in _tree.Names(folder, PathPattern.AnyDepth, folders: true)) Into(Path.Combine(folder, name), at);
            if (last) AddAll(folder, "*");
        }
        else if (PathPattern.IsGlob(part) && last)
        {
            AddAll(folder, part);
        }
        else if (PathPattern.IsGlob(part))
        {
            foreach (string name in _tree.Names(folder, part, folders: true)) Into(Path.Combine(folder, name), at + 1);
        }
        else
        {
            string path = Path.Combine(folder, part);
            if (!last && (part is "" or "." or ".." || _tree.HasFolder(path))) Into(path, at + 1);
            else if (last && _tree.HasFile(path)) Found.Add(path);
        }
    }

    private void AddAll(string folder, string part)
    {
        foreach (string name in _tree.Names(folder, part, folders: false)) Found.Add(Path.Combine(folder, name));
    }
}
