using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using StreamEm.Core.Catalog;
using StreamEm.Core.Models;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Rules;

/// <summary>A model costs its own files and one line of the catalogue: nothing else in src may name it.</summary>
public sealed class ModelFileTests
{
    /// <summary>
    /// The models this is asked of. gaussian_mixture came before the rule: its forms of covariance share kernels with others.
    /// </summary>
    private static readonly HashSet<string> Held = ["bernoulli_mixture", "categorical_mixture", "poisson_mixture", "hidden_markov"];

    public static TheoryData<string> Models => [.. ModelCatalog.Entries.Select(entry => entry.Type)];

    [Theory]
    [MemberData(nameof(Models))]
    public void Model_OfTheCatalogue_IsNamedInItsOwnFilesAndOneLine(string type)
    {
        Type options = ModelCatalog.Entries.Single(entry => entry.Type == type).CreateOptions().GetType();
        HashSet<string> own = OwnFiles(options);
        Assert.NotEmpty(own);

        IEnumerable<(string File, int Line)> uses =
            from use in TypeUses.All
            where own.Contains(use.UsedFile) && !own.Contains(use.File)
            select (use.File, use.Line);
        string catalogue = Declaring(nameof(ModelCatalog));
        (string File,
            int Line)[] foreign = [.. uses.Concat(Literals(type, own)).Distinct().OrderBy(place => place.File, StringComparer.Ordinal)
                .ThenBy(place => place.Line)];
        (string File, int Line)[] entry = [.. foreign.Where(place => place.File == catalogue)];
        string report = $"{type} is its own in {string.Join(", ", own)}; it is named besides in\n"
            + string.Join('\n',
                foreign.Select(place => $"  {place.File}({place.Line}): {Repository.Read(place.File).Split('\n')[place.Line - 1].Trim()}"));
        if (!Held.Contains(type)) TestContext.Current.TestOutputHelper?.WriteLine(report);
        else Assert.True(foreign.Length == entry.Length && entry.Length <= 1, report);
    }

    /// <summary>The file of the options and those called by its first words: for PoissonMixtureOptions, Poisson*.cs.</summary>
    private static HashSet<string> OwnFiles(Type options)
    {
        string name = options.Name.Replace(nameof(LatentModelOptions)[^7..], "", StringComparison.Ordinal)
            .Replace("Mixture", "", StringComparison.Ordinal);
        return
        [
            .. Repository.Files("src", "*.cs").Where(file => Path.GetFileName(file).StartsWith(name, StringComparison.Ordinal)),
            Declaring(options.Name),
        ];
    }

    private static string Declaring(string type) =>
        CodeBase.Projects.SelectMany(project => project.Compilation.GetSymbolsWithName(type, SymbolFilter.Type)).Select(CodeBase.FileOf)
            .First(file => file is not null)!;

    /// <summary>Texts in code that hold the model's name.</summary>
    private static IEnumerable<(string File, int Line)> Literals(string type, HashSet<string> own) =>
        from file in Repository.Files("src", "*.cs")
        where !own.Contains(file)
        let tree = CodeBase.Parse(file)
        from token in tree.GetRoot().DescendantTokens()
        where token.RawKind is (int)SyntaxKind.StringLiteralToken or (int)SyntaxKind.InterpolatedStringTextToken
            && token.ValueText.Contains(type, StringComparison.Ordinal)
        select (file, tree.GetLineSpan(token.Span).StartLinePosition.Line + 1);
}
