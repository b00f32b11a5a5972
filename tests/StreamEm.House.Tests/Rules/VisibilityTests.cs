using Microsoft.CodeAnalysis;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Rules;

/// <summary>What a library shows is what another project uses, or what such a type shows.</summary>
public sealed class VisibilityTests
{
    /// <summary>What only someone who builds a model in code names: the Worker reaches it through the catalogue.</summary>
    private static readonly string[] ShownToCode =
        ["CovarianceType", "GaussianOptions", "OnlineModel", "OnlineModelOptions", "RowRole", "RowScore"];

    public static TheoryData<string> Libraries =>
        [.. CodeBase.Projects.Where(project => project.Compilation.Options.OutputKind == OutputKind.DynamicallyLinkedLibrary)
            .Select(project => project.Name)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void PublicTypes_OfALibrary_AreUsedByAnotherProject(string library)
    {
        string folder = $"src/{library}/";
        var shown = new Dictionary<string, INamedTypeSymbol>(StringComparer.Ordinal);
        IEnumerable<INamedTypeSymbol> used = TypeUses.All
            .Where(use => use.UsedFile.StartsWith(folder, StringComparison.Ordinal)
                && !use.File.StartsWith(folder, StringComparison.Ordinal))
            .Select(use => use.Used);
        foreach (INamedTypeSymbol type in used) Show(type, folder, shown);

        string[] unused =
        [
            .. from type in TypesOf(CodeBase.Projects.Single(project => project.Name == library).Compilation.Assembly.GlobalNamespace)
               where type.DeclaredAccessibility == Accessibility.Public && !shown.ContainsKey(type.ToDisplayString())
                   && !ShownToCode.Contains(type.Name)
               orderby type.ToDisplayString()
               select $"{CodeBase.FileOf(type)}: {type.Name}",
        ];
        Assert.True(unused.Length == 0,
            $"{unused.Length} public types of {library} are used by no other project; make them internal:\n{string.Join('\n', unused)}");
    }

    private static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceSymbol space) =>
        space.GetTypeMembers().Concat(space.GetNamespaceMembers().SelectMany(TypesOf));

    /// <summary>Adds a type and, for the compiler asks it, every type its visible members name.</summary>
    private static void Show(ITypeSymbol? type, string folder, Dictionary<string, INamedTypeSymbol> shown)
    {
        if (type is IArrayTypeSymbol array) Show(array.ElementType, folder, shown);
        if (type is IPointerTypeSymbol pointer) Show(pointer.PointedAtType, folder, shown);
        if (type is not INamedTypeSymbol named) return;
        foreach (ITypeSymbol argument in named.TypeArguments) Show(argument, folder, shown);
        named = named.OriginalDefinition;
        if (CodeBase.FileOf(named)?.StartsWith(folder, StringComparison.Ordinal) != true || !shown.TryAdd(named.ToDisplayString(), named))
            return;
        Show(named.ContainingType, folder, shown);
        Show(named.BaseType, folder, shown);
        foreach (INamedTypeSymbol contract in named.Interfaces) Show(contract, folder, shown);
        foreach (ISymbol member in named.GetMembers().Where(IsVisible))
            foreach (ITypeSymbol? part in Signature(member)) Show(part, folder, shown);
    }

    private static bool IsVisible(ISymbol member) =>
        member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;

    private static IEnumerable<ITypeSymbol?> Signature(ISymbol member) => member switch
    {
        IMethodSymbol method =>
            [method.ReturnType, .. method.Parameters.Select(parameter => parameter.Type),
                .. method.TypeParameters.SelectMany(parameter => parameter.ConstraintTypes)],
        IPropertySymbol property => [property.Type, .. property.Parameters.Select(parameter => parameter.Type)],
        IFieldSymbol field => [field.Type],
        IEventSymbol happening => [happening.Type],
        INamedTypeSymbol nested => [nested],
        _ => [],
    };
}
