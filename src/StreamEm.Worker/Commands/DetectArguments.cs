using System.CommandLine;
using StreamEm.Core.Features;
using StreamEm.Sources.Surveys;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Proposals;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>
/// A worker without a configuration: <c>run --file 'data/*.csv' --follow</c> and <c>run --kafka broker/topic</c> watch what is there for
/// what is rare or new, and print the scored alarms.
/// </summary>
internal sealed class DetectArguments
{
    private const string Verb = "run";

    private readonly Option<string[]> _files = new("--file")
    {
        Description = "Files or globs to watch without a configuration. May be given again.",
        HelpName = "path",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _topic = new("--kafka")
    { Description = "A topic of JSON objects to watch without a configuration: broker:port/topic.", HelpName = "broker/topic" };

    private readonly Option<bool> _follow = new("--follow") { Description = "With --file: read on as the files grow." };

    private readonly Option<bool> _detect = new("--detect")
    { Description = "Print scored alarms: what --file and --kafka do anyway." };

    private readonly Option<string[]> _features = new("--features")
    {
        Description = "With --file and --kafka: the columns or JSON fields to watch; by default all numbers.",
        HelpName = "a,b,c",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly KafkaArguments _kafka = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_files, _topic, _follow, _detect, _features]) command.Options.Add(option);
        _kafka.AddTo(command);
    }

    /// <summary>The options that were given.</summary>
    public IReadOnlyList<string> Given(ParseResult parsed) =>
        [.. ((Option[])[_files, _topic, _follow, _detect, _features])
            .Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];

    /// <summary>The worker that the data make; what is watched and what is left out goes to stderr.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="overrides">Each <c>path=value</c>.</param>
    /// <param name="stop">Stops looking at a topic.</param>
    /// <exception cref="CommandException">The data cannot be looked at (66, 65, 69 ...), or an option cannot be used (64).</exception>
    public WorkerOptions Propose(ParseResult parsed, IReadOnlyList<string> overrides, CancellationToken stop)
    {
        TextWriter console = parsed.InvocationConfiguration.Error;
        (ProposedSource source, DataSurvey survey) = Look(parsed, stop);
        IEnumerable<string> parts = (parsed.GetValue(_features) ?? []).SelectMany(name => name.Split(','));
        string[] named = [.. parts.Select(name => name.Trim()).Where(name => name.Length > 0)];
        string[]? features = named.Length > 0 ? named : null;
        Proposal proposal = Proposal.For(survey, features);
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(new ProposalText(proposal, source).ForDetection(features), [], overrides);
        if (loaded.Options is null)
            throw new CommandException(ExitCode.Usage, string.Join('\n', loaded.Problems.Select(problem => problem.ToString())));
        foreach (Problem problem in loaded.Problems) console.WriteLine(PrintableText.Of(problem.ToString()));
        ModelArguments.Tell(proposal, loaded.Options.Models[0], console);
        return loaded.Options;
    }

    private (ProposedSource Source, DataSurvey Survey) Look(ParseResult parsed, CancellationToken stop)
    {
        string[] files = parsed.GetValue(_files) ?? [];
        if (parsed.GetValue(_topic) is not { } named)
        {
            if (files.Length == 0)
                throw new CommandException(ExitCode.Usage,
                    $"{string.Join(", ", Given(parsed))}: name what to watch with --file PATH or --kafka BROKER/TOPIC, or take a "
                        + "configuration: -c FILE.");
            return (ProposedSource.OfFiles(files, parsed.GetValue(_follow)), ModelArguments.Survey(files, CsvDialect.Found));
        }

        if (files.Length > 0 || parsed.GetValue(_follow))
            throw new CommandException(ExitCode.Usage, "--kafka: one model watches files or a topic; topics are followed by themselves.");
        TopicAddress topic = TopicAddress.Parse(TopicAddress.IsOne(named) ? named : $"kafka://{named}");
        return (ProposedSource.OfTopic(topic, _kafka.Given(parsed)), TopicSurvey.Read(topic, _kafka.Access(parsed), Verb, stop));
    }
}
