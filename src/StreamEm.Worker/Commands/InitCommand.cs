using System.CommandLine;
using StreamEm.Core.Features;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Proposals;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem init DATA...</c>: looks at data and writes a configuration to begin with.</summary>
public static class InitCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var dialect = new DialectArguments();
        var data = new Argument<string[]>("data")
        { Description = "Files or globs; the first file is looked at.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string?>("-o", "--output")
        { Description = "Where the configuration goes; by default to standard output.", HelpName = "file" };
        Command command = new("init", "Looks at data and writes a commented configuration to begin with.") { data, output };
        dialect.AddTo(command);
        command.SetAction(parsed =>
        {
            string[] files = parsed.GetRequiredValue(data);
            Proposal proposal = Proposal.For(ModelArguments.Survey(files, dialect.Of(parsed, CsvDialect.Found)));
            string text = new ProposalText(proposal, files).ForWorker();
            if (parsed.GetValue(output) is { } path) Save(path, text);
            else parsed.InvocationConfiguration.Output.Write(text);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Writes a new file: what somebody wrote into one that is there is not made again.</summary>
    private static void Save(string path, string text)
    {
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            using var writer = new StreamWriter(file);
            writer.Write(text);
        }
        catch (IOException) when (Path.Exists(path))
        {
            throw new CommandException(ExitCode.CannotCreate, $"'{path}' is there already and was left as it is. Write to another file.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput, $"'{path}' cannot be written: {failure.Message}", failure);
        }
    }
}
