using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using StreamEm.Core.Catalog;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Rules;

/// <summary>A model costs its own files and one line of the catalogue: nothing else in src may name it.</summary>
public sealed class ModelFileTests
{
    /// <summary>What a family's name is given to make the name of its mixture.</summary>
    private const string OfAFamily = "_mixture";

    /// <summary>The models this is asked of; of the first, the Gaussian mixture, it is only told.</summary>
    private static readonly HashSet<string> Held = ["bernoulli_mixture", "categorical_mixture", "poisson_mixture", "multinomial_mixture",
        "exponential_mixture", "student_t_mixture", "hidden_markov", "mixture_classifier", "naive_bayes", "linear_gaussian_state_space",
        "poisson_random_walk"];

    public static TheoryData<string> Models => [.. ModelCatalog.Types];

    [Theory]
    [MemberData(nameof(Models))]
    public void Model_OfTheCatalogue_IsNamedInItsOwnFilesAndOneLine(string type)
    {
        string name = type.EndsWith(OfAFamily, StringComparison.Ordinal) ? type[..^OfAFamily.Length] : type;
        HashSet<string> own = OwnFiles(name);
        Assert.True(own.Count > 0, $"{type} has no file of its own: none in src has a name that begins with {Pascal(name)}.");

        (string File, int Line)[] foreign =
        [
            .. TypeUses.All.Where(use => own.Contains(use.UsedFile) && !own.Contains(use.File)).Select(use => (use.File, use.Line))
                .Concat(Texts([type, name], own)).Distinct().OrderBy(place => place.File, StringComparer.Ordinal)
                    .ThenBy(place => place.Line),
        ];
        string report = $"{type} is at home in {string.Join(", ", own)}; it is named besides in\n"
            + string.Join('\n', foreign.Select(place => $"  {place.File}({place.Line}): {LineAt(place)}"));
        bool isAlone = foreign.Length <= 1 && foreign.All(place => place.File == Catalogue);
        if (Held.Contains(type)) Assert.True(isAlone, report);
        else TestContext.Current.TestOutputHelper?.WriteLine(report);
    }

    /// <summary>The file of the catalogue.</summary>
    private static string Catalogue =>
        CodeBase.Projects.SelectMany(project => project.Compilation.GetSymbolsWithName(nameof(ModelCatalog), SymbolFilter.Type))
            .Select(CodeBase.FileOf).First(file => file is not null)!;

    /// <summary>For poisson, Poisson*.cs, but for those of a model whose name goes on: poisson_random_walk.</summary>
    private static HashSet<string> OwnFiles(string name)
    {
        string[] longer = [.. ModelCatalog.Types.Where(type => type != name + OfAFamily
            && type.StartsWith(name + "_", StringComparison.Ordinal)).Select(Pascal)];
        return [.. Repository.Files("src", "*.cs").Where(file => Path.GetFileName(file).StartsWith(Pascal(name), StringComparison.Ordinal)
            && !Array.Exists(longer, other => Path.GetFileName(file).StartsWith(other, StringComparison.Ordinal)))];
    }

    private static string Pascal(string name) => string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static string LineAt((string File, int Line) place) => Repository.Read(place.File).Split('\n')[place.Line - 1].Trim();

    /// <summary>Texts in code that are one of the names.</summary>
    private static IEnumerable<(string File, int Line)> Texts(string[] names, HashSet<string> own) =>
        from file in Repository.Files("src", "*.cs")
        where !own.Contains(file)
        let tree = CodeBase.Parse(file)
        from token in tree.GetRoot().DescendantTokens()
        where token.RawKind is (int)SyntaxKind.StringLiteralToken && names.Contains(token.ValueText, StringComparer.Ordinal)
        select (file, tree.GetLineSpan(token.Span).StartLinePosition.Line + 1);
}
