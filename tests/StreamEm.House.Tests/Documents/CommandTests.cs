using System.CommandLine;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Commands;

namespace StreamEm.House.Tests.Documents;

/// <summary>The command lines of the documents are ones that <c>streamem</c> takes.</summary>
public sealed partial class CommandTests
{
    public static TheoryData<string, string> Calls
    {
        get
        {
            var calls = new TheoryData<string, string>();
            foreach (string file in Markdown.Files)
            {
                foreach (Snippet block in Markdown.Snippets(file).Where(block => block.Language is "" or "sh" or "bash" or "console"))
                    foreach ((string line, int index) in block.Text.Split('\n').Select((line, index) => (line, index)))
                        if (ArgumentsOf(line) is { } arguments) calls.Add($"{file}({block.Line + index})", arguments);
                foreach (string span in Markdown.CodeSpans(file).Where(span => span.StartsWith("streamem ", StringComparison.Ordinal))
                    .Distinct(StringComparer.Ordinal))
                    calls.Add(file, span["streamem ".Length..]);
            }

            return calls;
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Call_InADocument_Parses(string place, string call)
    {
        RootCommand root = Verbs.CreateRoot();
        root.Options.Add(Cli.LogLevelOption);
        string[] arguments = Split(call);
        // A verb alone, in the middle of a sentence, stands for itself.
        if (arguments is [var verb] && root.Subcommands.Any(command => command.Name == verb)) return;
        ParseResult parsed = root.Parse(arguments);
        // An option that there is not would be taken for a file where a verb takes several.
        IEnumerable<string> options = arguments.Where(word => word.Length > 1 && word[0] == '-')
            .Except(Names(parsed.CommandResult.Command).Concat(Names(root)), StringComparer.Ordinal)
                .Select(word => $"there is no option {word}");
        Violations.None(
            parsed.Errors.Select(error => error.Message).Concat(options).Select(problem => $"{place}: streamem {call}: {problem}"));
    }

    private static IEnumerable<string> Names(Command command) => command.Options.SelectMany(option => option.Aliases.Append(option.Name));

    /// <summary>What follows <c>streamem</c> in a line of a shell, without its comment; null in any other line.</summary>
    private static string? ArgumentsOf(string line)
    {
        Match call = CallLine().Match(line);
        return call.Success ? call.Groups["arguments"].Value.Trim() : null;
    }

    /// <summary>The words of a shell's line.</summary>
    internal static string[] Split(string line) => [.. Words().Matches(line).Select(word => word.Value.Trim('\'', '"'))];

    [GeneratedRegex("^(streamem|\\S*/streamem|.* /\\S*/streamem) (?<arguments>.*?)( +# .*| +\\| .*| +&| *\\\\)?$",
        RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex CallLine();

    [GeneratedRegex("'[^']*'|\"[^\"]*\"|\\S+", RegexOptions.None, 1000)]
    private static partial Regex Words();
}
