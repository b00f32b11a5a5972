using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Commands;

/// <summary>
/// What looks like an option and is none. The parser takes such a word for a file, or for the value of the option before it: <c>fit --batsh
/// data.csv</c> would learn from a file <c>--batsh</c>, <c>-o --tarce</c> write to one.
/// </summary>
internal static class UnknownOptions
{
    /// <summary>The end of the options: what follows are files, whatever they are called.</summary>
    private const string EndOfOptions = "--";

    /// <summary>What to tell the user, a line for each; none when every option is one.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="args">The same as the shell gave it: <c>--title=--x</c> gives a value that begins with dashes, which is meant.</param>
    public static IReadOnlyList<string> In(ParseResult parsed, IReadOnlyList<string> args) =>
    [
        .. parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash && token.Value != EndOfOptions)
            .Where(token => token.Type != TokenType.Option && LooksLikeOne(token.Value) && args.Contains(token.Value))
            .Select(token => Message(token.Value, parsed)),
    ];

    private static bool LooksLikeOne(string word) => word.Length > 1 && word[0] == '-' && !word.Any(char.IsWhiteSpace)
        && !double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static string Message(string word, ParseResult parsed)
    {
        string name = word.Split('=', ':')[0];
        return $"Unknown option '{name}'{Spelling.Suggestion(name, NamesFor(parsed.CommandResult))}";
    }

    private static IEnumerable<string> NamesFor(CommandResult? command)
    {
        for (; command is not null; command = command.Parent as CommandResult)
            foreach (Option option in command.Command.Options.Where(option => !option.Hidden))
                foreach (string name in option.Aliases.Prepend(option.Name)) yield return name;
    }
}
