using System.CommandLine;
using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary>
/// <c>streamem plot SNAPSHOT DATA... -o FILE</c>: the learned components over records in two features, or feature by feature; of a
/// model whose state moves its paths over records; of another model without components its parameters, without data; with <c>--graph</c>
/// the model in plate notation, with <c>--trace</c> and <c>--bound</c> how it was learned, with <c>--codebook</c> the centres as codes.
/// </summary>
public static class PlotCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var options = new PlotOptions();
        var command = new Command("plot",
            "Draws a learned mixture over records, seen in two features or feature by feature, the parameters of another model, or how "
                + "either was learned, as SVG or PNG.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string output = parsed.GetRequiredValue(options.Output);
            OutputFile.RefuseInputs(output, [parsed.GetRequiredValue(options.File), .. parsed.GetValue(options.Data) ?? []]);
            string svg = await DrawAsync(options, parsed, cancellationToken).ConfigureAwait(false);
            if (output == PipedInput.Standard)
                await parsed.InvocationConfiguration.Output.WriteAsync(svg.AsMemory(), cancellationToken).ConfigureAwait(false);
            else PictureFile.Write(output, svg, parsed.InvocationConfiguration.Error);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<string> DrawAsync(PlotOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        string file = parsed.GetRequiredValue(options.File);
        string? title = parsed.GetValue(options.Title);
        if (parsed.GetValue(options.Graph)) return GraphOf(file, title);
        if (parsed.GetValue(options.Bound))
        {
            (IReadOnlyList<LearningPoint> points, bool isBound, string name) = SnapshotLog.Learning(file);
            return LearningPlot.Draw(points, isBound, title ?? name);
        }

        IReadOnlyList<ModelSnapshot> versions =
            parsed.GetValue(options.Trace) ? SnapshotLog.Versions(file) : [SnapshotFile.Read(file)];
        ModelSnapshot snapshot = versions[^1];
        bool hasData = parsed.GetValue(options.Data) is { Length: > 0 }, isTrace = parsed.GetValue(options.Trace);
        string heading = title ?? HeadingOf(snapshot);
        if (isTrace && !hasData) return TracePlot.OfBlocks(versions, heading);
        if (snapshot.Model is not ComponentModel model)
        {
            if (parsed.GetValue(options.Codebook))
                throw new CommandException(ExitCode.Usage, $"A model of type {snapshot.Options.Type} has no components to be codes.");
            if (!hasData || !PathPlot.Draws(snapshot)) return ParametersOf(snapshot, hasData, heading);
            return new PathPlot(snapshot).Draw(
                await RowsAsync(options, parsed, snapshot, cancellationToken).ConfigureAwait(false), heading);
        }

        if (parsed.GetValue(options.Codebook))
        {
            var codebook = new CodebookPlot(snapshot, model);
            if (!codebook.HasCentres)
                throw new CommandException(ExitCode.Usage, $"The components of {snapshot.Options.Type} have no means to be codes.");
            return codebook.Draw(
                hasData ? await ScoreAsync(options, parsed, snapshot, model, cancellationToken).ConfigureAwait(false) : null, heading);
        }

        RequireData(hasData);
        PlotAxes? axes =
            PlotAxes.Choose(snapshot.Space, parsed.GetValue(options.X), parsed.GetValue(options.Y), parsed.GetValue(options.Profile));
        string log = parsed.GetValue(options.Log) ?? "";
        if (axes is null && log.Length > 0)
            throw new CommandException(ExitCode.Usage, "--log is for records in two features: name them with --x and --y.");
        ScoredRows scored = await ScoreAsync(options, parsed, snapshot, model, cancellationToken).ConfigureAwait(false);
        if (isTrace) return Trace(versions, axes, scored, log, parsed.GetValue(options.Points), heading);
        if (axes is null) return new ProfilePlot(snapshot, model).Draw(scored.Shares(model.Components), heading);
        var plot = new MixturePlot(snapshot, model, axes.X, axes.Y) { IsLogX = log.Contains('x'), IsLogY = log.Contains('y') };
        return DrawPoints(plot, scored, parsed.GetValue(options.Rings), parsed.GetValue(options.Points), heading);
    }

    private static string Trace(
        IReadOnlyList<ModelSnapshot> versions, PlotAxes? axes, ScoredRows scored, string log, int points, string heading)
    {
        if (axes is null)
            throw new CommandException(ExitCode.Usage,
                "--trace over records needs two features that hold numbers: name them with --x and --y, or leave the data out.");
        Minibatch shown = RowsOf(scored.Rows, scored.Spaced(Math.Min(points, TracePlot.MostPoints), []));
        return TracePlot.OverRecords(versions, shown, (axes, log.Contains('x'), log.Contains('y')), heading);
    }

    private static async Task<ScoredRows> ScoreAsync(
        PlotOptions options, ParseResult parsed, ModelSnapshot snapshot, ComponentModel model, CancellationToken cancellationToken)
    {
        return ScoredRows.Of(snapshot, model, await RowsAsync(options, parsed, snapshot, cancellationToken).ConfigureAwait(false));
    }

    private static Task<Minibatch> RowsAsync(
        PlotOptions options, ParseResult parsed, ModelSnapshot snapshot, CancellationToken cancellationToken)
    {
        RecordSchema schema = ScoreSchema.Of(snapshot);
        schema = schema with { Csv = options.Dialect.Of(parsed, schema.Csv) };
        return ReadAsync(schema, parsed.GetRequiredValue(options.Data), cancellationToken);
    }

    /// <summary>A picture of a model without components.</summary>
    private static string ParametersOf(ModelSnapshot snapshot, bool hasData, string heading) => !hasData
        ? new BlocksPlot(snapshot).Draw(heading)
        : throw new CommandException(ExitCode.Usage,
            $"A model of type {snapshot.Options.Type} has no components to draw over records: leave the data out, and its parameters "
                + "are drawn.");

    private static void RequireData(bool hasData)
    {
        if (!hasData)
            throw new CommandException(ExitCode.Usage,
                "Required argument missing for command: 'plot': the data to draw; or draw the model alone with --graph, its centres with "
                    + "--codebook.");
    }

    private static string HeadingOf(ModelSnapshot snapshot)
    {
        int components = snapshot.ComponentIds.Count;
        string what = components > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{components} component{(components == 1 ? "" : "s")}")
            : snapshot.Options.Type;
        return string.Create(CultureInfo.InvariantCulture,
            $"{snapshot.ModelId}, version {snapshot.Version}: {what} learned from {snapshot.Training.Records} records");
    }

    /// <summary>The graph of a type with its defaults, of the model of a configuration, or of a snapshot's.</summary>
    private static string GraphOf(string named, string? title)
    {
        if (ModelCatalog.Find(named) is { } entry)
        {
            try
            {
                return GraphPlot.Draw(GraphedModel.Of(entry.CreateOptions()), title ?? named);
            }
            catch (ArgumentException failure)
            {
                throw new CommandException(ExitCode.Usage,
                    $"What {named} is depends on what it is of: name a configuration in place of the type. {failure.Message}", failure);
            }
        }

        if (Path.GetExtension(named) is ".yaml" or ".yml")
        {
            ModelOptions configured = FitCommand.Choose(ConfigurationArguments.Load([named]), id: null);
            return GraphPlot.Draw(
                GraphedModel.Of(configured.Model, [.. configured.Schema.Features]), title ?? $"{configured.Id}: {configured.Model.Type}");
        }

        ModelSnapshot snapshot = SnapshotFile.Read(named);
        return GraphPlot.Draw(snapshot.Model.Graph, title ?? $"{snapshot.ModelId}: {snapshot.Options.Type}");
    }

    private static string DrawPoints(MixturePlot plot, ScoredRows scored, int rings, int points, string title)
    {
        int[] strangest = scored.Strangest(rings), drawn = scored.Spaced(points, strangest);
        int[] components = [.. drawn.Select(row => scored.Components[row])];
        return plot.Draw(
            RowsOf(scored.Rows, drawn), components, [.. strangest.Select(row => Array.IndexOf(drawn, row))], title);
    }

    private static Minibatch RowsOf(Minibatch rows, int[] chosen)
    {
        var result = new Minibatch(rows.Dimension, Math.Max(1, chosen.Length));
        foreach (int row in chosen) result.Append(rows, row, 1);
        return result;
    }

    private static async Task<Minibatch> ReadAsync(RecordSchema schema, string[] data, CancellationToken cancellationToken)
    {
        Minibatch rows = new RecordBatch(schema, 1024).Records;
        var features = FeatureStream.Of(schema);
        await new DataFiles(data, RecordFormat.Csv) { TakesPipes = true }.ReadAsync(schema, TimeProvider.System, batch =>
        {
            rows.Append(features?.Make(batch.Records, 0, batch.Count) ?? batch.Records, 0, batch.Count);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows : throw new CommandException(ExitCode.DataCorrupt, $"No record to draw in {string.Join(", ", data)}.");
    }
}
