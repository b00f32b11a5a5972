using System.Buffers;
using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Settings;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Fitting;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem fit DATA... -c FILE</c>: streams files through one model without a server.</summary>
public static class FitCommand
{
    private static readonly ChoiceKind<FitEngine> Engines = new();

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var configuration = new ConfigurationArguments();
        var own = new ModelArguments();
        var dialect = new DialectArguments();
        var data = new Argument<string[]>("data") { Description = DataFiles.Named, Arity = ArgumentArity.OneOrMore };
        Option<string?> model = ModelOption();
        var output = new Option<string?>("-o", "--output")
        { Description = "Where the snapshot goes (JSON); - is standard output.", HelpName = "file" };
        var trace = new Option<string?>("--trace")
        { Description = "One line per update (NDJSON): update, records, step_size, mean_log_likelihood.", HelpName = "file" };
        Option<string?> history = HistoryOption(), scores = ScoresOption();
        var passes = new Option<int>("--passes")
        { Description = "How many times the data are streamed.", DefaultValueFactory = _ => 1, HelpName = "n" };
        var batch = new Option<bool>("--batch")
        { Description = "Plain batch EM to convergence instead, as the yardstick: --engine batch." };
        Option<string?> engine = EngineOption();
        var command = new Command("fit", "Learns one model from files and prints what it found.")
        { data, model, output, trace, history, scores, passes, batch, engine };
        configuration.AddTo(command);
        own.AddTo(command);
        dialect.AddTo(command);
        AddChecks(command, (batch, engine), (history, scores), passes);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var inputs = await SpooledInputs.OfAsync(parsed.GetRequiredValue(data), cancellationToken).ConfigureAwait(false);
            string[] files = inputs.Paths;
            string? named = parsed.GetValue(model);
            IReadOnlyList<string> given = own.Given(parsed);
            if (named is not null && IsType(named)) given = [.. given, "--model"];
            bool isConfigured = configuration.IsThere(parsed, given);
            var request = new FitRequest
            {
                Model = isConfigured ? Configured() : Proposed(),
                Data = files,
                Engine = EngineOf(parsed.GetValue(batch), parsed.GetValue(engine)),
                Passes = parsed.GetValue(passes),
                Trace = parsed.GetValue(trace),
                History = parsed.GetValue(history),
                Scores = parsed.GetValue(scores),
            };
            foreach (string? file in (string?[])[
                parsed.GetValue(output), request.Trace, request.History, request.Scores, request.Model.Rejected.File])
                OutputFile.RefuseInputs(file, isConfigured ? [.. files, .. configuration.Files(parsed)] : files);
            return await RunAsync(request, parsed.GetValue(output), parsed.InvocationConfiguration, cancellationToken)
                .ConfigureAwait(false);

            ModelOptions Configured()
            {
                ModelOptions chosen = Choose(configuration.Load(parsed), named);
                return chosen with { Schema = chosen.Schema with { Csv = dialect.Of(parsed, chosen.Schema.Csv) } };
            }

