using System.CommandLine;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Sources;
using StreamEm.Sources.Surveys;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Proposals;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>
/// A model said by options, without a configuration: <c>--features</c>, the roles of other fields, and every setting of the catalogue
/// (<c>--components 5 --covariance-type diag</c>).
/// </summary>
internal sealed class ModelArguments
{
    private const string ModelPath = "models.0";

    /// <summary>So many fields are named.</summary>
    private const int MostShown = 8;

    private readonly Option<string[]> _features = new("--features")
    {
        Description = "Columns or JSON fields to learn from; by default all numbers.",
        HelpName = "a,b,c",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly List<(Option<string?> Option, string Path)> _values = [];

    /// <summary>The options, those of all models in the order of the catalogue, each once.</summary>
    /// <param name="except">Settings that the verb says otherwise.</param>
    public ModelArguments(params string[] except)
    {
        (string Role, string Description)[] roles =
        [
            ("label", "Field of the label."), ("weight", "Field of the record's weight."), ("key", "Field that sequences are grouped by."),
            ("timestamp", "Field of the event time."), ("target", "Field of the value to be predicted."),
        ];
        foreach ((string role, string description) in roles)
            Add($"{ModelPath}.{role}", role, new Option<string?>($"--{role}") { Description = description, HelpName = "field" });
        foreach (IGrouping<string, Setting> settings in ModelCatalog.Entries.SelectMany(entry => entry.Settings).GroupBy(s => s.Key))
        {
            if (except.Contains(settings.Key)) continue;
            Setting setting = settings.First();
            Add($"{ModelPath}.model.{setting.Key}", setting.Key, new Option<string?>($"--{setting.Key.Replace('_', '-')}")
            {
                Description = $"{setting.Description} ({string.Join(", ", TypesWith(setting.Key))})",
                HelpName = "value",
            });
        }
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_features);
        foreach ((Option<string?> option, _) in _values) command.Options.Add(option);
    }

    /// <summary>Those of them that were given.</summary>
    public IReadOnlyList<string> Given(ParseResult parsed) =>
        [.. _values.Select(value => value.Option).Prepend<Option>(_features)
            .Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];

    /// <summary>The model that data and options make; what is learned and what is left out goes to stderr.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="type">The model's type; null: what the data suggest.</param>
    /// <param name="data">Files and globs.</param>
    /// <param name="dialect">What was said of how CSV is written.</param>
    /// <param name="overrides">Each <c>path=value</c>.</param>
    /// <exception cref="CommandException">The data cannot be looked at (66, 65 ...), or an option cannot be used (64).</exception>
    public ModelOptions Propose(
        ParseResult parsed, string? type, IReadOnlyList<string> data, CsvDialect dialect, IReadOnlyList<string> overrides)
    {
        TextWriter console = parsed.InvocationConfiguration.Error;
        Proposal proposal = Proposal.For(Survey(data, dialect), Features(parsed));
        var given = new List<(string, string)>();
        if (type is not null) given.Add(("--model", $"{ModelPath}.model.type={type}"));
        foreach ((Option<string?> option, string path) in _values)
            if (parsed.GetValue(option) is { } value) given.Add((option.Name, $"{path}={value}"));
        string text = new ProposalText(proposal, ProposedSource.OfFiles(data)).ForFit(type, Features(parsed));
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(text, given, overrides);
        if (loaded.Options is null)
            throw new CommandException(ExitCode.Usage, string.Join('\n', loaded.Problems.Select(problem => problem.ToString())));
        foreach (Problem problem in loaded.Problems) console.WriteLine(PrintableText.Of(problem.ToString()));
        ModelOptions model = loaded.Options.Models[0];
        Tell(proposal, model, console);
        return model;
    }

    /// <summary>Says what is learned from and what is left out.</summary>
    public static void Tell(Proposal proposal, ModelOptions model, TextWriter console)
    {
        string unused = Shown([.. Unused(proposal, model.Schema).Select(field => $"{field.Name} ({field.Reason})")]);
        console.WriteLine(PrintableText.Of(
            $"{model.Model.Type} over {Shown(model.Schema.Features)}{(unused.Length == 0 ? "" : $"; not used: {unused}")}"));
    }

    private static IEnumerable<ProposedField> Unused(Proposal proposal, RecordSchema schema)
    {
        string?[] used = [.. schema.Features, schema.Label, schema.Weight, schema.Key, schema.Timestamp, schema.Target];
        return proposal.Fields.Where(field => !used.Contains(field.Name));
    }

    private static string Shown(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostShown)) + (names.Count > MostShown ? $" and {names.Count - MostShown} more" : "");

    /// <summary>Looks at the first file that data name.</summary>
    /// <exception cref="CommandException">There is none (66), or it cannot be read.</exception>
    public static DataSurvey Survey(IReadOnlyList<string> data, CsvDialect dialect)
    {
        try
        {
            return DataSurvey.OfFirst(data, DataFiles.FormatSaidBy, dialect);
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), failure.Message, failure);
        }
    }

    private void Add(string path, string key, Option<string?> option)
    {
        if (_values.Exists(value => value.Option.Name == option.Name))
            throw new InvalidOperationException($"Two options are called {option.Name}: '{key}' has to be renamed.");
        _values.Add((option, path));
    }

    private IReadOnlyList<string>? Features(ParseResult parsed) => parsed.GetValue(_features) is { Length: > 0 } names
        ? [.. names.SelectMany(name => name.Split(',')).Select(name => name.Trim()).Where(name => name.Length > 0)]
        : null;

    private static IEnumerable<string> TypesWith(string key) =>
        ModelCatalog.Entries.Where(entry => entry.Settings.Any(setting => setting.Key == key)).Select(entry => entry.Type);
}
