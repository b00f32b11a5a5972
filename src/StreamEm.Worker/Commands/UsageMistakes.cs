using System.CommandLine;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Commands;

/// <summary>What is wrong with a command line that the parser refuses, one sentence each.</summary>
internal static class UsageMistakes
{
    /// <summary>The sentences; a verb that is none is the only mistake told, for the parser takes all that follows for others.</summary>
    public static IReadOnlyList<string> In(ParseResult parsed)
    {
        string[] verbs = [.. parsed.CommandResult.Command.Subcommands.Where(command => !command.Hidden).Select(command => command.Name)];
        if (verbs.Length > 0 && parsed.UnmatchedTokens.Count > 0)
        {
            string word = parsed.UnmatchedTokens[0], suggestion = Spelling.Suggestion(word, verbs);
            return [$"Unknown command '{word}'{(suggestion.Length > 0 ? suggestion : $"; there are {string.Join(", ", verbs)}.")}"];
        }

        return [.. parsed.Errors.Select(error => error.Message).Distinct()];
    }
}
