using Microsoft.CodeAnalysis.CSharp.Syntax;
using StreamEm.Core.Catalog;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Rules;

/// <summary>
/// Whatever is in a catalogue has a test class marked <c>[ContractOf(...)]</c> that inherits a suite of its tests' <c>Contracts</c> folder.
/// </summary>
public sealed class ContractTests
{
    private static readonly Dictionary<string, TestClass> Classes = Repository.Files("tests", "*.cs")
        .SelectMany(file =>
            CodeBase.Parse(file).GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>().Select(node => new TestClass(file, node)))
        .DistinctBy(test => test.Name, StringComparer.Ordinal).ToDictionary(test => test.Name, StringComparer.Ordinal);

    /// <summary>What has a contract: the models of the catalogue, the sources and the publishers.</summary>
    public static TheoryData<string, string> Entries
    {
        get
        {
            var entries = new TheoryData<string, string>();
            foreach (string model in ModelCatalog.Types) entries.Add("StreamEm.Core.Tests", model);
            foreach (string source in Implementations("RecordSource")) entries.Add("StreamEm.Sources.Tests", source);
            foreach (string publisher in Implementations("SnapshotPublisher")) entries.Add("StreamEm.Worker.Tests", publisher);
            return entries;
        }
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public void Entry_OfACatalogue_HasAClassThatInheritsItsContract(string tests, string entry)
    {
        string[] suites = [.. Classes.Values
            .Where(test => IsSuite(test) && test.File.StartsWith($"tests/{tests}/", StringComparison.Ordinal)).Select(test => test.Name)];
        Assert.NotEmpty(suites);
        bool isCovered = Classes.Values
            .Any(test => !test.IsAbstract && Chain(test).Any(one => one.Contract == entry)
                && Chain(test).Any(one => suites.Contains(one.Name, StringComparer.Ordinal)));

        string name = $"{string.Concat(entry.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]))}Tests";
        string argument = char.IsLower(entry[0]) ? $"\"{entry}\"" : $"nameof({entry})";
        Assert.True(isCovered, $"{entry} has no test class that inherits a contract. Write in tests/{tests}:\n"
            + $"[ContractOf({argument})]\npublic sealed class {name} : {string.Join(" or ", suites)}");
    }

    private static IEnumerable<string> Implementations(string baseType) =>
        from project in CodeBase.Projects
        from tree in project.Compilation.SyntaxTrees
        from node in tree.GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>()
        where node.BaseList?.Types.Any(type => type.Type.ToString() == baseType) == true
        select node.Identifier.Text;

    private static bool IsSuite(TestClass test) =>
        test.IsAbstract && test.File.Contains("/Contracts/", StringComparison.Ordinal)
        && Chain(test).Any(one => one.Name.EndsWith("Contract", StringComparison.Ordinal));

    private static IEnumerable<TestClass> Chain(TestClass test)
    {
        for (TestClass? at = test; at is not null; at = Classes.GetValueOrDefault(at.Base)) yield return at;
    }

    private sealed record TestClass(string File, ClassDeclarationSyntax Node)
    {
        public string Name => Node.Identifier.Text;

        public bool IsAbstract => Node.Modifiers.Any(modifier => modifier.Text == "abstract");

        public string Base => Node.BaseList?.Types.FirstOrDefault()?.Type is SimpleNameSyntax name ? name.Identifier.Text : "";

        /// <summary>The argument of the attribute, without quotes or <c>nameof</c>.</summary>
        public string? Contract =>
            Node.AttributeLists.SelectMany(list => list.Attributes).FirstOrDefault(attribute => attribute.Name.ToString() == "ContractOf")
            ?.ArgumentList?.Arguments[0].Expression switch
            {
                LiteralExpressionSyntax literal => literal.Token.ValueText,
                InvocationExpressionSyntax { ArgumentList.Arguments: [var name] } => name.ToString(),
                MemberAccessExpressionSyntax member => member.ToString(),
                _ => null,
            };
    }
}
