using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Rules;

/// <summary>How large a file, a method and a line may get, in src and tests.</summary>
public sealed class SizeTests
{
    private const int FileLines = 300, MethodLines = 60, Columns = 140;

    /// <summary>
    /// A kernel is one loop whose registers no call may spill; it may be as long as it needs (as .editorconfig says, too).
    /// </summary>
    private const string Kernels = "src/StreamEm.Core/LinearAlgebra/";

    private static readonly IReadOnlyList<string> Files = [.. Repository.Files("src", "*.cs"), .. Repository.Files("tests", "*.cs")];

    [Fact]
    public void Files_OfCode_StopAt300Lines() => Violations.None(
        from file in Files.Concat(Repository.Files("src", "*.ts"))
        let lines = File.ReadLines(Repository.PathOf(file)).Count()
        where lines > FileLines
        select $"{file} has {lines} lines; at most {FileLines}. Give a part of it a file of its own.");

    [Fact]
    public void Methods_OfCode_StopAt60Lines() => Violations.None(
        from file in Files
        where !file.StartsWith(Kernels, StringComparison.Ordinal)
        from node in CodeBase.Parse(file).GetRoot().DescendantNodes()
        where node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or LocalFunctionStatementSyntax
        let span = node.SyntaxTree.GetLineSpan(node.Span)
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1 - LinesOfTexts(node).Count
        where lines > MethodLines
        select $"{file}({span.StartLinePosition.Line + 1}) {NameOf(node)} has {lines} lines; at most {MethodLines}. Give a step of it a "
            + "method of its own.");

    [Fact]
    public void Lines_OfCode_StopAt140Columns() => Violations.None(
        from file in Files
        from line in File.ReadLines(Repository.PathOf(file)).Select((text, index) => (Text: text, Number: index + 1))
        where line.Text.Length > Columns && !LinesOfTexts(CodeBase.Parse(file).GetRoot()).Contains(line.Number)
        select $"{file}({line.Number}) has {line.Text.Length} columns; at most {Columns}.");

    /// <summary>The lines inside texts of several lines: data that a test reads, not code.</summary>
    private static HashSet<int> LinesOfTexts(SyntaxNode code) =>
    [
        .. from node in code.DescendantNodes()
           where node is LiteralExpressionSyntax or InterpolatedStringExpressionSyntax
           let span = node.SyntaxTree.GetLineSpan(node.Span)
           where span.StartLinePosition.Line < span.EndLinePosition.Line
           from line in Enumerable.Range(span.StartLinePosition.Line + 2, span.EndLinePosition.Line - span.StartLinePosition.Line - 1)
           select line,
    ];

    private static string NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        _ => node.Kind().ToString(),
    };
}
