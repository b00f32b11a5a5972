using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>C# in a document is code of this repository, word for word, or compiles; names in it are names of the code.</summary>
public sealed partial class CodeSnippetTests
{
    /// <summary>Documents that explain the code by its names.</summary>
    private static readonly string[] Guides = [.. Repository.Files("docs", "adding-*.md"), "docs/design.md", "CONTRIBUTING.md"];

    private static readonly Lazy<IReadOnlyList<string>> Code = new(() =>
        [.. Repository.Files("src", "*.cs").Concat(Repository.Files("tests", "*.cs")).Select(file => Squeezed(Repository.Read(file)))]);

    [Fact]
    public void CSharp_InADocument_IsInTheCodeOrCompiles() => Violations.None(
        from file in Markdown.Files
        from block in Markdown.Snippets(file)
        where block.Language is "csharp" or "cs" && !Code.Value.Any(code => code.Contains(Squeezed(block.Text), StringComparison.Ordinal))
        from error in Errors(block.Text)
        select $"{block}: {error}");

    [Fact]
    public void Names_InTheGuides_AreNamesOfTheCode()
    {
        HashSet<string> known = [.. Code.Value.SelectMany(code => Identifier().Matches(code)).Select(match => match.Value)];
        Violations.None(
            from file in Guides
            from span in Markdown.CodeSpans(file)
            where CodeName().IsMatch(span) && !span.StartsWith("Subject_", StringComparison.Ordinal)
            from name in Identifier().Matches(span).Select(match => match.Value)
            where !IsStandIn(name) && !known.Contains(name)
            select $"{file} names {name} in `{span}`, which the code does not");
    }

    /// <summary>YourEmission, XSource: what the reader is to write.</summary>
    private static bool IsStandIn(string name) =>
        name.StartsWith("Your", StringComparison.Ordinal) || (name.Length > 2 && name[0] == 'X' && char.IsUpper(name[1]));

    private static IEnumerable<string> Errors(string snippet)
    {
        IEnumerable<string> spaces = CodeBase.Projects.SelectMany(project => project.Compilation.SyntaxTrees)
            .Select(tree => tree.FilePath).Where(file => file.Length > 0)
                .Select(file => Path.GetDirectoryName(file)!["src/".Length..].Replace('/', '.'));
        string usings = CodeBase.ImplicitUsings(isWeb: true)
            + string.Concat(spaces.Distinct(StringComparer.Ordinal).Select(space => $"global using {space};\n"));
        var compilation = CSharpCompilation.Create(
            "snippet",
            [CSharpSyntaxTree.ParseText(usings, CodeBase.Language), CSharpSyntaxTree.ParseText(snippet, CodeBase.Language)],
            [.. CodeBase.Libraries, .. CodeBase.Projects.Select(project => project.Compilation.ToMetadataReference())],
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        return compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error && found.Id != "CS5001")
            .Select(found => found.ToString());
    }

    private static string Squeezed(string text) => Blanks().Replace(text, " ").Trim();

    [GeneratedRegex("\\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();

    [GeneratedRegex("[A-Z]\\w+", RegexOptions.None, 1000)]
    private static partial Regex Identifier();

    [GeneratedRegex("^[A-Z][a-z]\\w*(\\.[A-Z]\\w*)*(\\(.*\\))?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CodeName();
}
