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

    private static readonly IReadOnlyList<string> Files = [.. Repository.Files("src", "*.cs"), .. Repository.Files("tests", "*.cs")];

    [Fact]
    public void Files_OfCode_StopAt300Lines() => Violations.None(
        from file in Files
        let lines = File.ReadLines(Repository.PathOf(file)).Count()
        where lines > FileLines
        select $"{file} has {lines} lines; at most {FileLines}. Give a part of it a file of its own.");

    [Fact]
    public void Methods_OfCode_StopAt60Lines() => Violations.None(
        from file in Files
        from node in CodeBase.Parse(file).GetRoot().DescendantNodes()
        where node is BaseMethodDeclarationSyntax or AccessorDeclarationSyntax or LocalFunctionStatementSyntax
        let span = node.SyntaxTree.GetLineSpan(node.Span)
        let lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1
        where lines > MethodLines
        select $"{file}({span.StartLinePosition.Line + 1}) {NameOf(node)} has {lines} lines; at most {MethodLines}. Give a step of it a method of its own.");

    [Fact]
    public void Lines_OfCode_StopAt140Columns() => Violations.None(
        from file in Files
        from line in File.ReadLines(Repository.PathOf(file)).Select((text, index) => (Text: text, Number: index + 1))
        where line.Text.Length > Columns
        select $"{file}({line.Number}) has {line.Text.Length} columns; at most {Columns}.");

    private static string NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        _ => node.Kind().ToString(),
    };
}
