using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace StreamEm.House.Tests.Code;

/// <summary>Which folder of <c>src</c> uses which: an edge is a type that names a type (or a member of one) of another folder outside comments.</summary>
internal sealed class FolderGraph
{
    private static readonly Lazy<FolderGraph> Read = new(() => new FolderGraph(CodeBase.Projects));

    private FolderGraph(IReadOnlyList<CompiledProject> projects)
    {
        foreach (CompiledProject project in projects)
        {
            foreach (SyntaxTree tree in project.Compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0))
            {
                Folders.Add(FolderOf(tree.FilePath));
                SemanticModel model = project.Compilation.GetSemanticModel(tree);
                foreach (SyntaxNode node in tree.GetRoot().DescendantNodes(node => node is not UsingDirectiveSyntax)) Add(model, node);
            }
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
        Dictionary<string, HashSet<string>> reached = Folders.ToDictionary(folder => folder, Reach, StringComparer.Ordinal);
        return
        [
            .. from folder in Folders
               where reached[folder].Contains(folder)
               group folder by string.Join(' ', reached[folder].Where(other => reached[other].Contains(folder)).Order(StringComparer.Ordinal))
               into cycle
               select cycle.ToList(),
        ];
    }

    /// <summary>A cycle as text: every use that is part of it, the fewest first, for they are the cheapest to cut.</summary>
    public string Describe(IReadOnlyList<string> cycle)
    {
        IEnumerable<string> uses =
            from use in Uses
            where cycle.Contains(use.Key.From, StringComparer.Ordinal) && cycle.Contains(use.Key.To, StringComparer.Ordinal)
            orderby use.Value.Count
            let users = from pair in use.Value group pair.Used by pair.User into user select $"{user.Key} uses {string.Join(", ", user)}"
            select $"  {use.Key.From} -> {use.Key.To}: {string.Join("; ", users)}";
        return $"{cycle.Count} folders use each other in a circle: {string.Join(", ", cycle)}\n{string.Join('\n', uses)}";
    }

    private static string FolderOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/')["src/".Length..];

    private HashSet<string> Reach(string start)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([start]);
        while (open.TryPop(out string? at))
            foreach ((string from, string to) in Uses.Keys)
                if (from == at && reached.Add(to)) open.Push(to);
        return reached;
    }

    private void Add(SemanticModel model, SyntaxNode node)
    {
        if (node is not (SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax)) return;
        SymbolInfo info = model.GetSymbolInfo(node);
        if (OutermostType(info.Symbol ?? info.CandidateSymbols.FirstOrDefault()) is not { } used || CodeBase.FileOf(used) is not { } file) return;
        (string from, string to) = (FolderOf(node.SyntaxTree.FilePath), FolderOf(file));
        if (from == to) return;
        string user = node.Ancestors().OfType<MemberDeclarationSyntax>().LastOrDefault(member => member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax) switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier.Text,
            DelegateDeclarationSyntax type => type.Identifier.Text,
            _ => Path.GetFileNameWithoutExtension(node.SyntaxTree.FilePath),
        };
        if (!Uses.TryGetValue((from, to), out SortedSet<(string User, string Used)>? uses)) Uses[(from, to)] = uses = [];
        uses.Add((user, used.Name));
    }

    private static INamedTypeSymbol? OutermostType(ISymbol? symbol)
    {
        INamedTypeSymbol? type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
        while (type?.ContainingType is { } outer) type = outer;
        return type?.OriginalDefinition;
    }
}
