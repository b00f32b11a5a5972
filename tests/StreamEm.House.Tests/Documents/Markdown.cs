using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;

namespace StreamEm.House.Tests.Documents;

/// <summary>A block of code in a document.</summary>
/// <param name="File">The document.</param>
/// <param name="Line">Its first line, from 1.</param>
/// <param name="Language">The word after the fence; empty for a block that is indented.</param>
/// <param name="Text">The block's lines.</param>
internal sealed record Snippet(string File, int Line, string Language, string Text)
{
    public override string ToString() => $"{File}({Line})";
}

/// <summary>The documents of the repository, as far as the house rules need to read them.</summary>
internal static partial class Markdown
{
    public static IReadOnlyList<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal),
        .. new[] { "docs", "samples", "tests", ".github", "deploy" }.Where(folder => Directory.Exists(Repository.PathOf(folder)))
            .SelectMany(folder => Repository.Files(folder, "*.md")),
    ];

    /// <summary>Blocks between fences and blocks that are indented by four blanks, in order.</summary>
    public static IReadOnlyList<Snippet> Snippets(string file)
    {
        var found = new List<Snippet>();
        string[] lines = Repository.Read(file).Split('\n');
        for (int at = 0; at < lines.Length; at++)
        {
            int first = at;
            if (lines[at].StartsWith("```", StringComparison.Ordinal))
            {
                while (++at < lines.Length && !lines[at].StartsWith("```", StringComparison.Ordinal)) { }
                found.Add(new Snippet(file, first + 2, lines[first][3..].Trim(), string.Join('\n', lines[(first + 1)..at])));
            }
            else if (IsIndented(lines[at]) && (at == 0 || lines[at - 1].Length == 0))
            {
                while (at + 1 < lines.Length && IsIndented(lines[at + 1])) at++;
                found.Add(new Snippet(file, first + 1, "", string.Join('\n', lines[first..(at + 1)].Select(line => line[4..]))));
            }
        }

        return found;
    }

    /// <summary>What stands between single backticks, outside blocks.</summary>
    public static IEnumerable<string> CodeSpans(string file) => Spans().Matches(Prose(file)).Select(match => match.Groups["code"].Value);

    /// <summary>The targets of links and pictures, outside blocks.</summary>
    public static IEnumerable<string> Links(string file) =>
        LinkTargets().Matches(Prose(file)).Select(match => match.Groups["target"].Value);

    private static bool IsIndented(string line) => line.StartsWith("    ", StringComparison.Ordinal);

    private static string Prose(string file)
    {
        string[] lines = Repository.Read(file).Split('\n');
        foreach (Snippet block in Snippets(file))
            Array.Clear(lines, block.Line - 1, block.Text.Split('\n').Length);
        return string.Join('\n', lines);
    }

    [GeneratedRegex("(?<!`)`(?<code>[^`\n]+)`(?!`)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Spans();

    [GeneratedRegex("\\]\\((?<target>[^)\\s]+)\\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LinkTargets();
}
