using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem score SNAPSHOT DATA... [-o OUT] [--format ndjson|csv] [--include FIELDS] [--forecast N] [--viterbi]</c>: one line per
/// record, in the order of the input.
/// </summary>
public static class ScoreCommand
{
    private const string Ndjson = "ndjson";
    private const string Csv = "csv";
    private const string All = "all";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("snapshot") { Description = SnapshotFile.Named };
        var data = new Argument<string[]>("data")
        {
            Description = DataFiles.Named,
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("-o", "--output")
        { Description = "Where the scores go; standard output by default, and for -.", HelpName = "file" };
        var format =
            new Option<string>("--format") { Description = "How scores are written: ndjson or csv.", DefaultValueFactory = _ => Ndjson };
        format.AcceptOnlyFromAmong(Ndjson, Csv);
        var averaged = new Option<bool>("--averaged")
        { Description = "Scores under the average of the parameters (learning.averaging: tail) instead of the last ones." };
        var include = new Option<string?>("--include")
        {
            Description = "Fields of the records to tell beside their scores: all that the model reads, or names with commas between them.",
            HelpName = "fields",
        };
        var forecast = new Option<int?>("--forecast")
        { Description = "Steps ahead that scores of a model of sequences tell of: state, and records with intervals.", HelpName = "n" };
        var viterbi = new Option<bool>("--viterbi")
        { Description = "Tells every record's state on the most likely path of its key, which all data have to be read for first." };
        Command command = new("score", "Scores records under a snapshot: log_density, responsibilities, component, anomaly_score.")
        { file, data, output, format, include, averaged, forecast, viterbi };
        var dialect = new DialectArguments();
        dialect.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // A FIFO is waited for until somebody writes to it, or the user gives up.
            Scorer scorer = await Task
                .Run(() => Prepare(parsed.GetRequiredValue(file), parsed.GetValue(averaged), parsed.GetValue(forecast)),
                    CancellationToken.None)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            bool hasPaths = parsed.GetValue(viterbi);
            if (hasPaths && SequencePaths.Of(scorer, new Minibatch(scorer.Dimension)) is null)
                throw new CommandException(
                    ExitCode.Usage, $"--viterbi: {scorer.Learned.Options.Type} has no hidden states; leave the option out.");
            string? to = parsed.GetValue(output) is PipedInput.Standard ? null : parsed.GetValue(output);
            OutputFile.RefuseInputs(to, [parsed.GetRequiredValue(file), .. parsed.GetRequiredValue(data)]);
            using Stream? target = to is null ? null : OutputFile.Create(to);
            TextWriter console = parsed.InvocationConfiguration.Output;
            RecordSchema schema = ScoreSchema.Of(scorer.Learned);
            schema = schema with { Csv = dialect.Of(parsed, schema.Csv) };
            ScoreFields? fields = Included(parsed.GetValue(include), schema);
            ScoreFormat Format(IBufferWriter<byte> buffer) => parsed.GetRequiredValue(format) == Csv
                ? new CsvScoreFormat(buffer, fields, hasPaths)
                : new JsonScoreFormat(buffer, asLines: true, withVersion: false, fields);
            await ScoreAsync(scorer, schema, hasPaths, parsed.GetRequiredValue(data), Format, bytes => Write(bytes, target, console),
                cancellationToken).ConfigureAwait(false);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(ReadOnlySpan<byte> bytes, Stream? target, TextWriter console)
    {
        if (target is null)
        {
            console.Write(Encoding.UTF8.GetString(bytes));
            return;
        }

        // Whoever reads along sees what there is when the input pauses.
        target.Write(bytes);
        target.Flush();
    }

    private static async Task ScoreAsync(
        Scorer scorer, RecordSchema schema, bool hasPaths, string[] data, Func<IBufferWriter<byte>, ScoreFormat> begin,
        Action<ReadOnlySpan<byte>> write, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        ScoreFormat format = begin(buffer);
        var scores = new BatchScorer(new ScoreSession(scorer), format);
        WholeScores? whole = hasPaths ? new WholeScores(scorer, schema) : null;
        format.Begin(scorer.Learned);
        await new DataFiles(data, RecordFormat.Csv) { TakesPipes = true }.ReadAsync(schema, TimeProvider.System, batch =>
        {
            if (whole is null) scores.Score(batch);
            else whole.Take(batch);
            Flush();
            return true;
        }, cancellationToken).ConfigureAwait(false);
        whole?.Write(scores, Flush);
        format.End();
        Flush();

        void Flush()
        {
            write(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
        }
    }

    private static LearnedModel LookingAhead(LearnedModel learned, int steps)
    {
        try
        {
            return learned.WithSetting("forecast", steps.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            throw new CommandException(ExitCode.Usage, $"--forecast: {failure.Message}", failure);
        }
    }

    /// <summary>The fields that are told; null for none.</summary>
    private static ScoreFields? Included(string? named, RecordSchema schema)
    {
        if (named is null) return null;
        string[] known = [.. ScoreFields.AllOf(schema)];
        string[] names = named == All ? known : named.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (string name in names.Except(known))
        {
            string suggestion = Spelling.Suggestion(name, known);
            throw new CommandException(ExitCode.Usage, $"--include: the model reads no field '{name}'"
                + (suggestion.Length > 0 ? suggestion : $"; it reads {string.Join(", ", known)}"));
        }

        return new ScoreFields(schema, names);
    }

    private static Scorer Prepare(string path, bool averaged, int? forecast)
    {
        ModelSnapshot snapshot = SnapshotFile.Read(path);
        if (averaged && snapshot.AveragedParameters is null)
            throw new CommandException(ExitCode.Usage,
                $"--averaged: '{path}' has no averaged parameters; it was learned with learning.averaging: none, or for too few updates.");
        try
        {
            LearnedModel learned = averaged ? snapshot with { Parameters = snapshot.AveragedParameters! } : snapshot;
            return new Scorer(forecast is { } steps ? LookingAhead(learned, steps) : learned);
        }
        catch (Exception failure) when (failure is ArgumentException or ArithmeticException)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"'{path}' cannot be scored with: {failure.Message}", failure);
        }
    }
}
