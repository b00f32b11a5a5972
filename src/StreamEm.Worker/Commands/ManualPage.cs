using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>The manual page, made of the commands themselves: roff with the macros of <c>man(7)</c>.</summary>
internal static class ManualPage
{
    /// <summary>The page of a root command.</summary>
    public static string Of(Command root)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $".TH STREAMEM 1 \"\" \"StreamEM {ProgramVersion.Version}\" \"User Commands\"\n");
        Section(page, "NAME", $"streamem \\- {Text(root.Description ?? "").TrimEnd('.')}\n");
        Section(page, "SYNOPSIS", ".B streamem\n.I verb\n[\\fIoptions\\fR]\n");
        Section(page, "DESCRIPTION",
            "StreamEM reads records from files, standard input, HTTP or Kafka, learns a model by one stepwise EM update a minibatch, "
                + "publishes every version of its parameters, and scores records. Without a configuration:\n.PP\n.nf\n.RS\n"
                + "streamem fit big.csv\nstreamem run \\-\\-file 'data/*.csv' \\-\\-follow\n"
                + "streamem init big.csv \\-o streamem.yaml\n.RE\n.fi\n");
        page.Append(".SH VERBS\n");
        foreach (Command command in root.Subcommands.Where(command => !command.Hidden)) Verb(page, command, "");
        Section(page, "OPTIONS OF EVERY VERB", Options(root.Options));
        page.Append(".SH EXIT STATUS\n");
        foreach ((int code, string meaning) in ExitCode.Meanings)
            page.Append(CultureInfo.InvariantCulture, $".TP\n.B {code}\n{Text(meaning)}\n");
        Section(page, "FILES", ".TP\n.I streamem.yaml\nthe configuration, where \\-c names no other\n"
            + ".TP\n.I state\nwhat was learned, where state_directory says no other\n");
        return page.ToString();
    }

    private static void Section(StringBuilder page, string name, string body) => page.Append(".SH ").Append(name).Append('\n').Append(body);

    private static void Verb(StringBuilder page, Command command, string parents)
    {
        string arguments = string.Concat(command.Arguments.Select(argument => $" \\fI{Text(argument.Name)}\\fR"));
        page.Append(CultureInfo.InvariantCulture, $".SS \"{Text($"{parents}{command.Name}")}{arguments}\"\n")
            .Append(CultureInfo.InvariantCulture, $"{Text(command.Description ?? "")}\n");
        foreach (Argument argument in command.Arguments)
            page.Append(CultureInfo.InvariantCulture, $".TP\n\\fI{Text(argument.Name)}\\fR\n{Text(argument.Description ?? "")}\n");
        page.Append(Options(command.Options));
        foreach (Command below in command.Subcommands.Where(below => !below.Hidden)) Verb(page, below, $"{parents}{command.Name} ");
    }

    private static string Options(IEnumerable<Option> options)
    {
        var text = new StringBuilder();
        foreach (Option option in options.Where(option => !option.Hidden))
        {
            IEnumerable<string> names =
                option.Aliases.Append(option.Name).Where(name => name.StartsWith('-')).Order(StringComparer.Ordinal);
            string value = option.HelpName is { } help ? $" \\fI{Text(help)}\\fR" : "";
            text.Append(CultureInfo.InvariantCulture,
                $".TP\n{string.Join(", ", names.Select(name => $"\\fB{Text(name)}\\fR"))}{value}\n{Text(option.Description ?? "")}\n");
        }

        return text.ToString();
    }

    /// <summary>A text in which roff reads nothing else: no escape, no request at the start of a line.</summary>
    private static string Text(string text)
    {
        string escaped = text.ReplaceLineEndings(" ").Replace("\\", "\\e", StringComparison.Ordinal)
            .Replace("-", "\\-", StringComparison.Ordinal).Replace("\"", "\\(dq", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? $"\\&{escaped}" : escaped;
    }
}
