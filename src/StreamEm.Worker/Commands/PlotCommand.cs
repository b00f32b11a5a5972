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
/// <c>streamem plot SNAPSHOT DATA... -o FILE.svg</c>: the learned components over records in two features, or feature by feature; of a
/// model whose state moves its paths over records; of another model without components its parameters, without data; with <c>--graph</c> the model in plate notation.
/// </summary>
public static class PlotCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        (Argument<string> file, Argument<string[]> data) = Arguments();
        var output = new Option<string>("-o", "--output")
        { Description = "Where the picture goes (SVG); - is standard output.", Required = true, HelpName = "file" };
        var x = new Option<string?>("--x") { Description = "Feature to the right; the first number by default.", HelpName = "feature" };
        var y = new Option<string?>("--y") { Description = "Feature upwards; the second number by default.", HelpName = "feature" };
        var profile = new Option<bool>("--profile")
        {
            Description =
                "Draws a panel per feature instead of records in two; what is drawn anyway unless all features are numbers, or --x or --y "
                    + "name two of them.",
        };
        var graph = new Option<bool>("--graph")
        { Description = "Draws the model itself in plate notation: what depends on what, and how often it is repeated; without data." };
        var rings = new Option<int>("--rings")
        { Description = "How many of the strangest records to ring.", DefaultValueFactory = _ => 8, HelpName = "n" };
        var title = new Option<string?>("--title") { Description = "Above the picture.", HelpName = "text" };
        var points = new Option<int>("--points")
        { Description = "Draws at most so many records, evenly spaced.", DefaultValueFactory = _ => 5000, HelpName = "n" };
        Command command = new("plot",
            "Draws a learned mixture over records, seen in two features or feature by feature, or the parameters of another model, as SVG.")
        {
            file, data, output, x, y, profile, graph, rings, title, points,
        };
        AddCheck(command, data, graph, output);
        var dialect = new DialectArguments();
        dialect.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            OutputFile.RefuseInputs(parsed.GetValue(output), [parsed.GetRequiredValue(file), .. parsed.GetValue(data) ?? []]);
            if (parsed.GetValue(graph))
            {
                await WriteAsync(parsed, output, GraphOf(parsed.GetRequiredValue(file), parsed.GetValue(title)),
                    cancellationToken).ConfigureAwait(false);
                return ExitCode.Ok;
            }
            ModelSnapshot snapshot = SnapshotFile.Read(parsed.GetRequiredValue(file));
            bool hasData = parsed.GetValue(data) is { Length: > 0 };
            RecordSchema schema = ScoreSchema.Of(snapshot);
            schema = schema with { Csv = dialect.Of(parsed, schema.Csv) };
            string heading = parsed.GetValue(title) ?? HeadingOf(snapshot);
            if (snapshot.Model is not ComponentModel model)
            {
                string picture = hasData && PathPlot.Draws(snapshot)
                    ? new PathPlot(snapshot).Draw(
                        await ReadAsync(schema, parsed.GetRequiredValue(data), cancellationToken).ConfigureAwait(false), heading)
                    : ParametersOf(snapshot, hasData, heading);
                await WriteAsync(parsed, output, picture, cancellationToken).ConfigureAwait(false);
                return ExitCode.Ok;
            }
            RequireData(hasData);
            PlotAxes? axes = PlotAxes.Choose(snapshot.Space, parsed.GetValue(x), parsed.GetValue(y), parsed.GetValue(profile));
            ScoredRows scored = ScoredRows.Of(
                snapshot, model, await ReadAsync(schema, parsed.GetRequiredValue(data), cancellationToken).ConfigureAwait(false));
            string svg = axes is null ? new ProfilePlot(snapshot, model).Draw(scored.Shares(model.Components), heading)
                : DrawPoints(new(snapshot, model, axes.X, axes.Y), scored, parsed.GetValue(rings), parsed.GetValue(points), heading);
            await WriteAsync(parsed, output, svg, cancellationToken).ConfigureAwait(false);
            return ExitCode.Ok;
        });
        return command;
    }

    private static (Argument<string> File, Argument<string[]> Data) Arguments() => (
        new Argument<string>("snapshot")
        {
            Description = SnapshotFile.Named + " With --graph also a configuration, or a type of model, see 'streamem models'.",
        },
        new Argument<string[]>("data")
        {
            Description = "Files or globs with records; a FIFO; - for standard input; none for a model without components, whose "
                + "parameters are drawn.",
            Arity = ArgumentArity.ZeroOrMore,
        });

    /// <summary>A picture of a model without components.</summary>
    private static string ParametersOf(ModelSnapshot snapshot, bool hasData, string title) => !hasData
        ? new BlocksPlot(snapshot).Draw(title)
        : throw new CommandException(ExitCode.Usage,
            $"A model of type {snapshot.Options.Type} has no components to draw over records: leave the data out, and its parameters "
                + "are drawn.");

    private static void RequireData(bool hasData)
    {
        if (!hasData)
            throw new CommandException(ExitCode.Usage,
                "Required argument missing for command: 'plot': the data to draw; or draw the model alone with --graph.");
    }

    private static string HeadingOf(ModelSnapshot snapshot)
    {
        string what = snapshot.ComponentIds.Count > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{snapshot.ComponentIds.Count} components")
            : snapshot.Options.Type;
        return string.Create(CultureInfo.InvariantCulture,
            $"{snapshot.ModelId}, version {snapshot.Version}: {what} learned from {snapshot.Training.Records} records");
    }

    private static void AddCheck(
        Command command, Argument<string[]> data, Option<bool> graph, Option<string> output) => command.Validators.Add(result =>
    {
        // A picture that is called what it is not is found out by somebody else.
        if (result.GetValue(output) is { } path && Path.GetExtension(path).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg" or ".pdf")
            result.AddError($"--output '{path}': pictures are SVG; expected a name that ends with .svg. rsvg-convert makes others of it.");
        if (result.GetValue(graph) && result.GetValue(data) is { Length: > 0 })
            result.AddError("--graph draws the model alone: it goes without data.");
    });

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

    private static async Task WriteAsync(ParseResult parsed, Option<string> output, string svg, CancellationToken cancellationToken)
    {
        string path = parsed.GetRequiredValue(output);
        if (path == PipedInput.Standard)
        {
            await parsed.InvocationConfiguration.Output.WriteAsync(svg.AsMemory(), cancellationToken).ConfigureAwait(false);
            return;
        }

        using Stream stream = OutputFile.Create(path);
        using var writer = new StreamWriter(stream);
        await writer.WriteAsync(svg.AsMemory(), cancellationToken).ConfigureAwait(false);
    }

    private static string DrawPoints(MixturePlot plot, ScoredRows scored, int rings, int points, string title)
    {
        int[] strangest = scored.Strangest(rings), drawn = scored.Spaced(points, strangest);
        var shown = new Minibatch(scored.Rows.Dimension, Math.Max(1, drawn.Length));
        foreach (int row in drawn) shown.Append(scored.Rows, row, 1);
        int[] components = [.. drawn.Select(row => scored.Components[row])];
        return plot.Draw(shown, components, [.. strangest.Select(row => Array.IndexOf(drawn, row))], title);
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