            ModelOptions Proposed() =>
                own.Propose(parsed, named, files, dialect.Of(parsed, CsvDialect.Found), configuration.Overrides(parsed));
        });
        return command;
    }

    private static async Task<int> RunAsync(
        FitRequest request, string? path, InvocationConfiguration invocation, CancellationToken cancellationToken)
    {
        bool isPiped = path == PipedInput.Standard;
        TextWriter writer = isPiped ? invocation.Error : invocation.Output, console = invocation.Error;
        // Not disposed: the command line hears the same signals.
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // The command line's own handler is set up only once a command waits for something, and a fit of files never does.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        }

        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        (ModelSnapshot snapshot, bool isInterrupted) = request.Engine != FitEngine.Stepwise
            ? (await YardstickAsync(request, writer, stopping.Token).ConfigureAwait(false), false)
            : await StreamAsync(request, writer, console, stopping.Token).ConfigureAwait(false);
        if (path is not null) await SaveAsync(snapshot, isPiped ? invocation.Output : null, path).ConfigureAwait(false);
        ComponentTable.Write(snapshot, writer);
        if (!isInterrupted) return ExitCode.Ok;
        await console.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"Interrupted after {snapshot.Training.Records} records; what was learned until then is shown"
                + $"{(path is null ? "" : $" and saved in {path}")}.")).ConfigureAwait(false);
        return ExitCode.Interrupted;
    }

    private static async Task<(ModelSnapshot Snapshot, bool IsInterrupted)> StreamAsync(
        FitRequest request, TextWriter writer, TextWriter progress, CancellationToken cancellationToken)
    {
        var fit = new StreamFit(request, TimeProvider.System, progress, NullLogger.Instance);
        ModelSnapshot snapshot = await fit.RunAsync(cancellationToken).ConfigureAwait(false);
        await WriteCountsAsync(fit.Rejections, request, writer).ConfigureAwait(false);
        if (fit.LastPass.Records > 0)
            await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"test-then-train: {fit.LastPass.Mean:F6} nats per record, over the {fit.LastPass.Records} records of "
                    + $"{(request.Passes == 1 ? "the pass" : "the last pass")}, each under the parameters before its minibatch"))
                .ConfigureAwait(false);
        return (snapshot, fit.IsInterrupted);
    }

    private static async Task<ModelSnapshot> YardstickAsync(FitRequest request, TextWriter writer, CancellationToken cancellationToken)
    {
        var yardstick = new YardstickFit(request, TimeProvider.System);
        (ModelSnapshot snapshot, BatchFit fit) = await yardstick.RunAsync(cancellationToken).ConfigureAwait(false);
        await WriteCountsAsync(yardstick.Rejections, request, writer).ConfigureAwait(false);
        string end = fit.Converged ? "converged" : "stopped without converging";
        await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{Engines.Format(request.Engine)} EM {end} after {fit.MeanLogLikelihoods.Count - 1} iterations: "
                + $"{fit.MeanLogLikelihoods[^1]:F6} nats per record, largest fall {fit.LargestFall:G3}, {fit.Evaluations} row evaluations"))
            .ConfigureAwait(false);
        return snapshot;
    }

    private static async Task WriteCountsAsync(RejectionLedger rejections, FitRequest request, TextWriter writer)
    {
        if (rejections.Rejected > 0)
        {
            string where = request.Model.Rejected.File is { } file ? $"; see {file}" : "; set rejected.file to keep them";
            await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{rejections.Rejected} of {rejections.Read} records were rejected{where}")).ConfigureAwait(false);
        }

        if (rejections.FilteredOut > 0)
            await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{rejections.FilteredOut} records were passed over: {request.Model.Schema.Where} is not about them")).ConfigureAwait(
                    false);
        foreach ((string field, long count) in new[] { ("key", rejections.UnreadKeys), ("timestamp", rejections.UnreadTimestamps) })
            if (count > 0)
                await writer.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"{count} of {rejections.Read} records have a {field} that cannot be read; they were used without it"))
                    .ConfigureAwait(false);
    }

    internal static Option<string?> ModelOption() => new("--model")
    {
        Description = "Which model of the configuration; needed when it has several. Without a configuration: the type, see 'streamem "
            + "models'.",
        HelpName = "id or type",
        CompletionSources = { _ => ModelCatalog.Types.Select(type => new CompletionItem(type)) },
    };

    private static Option<string?> HistoryOption() => new("--history")
    {
        Description = "Snapshots of versions further and further apart, one a line (NDJSON): for 'plot --trace' and 'plot --bound'.",
        HelpName = "file",
    };

    private static Option<string?> ScoresOption() => new("--scores")
    {
        Description = "One line per record of the first pass (NDJSON), scored under the parameters before its minibatch.",
        HelpName = "file",
    };

    private static Option<string?> EngineOption() => new("--engine")
    {
        CompletionSources = { _ => Enum.GetValues<FitEngine>().Select(engine => new CompletionItem(Engines.Format(engine))) },
        Description = $"{string.Join(", ", Engines.Words)}: how the data are learned from. The first streams them, the others have all of "
            + "them in memory and go on to convergence.",
        HelpName = "name",
    };

    private static FitEngine EngineOf(bool isBatch, string? name) =>
        name is not null && Engines.TryParse(name, out FitEngine engine) ? engine : isBatch ? FitEngine.Batch : FitEngine.Stepwise;

    private static void AddChecks(
        Command command, (Option<bool> Batch, Option<string?> Named) engine, (Option<string?> History, Option<string?> Scores) files,
        Option<int> passes)
    {
        passes.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError("--passes must be at least 1.");
        });
        command.Validators.Add(result =>
        {
            string? name = result.GetValue(engine.Named);
            if (name is not null && !Engines.TryParse(name, out _))
                result.AddError($"--engine '{name}' is no engine; expected {Engines.Expected}{Spelling.Suggestion(name, Engines.Words)}");
            else if (name is not null && result.GetValue(engine.Batch) && EngineOf(isBatch: true, name) != FitEngine.Batch)
                result.AddError($"--batch is --engine batch; leave one of --batch and --engine {name} out.");
            else if (EngineOf(result.GetValue(engine.Batch), name) != FitEngine.Stepwise
                && (result.GetResult(files.Scores) is not null || result.GetResult(files.History) is not null
                    || result.GetResult(passes) is { Implicit: false }))
                result.AddError($"{(name is null ? "--batch" : $"--engine {name}")} sees all data at once: it goes without --scores, "
                    + "--history and --passes.");
        });
    }

    internal static bool IsType(string name) => ModelCatalog.Find(name) is not null;

    internal static ModelOptions Choose(WorkerOptions options, string? id)
    {
        string known = string.Join(", ", options.Models.Select(model => model.Id));
        if (id is not null)
            return options.Models.FirstOrDefault(model => model.Id == id)
                ?? throw new CommandException(ExitCode.Usage, $"No model '{id}' in the configuration; it has {known}.");
        return options.Models.Count == 1
            ? options.Models[0]
            : throw new CommandException(
                ExitCode.Usage, $"The configuration has {options.Models.Count} models ({known}): choose one with --model.");
    }

    private static async Task SaveAsync(ModelSnapshot snapshot, TextWriter? piped, string path)
    {
        var buffer = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(snapshot, buffer, indented: true);
        if (piped is not null)
        {
            await piped.WriteLineAsync(Encoding.UTF8.GetString(buffer.WrittenSpan)).ConfigureAwait(false);
            return;
        }

        using Stream file = OutputFile.Create(path);
        file.Write(buffer.WrittenSpan);
        file.WriteByte((byte)'\n');
    }
}
