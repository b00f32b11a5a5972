using System.CommandLine;
using StreamEm.Core.Features;
using StreamEm.Sources.Surveys;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Proposals;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem init DATA... | kafka://BROKER/TOPIC</c>: looks at data and writes a configuration to begin with.</summary>
public static class InitCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var dialect = new DialectArguments();
        var kafka = new KafkaArguments();
        var data = new Argument<string[]>("data")
        {
            Description = "Files or globs, of which the first file is looked at, or kafka://host:port/topic.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("-o", "--output")
        { Description = "Where the configuration goes; by default to standard output.", HelpName = "file" };
        Command command = new("init", "Looks at data and writes a commented configuration to begin with.") { data, output };
        dialect.AddTo(command);
        kafka.AddTo(command);
        command.SetAction((parsed, stop) =>
        {
            string[] named = parsed.GetRequiredValue(data);
            string text = Array.Find(named, TopicAddress.IsOne) is { } topic
                ? OfTopic(named.Length == 1 ? TopicAddress.Parse(topic) : throw SeveralSources(), kafka, parsed, stop)
                : Text(ModelArguments.Survey(named, dialect.Of(parsed, CsvDialect.Found)), ProposedSource.OfFiles(named));
            if (parsed.GetValue(output) is { } path) Save(path, text);
            else parsed.InvocationConfiguration.Output.Write(text);
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    private static string OfTopic(TopicAddress topic, KafkaArguments kafka, ParseResult parsed, CancellationToken stop) =>
        Text(TopicSurvey.Read(topic, kafka.Access(parsed), "init", stop), ProposedSource.OfTopic(topic, kafka.Given(parsed)));

    private static string Text(DataSurvey survey, ProposedSource source) => new ProposalText(Proposal.For(survey), source).ForWorker();

    private static CommandException SeveralSources() =>
        new(ExitCode.Usage, "A model has one source: name one topic, or files and globs.");

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
