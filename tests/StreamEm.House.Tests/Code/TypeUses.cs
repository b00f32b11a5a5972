using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace StreamEm.House.Tests.Code;

/// <summary>One place in <c>src</c> that names a type of <c>src</c>, or a member of one, outside comments.</summary>
/// <param name="File">Where it is named.</param>
/// <param name="Line">Its line, from 1.</param>
/// <param name="User">The outermost type that names it; the file where there is none.</param>
/// <param name="Used">The outermost type that is named.</param>
/// <param name="UsedFile">The file that declares it.</param>
internal sealed record TypeUse(string File, int Line, string User, INamedTypeSymbol Used, string UsedFile);

/// <summary>Who names whom in <c>src</c>.</summary>
internal static class TypeUses
{
    private static readonly Lazy<IReadOnlyList<TypeUse>> Found = new(() => [.. CodeBase.Projects.SelectMany(In)]);

    public static IReadOnlyList<TypeUse> All => Found.Value;

    private static IEnumerable<TypeUse> In(CompiledProject project) =>
        from tree in project.Compilation.SyntaxTrees
        where tree.FilePath.Length > 0
        let model = project.Compilation.GetSemanticModel(tree)
        from node in tree.GetRoot().DescendantNodes(node => node is not UsingDirectiveSyntax)
        where node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax
        let info = model.GetSymbolInfo(node)
        let used = OutermostType(info.Symbol ?? info.CandidateSymbols.FirstOrDefault())
        where used is not null
        let usedFile = CodeBase.FileOf(used)
        where usedFile is not null
        select new TypeUse(tree.FilePath, tree.GetLineSpan(node.Span).StartLinePosition.Line + 1, UserOf(node), used, usedFile);

    private static string UserOf(SyntaxNode node) =>
        node.Ancestors().OfType<MemberDeclarationSyntax>()
            .LastOrDefault(member => member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax) switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier.Text,
            DelegateDeclarationSyntax type => type.Identifier.Text,
            _ => Path.GetFileNameWithoutExtension(node.SyntaxTree.FilePath),
        };

    private static INamedTypeSymbol? OutermostType(ISymbol? symbol)
    {
        INamedTypeSymbol? type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
        while (type?.ContainingType is { } outer) type = outer;
        return type?.OriginalDefinition;
    }
}
