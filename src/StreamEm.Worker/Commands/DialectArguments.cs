using System.CommandLine;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Worker.Configuration.Kinds;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>--separator</c>, <c>--decimal</c>, <c>--comment</c>, <c>--skip-lines</c>, <c>--columns</c>: how CSV given on a command line is
/// written, where it is not written as the records that the model was learned from.
/// </summary>
internal sealed class DialectArguments
{
    private readonly Option<string?> _separator = Of(
        "--separator", "What is between the columns of CSV; by default as in the source of the model, or found by the header.", "character",
        new SeparatorKind());
    private readonly Option<string?> _decimal = Of(
        "--decimal", "The mark before a number's fraction in CSV; by default as in the source, or found by the first row.", "mark",
        new DecimalMarkKind());
    private readonly Option<string?> _comment =
        Of("--comment", "Lines of CSV that begin with this are passed over.", "text", new CommentKind());
    private readonly Option<int?> _skipLines =
        new("--skip-lines") { Description = "So many lines at the start of CSV are passed over.", HelpName = "n" };
    private readonly Option<string[]> _columns = new("--columns")
    {
        Description = "What stands in the columns of CSV without a header.",
        HelpName = "names",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        _skipLines.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < 0) result.AddError("--skip-lines must be at least 0.");
        });
        foreach (Option option in (Option[])[_separator, _decimal, _comment, _skipLines, _columns]) command.Options.Add(option);
    }

    /// <summary>How CSV is written: what is given, and the rest as the model's records are.</summary>
    public CsvDialect Of(ParseResult parsed, CsvDialect otherwise) => otherwise with
    {
        Separator = parsed.GetValue(_separator) is { } separator && new SeparatorKind().TryParse(separator, out char between)
            ? between
            : otherwise.Separator,
        Decimal = parsed.GetValue(_decimal) is { } mark ? mark[0] : otherwise.Decimal,
        Comment = parsed.GetValue(_comment) ?? otherwise.Comment,
        SkipLines = parsed.GetValue(_skipLines) ?? otherwise.SkipLines,
        Columns = parsed.GetValue(_columns) is { Length: > 0 } names
            ? [.. names.SelectMany(name => name.Split(',')).Select(name => name.Trim())]
            : otherwise.Columns,
    };

    private static Option<string?> Of<T>(string name, string description, string helpName, ValueKind<T> kind)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = helpName };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !kind.TryParse(text, out _))
                result.AddError($"{name} cannot be read; expected {kind.Expected}.");
        });
        return option;
    }
}
