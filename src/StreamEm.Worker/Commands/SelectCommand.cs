using System.CommandLine;
using System.Globalization;
using StreamEm.Core.Features;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Selection;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem select DATA... --components 1..8</c>: how many components the data speak for.</summary>
public static class SelectCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        var own = new ModelArguments("components", "states");
        var dialect = new DialectArguments();
        var data = new Argument<string[]>("data")
        { Description = "Files or globs: .csv, .ndjson, .jsonl, .json, each also .gz or .zst.", Arity = ArgumentArity.OneOrMore };
        Option<string?> model = FitCommand.ModelOption();
        var components = new Option<string>("--components")
        {
            Description = "Numbers of components, or states, to compare: 1..8, or 2,3,5.",
            DefaultValueFactory = _ => "1..8",
            HelpName = "numbers",
        };
        var output = new Option<string?>("-o", "--output") { Description = "Where a picture goes (SVG).", HelpName = "file" };
        var folds = new Option<int>("--folds")
        {
            Description = "Parts of the sample that are left out one by one; 0 leaves the held-out likelihood out.",
            DefaultValueFactory = _ => 5,
            HelpName = "n",
        };
        var sample = new Option<int>("--sample")
        {
            Description = "The most records that are fitted by batch EM for BIC, AIC, ICL and the held-out likelihood.",
            DefaultValueFactory = _ => 20_000,
            HelpName = "n",
        };
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        Command command = new("select",
            "Compares numbers of components in one pass: prequential and held-out likelihood, BIC, AIC, ICL, of hard clusters the "
                + "distortion. Example: streamem select data.csv --components 1..8 -o select.svg")
        { data, components, model, output, folds, sample, json };
        configuration.AddTo(command);
        own.AddTo(command);
        dialect.AddTo(command);
        AddChecks(components, folds, sample);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string[] files = parsed.GetRequiredValue(data);
            string? named = parsed.GetValue(model), picture = parsed.GetValue(output);
            IReadOnlyList<string> given = own.Given(parsed);
            if (named is not null && FitCommand.IsType(named)) given = [.. given, "--model"];
            bool isConfigured = configuration.IsThere(parsed, given);
            OutputFile.RefuseInputs(picture, isConfigured ? [.. files, .. configuration.Files(parsed)] : files);
            var request = new SelectRequest
            {
                Model = isConfigured ? Configured() : own.Propose(
                    parsed, named, files, dialect.Of(parsed, CsvDialect.Found), configuration.Overrides(parsed)),
                Data = files,
                Components = Candidate.Parse(parsed.GetRequiredValue(components))!,
                Folds = parsed.GetValue(folds),
                SampleSize = parsed.GetValue(sample),
            };
            string unit = Candidate.SettingOf(request.Model.Model);
            var selection = new ModelSelection(request, TimeProvider.System);
            IReadOnlyList<CandidateReport> reports = await selection.RunAsync(cancellationToken).ConfigureAwait(false);
            TextWriter writer = parsed.InvocationConfiguration.Output;
            var table = new SelectionTable(reports, unit);
            if (parsed.GetValue(json))
            {
                await writer.WriteLineAsync(table.Json()).ConfigureAwait(false);
            }
            else
            {
                await writer.WriteLineAsync(About(selection, request)).ConfigureAwait(false);
                table.Write(writer);
            }

            if (picture is not null) await DrawAsync(picture, reports, request, unit).ConfigureAwait(false);
            return ExitCode.Ok;

            ModelOptions Configured()
            {
                ModelOptions chosen = FitCommand.Choose(configuration.Load(parsed), named);
                return chosen with { Schema = chosen.Schema with { Csv = dialect.Of(parsed, chosen.Schema.Csv) } };
            }
        });
        return command;
    }

    /// <summary>What was compared with what, in a line or three.</summary>
    private static string About(ModelSelection selection, SelectRequest request)
    {
        long read = selection.Rejections.Read, rejected = selection.Rejections.Rejected;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{request.Model.Model.Type}: {read - rejected} records{(rejected > 0 ? $", {rejected} rejected" : "")}; prequential over the stream")
            + (selection.IsShuffled ? " in a seeded random order" : "")
            + string.Create(CultureInfo.InvariantCulture,
                $" after the first {selection.Learning.Initialization.Buffer}, minibatches of {selection.Learning.MinibatchSize}");
        return text + string.Create(CultureInfo.InvariantCulture,
            $";\nBIC, AIC, ICL{(request.Folds >= 2 ? $", held out in {request.Folds} parts" : "")}: batch EM over "
                + $"{(selection.Sampled == read - rejected ? "all of them" : $"a sample of {selection.Sampled}")}");
    }

    private static async Task DrawAsync(string path, IReadOnlyList<CandidateReport> reports, SelectRequest request, string unit)
    {
        using Stream stream = OutputFile.Create(path);
        using var writer = new StreamWriter(stream);
        await writer.WriteAsync(CriteriaPlot.Draw(reports, $"{request.Model.Id}: {request.Model.Model.Type}", unit)).ConfigureAwait(false);
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
}
