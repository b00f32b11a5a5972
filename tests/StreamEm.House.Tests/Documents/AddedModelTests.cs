using System.Text;
using StreamEm.House.Tests.Approved;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Documents;

/// <summary>The page that says what a model costs shows it of one: the whole difference, which is all there is.</summary>
public sealed class AddedModelTests
{
    private const string Page = "docs/adding-a-model.md", Family = "Exponential", Line = "        ExponentialOptions.Catalogued,";

    private const string Catalogue = "src/StreamEm.Core/Catalog/ModelCatalog.cs";

    private const int Context = 3;

    [Fact]
    public void Difference_OfThePage_IsTheFilesAsTheyAre()
    {
        string shown = Markdown.Snippets(Page).Single(snippet => snippet.Language == "diff").Text, found = Difference();
        if (shown == found) return;
        if (Approval.Accepts)
        {
            string whole = Repository.Read(Page);
            int from = whole.IndexOf("```diff\n", StringComparison.Ordinal) + "```diff\n".Length;
            int to = whole.IndexOf("```", from, StringComparison.Ordinal);
            File.WriteAllText(Repository.PathOf(Page), $"{whole[..from]}{found}\n{whole[to..]}");
            return;
        }

        Assert.Fail($"The difference in {Page} is not what {string.Join(", ", Files)} are. If this is what you meant: ./build.sh accept.");
    }

    [Fact]
    public void Difference_OfThePage_TouchesTwoNewFilesAndALine()
    {
        string[] lines = Markdown.Snippets(Page).Single(snippet => snippet.Language == "diff").Text.Split('\n');

        Assert.Equal(3, lines.Count(line => line.StartsWith("+++ b/", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(line => line == "--- /dev/null"));
        Assert.DoesNotContain(lines, line => line.StartsWith('-') && !line.StartsWith("---", StringComparison.Ordinal));
        Assert.Single(lines, Line.Insert(0, "+"));
        // Nothing else in src knows the family.
        Assert.Equal(Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Repository.Files("src", "*.cs").Where(file => Repository.Read(file).Contains($"{Family}Options", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    private static string[] Files =>
    [
        $"src/StreamEm.Core/Models/Emissions/{Family}.cs", Catalogue, $"tests/StreamEm.Core.Tests/Models/Emissions/{Family}Tests.cs",
    ];

    private static string Difference()
    {
        var text = new StringBuilder();
        foreach (string file in Files)
        {
            string[] lines = Repository.Read(file).TrimEnd('\n').Split('\n');
            int at = file == Catalogue ? Array.IndexOf(lines, Line) : -1;
            text.Append(at < 0 ? "--- /dev/null\n" : $"--- a/{file}\n").Append($"+++ b/{file}\n");
            for (int line = at < 0 ? 0 : at - Context; line < (at < 0 ? lines.Length : at + Context + 1); line++)
                text.Append(at < 0 || line == at ? '+' : ' ').Append(lines[line]).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
