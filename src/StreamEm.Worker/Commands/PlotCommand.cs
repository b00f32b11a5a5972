using System.CommandLine;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Plotting;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem plot SNAPSHOT DATA... -o FILE.svg</c>: the learned mixture over records, seen in two features.</summary>
public static class PlotCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("snapshot") { Description = "A snapshot (JSON) or a published log of snapshots." };
        var data = new Argument<string[]>("data") { Description = "Files or globs with records.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("-o", "--output") { Description = "Where the picture goes (SVG).", Required = true, HelpName = "file" };
        var x = new Option<string?>("--x") { Description = "Feature to the right; the first one by default.", HelpName = "feature" };
        var y = new Option<string?>("--y") { Description = "Feature upwards; the second one by default.", HelpName = "feature" };
        var rings = new Option<int>("--rings") { Description = "How many of the strangest records to ring.", DefaultValueFactory = _ => 8, HelpName = "n" };
        var title = new Option<string?>("--title") { Description = "Above the picture.", HelpName = "text" };
        var points = new Option<int>("--points") { Description = "Draws at most so many records, evenly spaced.", DefaultValueFactory = _ => 5000, HelpName = "n" };
        Command command = new("plot", "Draws a learned mixture over records, seen in two features, as SVG.") { file, data, output, x, y, rings, title, points };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ModelSnapshot snapshot = SnapshotFile.Read(parsed.GetRequiredValue(file));
            Minibatch rows = await ReadAsync(snapshot, parsed.GetRequiredValue(data), cancellationToken).ConfigureAwait(false);
            int first = Feature(snapshot, parsed.GetValue(x), 0), second = Feature(snapshot, parsed.GetValue(y), Math.Min(1, snapshot.Features.Count - 1));
            string heading = parsed.GetValue(title) ?? FormattableString.Invariant($"{snapshot.ModelId}, version {snapshot.Version}: {snapshot.ComponentIds.Count} components learned from {snapshot.Training.Records} records");
            string svg = Draw(snapshot, rows, first, second, parsed.GetValue(rings), parsed.GetValue(points), heading);
            using (Stream stream = OutputFile.Create(parsed.GetRequiredValue(output)))
            using (var writer = new StreamWriter(stream))
                await writer.WriteAsync(svg.AsMemory(), cancellationToken).ConfigureAwait(false);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Draw(ModelSnapshot snapshot, Minibatch rows, int x, int y, int rings, int points, string title)
    {
        var scorer = new Scorer(snapshot);
        int width = scorer.Layout.Length;
        double[] logDensities = new double[rows.Count], scores = new double[rows.Count * width];
        scorer.Score(rows, logDensities, scores, new double[rows.Count]);
        VectorBlock membership = snapshot.Model is ComponentModel model
            ? scorer.Layout[model.MembershipBlock]
            : throw new CommandException(ExitCode.Usage, $"A model of type {snapshot.Options.Type} has no components to draw.");
        // Equal scores beyond double precision are told apart by the log-density they stand for.
        int[] strangest = [.. Enumerable.Range(0, rows.Count).OrderBy(row => logDensities[row]).Take(rings)];
        int step = Math.Max(1, (rows.Count + points - 1) / points);
        int[] drawn = [.. Enumerable.Range(0, rows.Count).Where(row => row % step == 0).Union(strangest)];
        var shown = new Minibatch(rows.Dimension, Math.Max(1, drawn.Length));
        int[] components = new int[drawn.Length];
        for (int at = 0; at < drawn.Length; at++)
        {
            shown.Append(rows, drawn[at], 1);
            ReadOnlySpan<double> probabilities = membership.Of((ReadOnlySpan<double>)scores.AsSpan(drawn[at] * width, width));
            for (int k = 1; k < probabilities.Length; k++)
                if (probabilities[k] > probabilities[components[at]]) components[at] = k;
        }

        return new MixturePlot(snapshot, x, y).Draw(shown, components, [.. strangest.Select(row => Array.IndexOf(drawn, row))], title);
    }

    private static async Task<Minibatch> ReadAsync(ModelSnapshot snapshot, string[] data, CancellationToken cancellationToken)
    {
        RecordSchema schema = ScoreSchema.Of(snapshot);
        Minibatch rows = new RecordBatch(schema, 1024).Records;
        await new DataFiles(data, RecordFormat.Csv).ReadAsync(schema, TimeProvider.System, batch =>
        {
            rows.Append(batch.Records, 0, batch.Count);
            return true;
        }, cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows : throw new CommandException(ExitCode.DataCorrupt, $"No record to draw in {string.Join(", ", data)}.");
    }

    private static int Feature(ModelSnapshot snapshot, string? name, int otherwise)
    {
        if (name is null) return otherwise;
        int index = snapshot.Features.ToList().IndexOf(name);
        return index >= 0 ? index : throw new CommandException(ExitCode.Usage, $"The snapshot has no feature '{name}'; it has {string.Join(", ", snapshot.Features)}.");
    }
}
