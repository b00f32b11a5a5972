namespace StreamEm.House.Tests.Code;

/// <summary>
/// Which folder of <c>src</c> uses which: an edge is a type that names a type (or a member of one) of another folder outside comments.
/// </summary>
internal sealed class FolderGraph
{
    private static readonly Lazy<FolderGraph> Read = new(() => new FolderGraph(TypeUses.All));

    private FolderGraph(IReadOnlyList<TypeUse> uses)
    {
        foreach (string file in Repository.Files("src", "*.cs")) Folders.Add(FolderOf(file));
        foreach (TypeUse use in uses)
        {
            (string From, string To) edge = (FolderOf(use.File), FolderOf(use.UsedFile));
            if (edge.From == edge.To) continue;
            if (!Uses.TryGetValue(edge, out SortedSet<(string User, string Used)>? types)) Uses[edge] = types = [];
            types.Add((use.User, use.Used.Name));
        }
    }

    public static FolderGraph OfSources => Read.Value;

    /// <summary>The project's name for its root, else <c>StreamEm.Core/Models/Mixtures</c>.</summary>
    public SortedSet<string> Folders { get; } = new(StringComparer.Ordinal);

    /// <summary>From folder, to folder, and the types that make it so.</summary>
    public SortedDictionary<(string From, string To), SortedSet<(string User, string Used)>> Uses { get; } = [];

    /// <summary>Sets of folders each of which reaches every other of its set.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Cycles()
    {
        Dictionary<string, HashSet<string>> reached =
            Folders.ToDictionary(folder => folder, folder => Reach(folder), StringComparer.Ordinal);
        return
        [
            .. from folder in Folders
               where reached[folder].Contains(folder)
               group folder by string.Join(
                   ' ', reached[folder].Where(other => reached[other].Contains(folder)).Order(StringComparer.Ordinal))
               into cycle
               select cycle.ToList(),
        ];
    }

    /// <summary>
    /// A cycle as text: every use that is part of it; first those that close it alone, then the fewest, for they are the cheapest to cut.
    /// </summary>
    public string Describe(IReadOnlyList<string> cycle)
    {
        IEnumerable<string> uses =
            from use in Uses
            where cycle.Contains(use.Key.From, StringComparer.Ordinal) && cycle.Contains(use.Key.To, StringComparer.Ordinal)
            let isAlone = !cycle.Any(folder => Reach(folder, without: use.Key).Contains(folder))
            orderby isAlone descending, use.Value.Count
            let users = from pair in use.Value group pair.Used by pair.User into user select $"{user.Key} uses {string.Join(", ", user)}"
            select $"  {use.Key.From} -> {use.Key.To}{(isAlone ? " (closes it)" : "")}: {string.Join("; ", users)}";
        return $"{cycle.Count} folders use each other in a circle: {string.Join(", ", cycle)}\n{string.Join('\n', uses)}";
    }

    private static string FolderOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/')["src/".Length..];

    private HashSet<string> Reach(string start, (string From, string To)? without = null)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([start]);
        while (open.TryPop(out string? at))
            foreach ((string from, string to) in Uses.Keys)
                if (from == at && (from, to) != without && reached.Add(to)) open.Push(to);
        return reached;
    }
}
