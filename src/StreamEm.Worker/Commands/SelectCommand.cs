using System.CommandLine;
using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Selection;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem select DATA... --components 1..8</c>: how many components the data speak for.</summary>
public static class SelectCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var options = new Options();
        Command command = new("select",
            "Compares numbers of components in one pass: prequential and held-out likelihood, BIC, AIC, ICL, of hard clusters the "
                + "distortion. Example: streamem select data.csv --components 1..8 -o select.svg")
        { options.Data, options.Components, options.Model, options.Output, options.Folds, options.Sample, options.Json };
        options.Configuration.AddTo(command);
        options.Own.AddTo(command);
        options.Dialect.AddTo(command);
        command.Validators.Add(result =>
        {
            if (PictureFile.WrongWith(result.GetValue(options.Output)) is { } wrong) result.AddError(wrong);
        });
        AddChecks(options.Components, options.Folds, options.Sample);
        command.SetAction((parsed, cancellationToken) => RunAsync(options, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Options options, ParseResult parsed, CancellationToken cancellationToken)
    {
        using SpooledInputs inputs =
            await SpooledInputs.OfAsync(parsed.GetRequiredValue(options.Data), cancellationToken).ConfigureAwait(false);
        string[] files = inputs.Paths;
        string? picture = parsed.GetValue(options.Output);
        var request = new SelectRequest
        {
            Model = options.ModelFor(parsed, files, picture),
            Data = files,
            Components = Candidate.Parse(parsed.GetRequiredValue(options.Components))!,
            Folds = parsed.GetValue(options.Folds),
            SampleSize = parsed.GetValue(options.Sample),
        };
        string unit = Candidate.SettingOf(request.Model.Model);
        var selection = new ModelSelection(request, TimeProvider.System);
        IReadOnlyList<CandidateReport> reports = await selection.RunAsync(cancellationToken).ConfigureAwait(false);
        TextWriter writer = parsed.InvocationConfiguration.Output;
        var table = new SelectionTable(reports, unit);
        if (parsed.GetValue(options.Json))
        {
            await writer.WriteLineAsync(table.Json()).ConfigureAwait(false);
        }
        else
        {
            await writer.WriteLineAsync(About(selection, request)).ConfigureAwait(false);
            table.Write(writer);
        }

        if (picture is not null)
            PictureFile.Write(
                picture, CriteriaPlot.Draw(reports, $"{request.Model.Id}: {request.Model.Model.Type}", unit),
                parsed.InvocationConfiguration.Error);
        return ExitCode.Ok;
    }

    /// <summary>What was compared with what, in a line or three.</summary>
    private static string About(ModelSelection selection, SelectRequest request)
    {
        long read = selection.Rejections.Read, rejected = selection.Rejections.Rejected;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{request.Model.Model.Type}: {read - rejected} records{(rejected > 0 ? $", {rejected} rejected" : "")}; ")
            + "prequential over the stream"
            + (selection.IsShuffled ? " in a seeded random order" : "")
            + string.Create(CultureInfo.InvariantCulture,
                $" after the first {selection.Learning.Initialization.Buffer}, minibatches of {selection.Learning.MinibatchSize}");
        return text + string.Create(CultureInfo.InvariantCulture,
            $";\nBIC, AIC, ICL{(request.Folds >= 2 ? $", held out in {request.Folds} parts" : "")}: batch EM over "
                + $"{(selection.Sampled == read - rejected ? "all of them" : $"a sample of {selection.Sampled}")}");
    }

    private static void AddChecks(Option<string> components, Option<int> folds, Option<int> sample)
    {
        components.Validators.Add(result =>
        {
            if (Candidate.Parse(result.GetValueOrDefault<string>() ?? "") is null)
                result.AddError("--components cannot be read; expected numbers from 1 to 10000 such as 1..8 or 2,3,5.");
        });
        folds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or 1 or > 100) result.AddError("--folds must be 0, or from 2 to 100.");
        });
        sample.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 10) result.AddError("--sample must be at least 10.");
        });
    }

    /// <summary>The options of the verb.</summary>
    private sealed class Options
    {
        public ConfigurationArguments Configuration { get; } = new();

        public ModelArguments Own { get; } = new("components", "states", "topics", "experts");

        public DialectArguments Dialect { get; } = new();

        public Argument<string[]> Data { get; } = new("data")
        { Description = DataFiles.Named, Arity = ArgumentArity.OneOrMore };

        public Option<string?> Model { get; } = FitCommand.ModelOption();

        public Option<string> Components { get; } = new("--components")
        {
            Description = "Numbers of components, or states, to compare: 1..8, or 2,3,5.",
            DefaultValueFactory = _ => "1..8",
            HelpName = "numbers",
        };

        public Option<string?> Output { get; } =
            new("-o", "--output") { Description = "Where a picture goes: PNG where the name ends with .png, else SVG.", HelpName = "file" };

        public Option<int> Folds { get; } = new("--folds")
        {
            Description = "Parts of the sample that are left out one by one; 0 leaves the held-out likelihood out.",
            DefaultValueFactory = _ => 5,
            HelpName = "n",
        };

        public Option<int> Sample { get; } = new("--sample")
        {
            Description = "The most records that are fitted by batch EM for BIC, AIC, ICL and the held-out likelihood.",
            DefaultValueFactory = _ => 20_000,
            HelpName = "n",
        };

        public Option<bool> Json { get; } = new("--json") { Description = "As one JSON object." };

        /// <summary>The model as configured, or as data and options make it.</summary>
        public ModelOptions ModelFor(ParseResult parsed, string[] files, string? picture)
        {
            string? named = parsed.GetValue(Model);
            IReadOnlyList<string> given = Own.Given(parsed);
            if (named is not null && FitCommand.IsType(named)) given = [.. given, "--model"];
            bool isConfigured = Configuration.IsThere(parsed, given);
            OutputFile.RefuseInputs(picture, isConfigured ? [.. files, .. Configuration.Files(parsed)] : files);
            if (!isConfigured)
                return Own.Propose(parsed, named, files, Dialect.Of(parsed, CsvDialect.Found), Configuration.Overrides(parsed));
            ModelOptions chosen = FitCommand.Choose(Configuration.Load(parsed), named);
            return chosen with { Schema = chosen.Schema with { Csv = Dialect.Of(parsed, chosen.Schema.Csv) } };
        }
    }
}
