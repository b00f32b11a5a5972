using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Display;

/// <summary>A snapshot as a person reads it: facts, then one row per component in the user's units.</summary>
internal static class ComponentTable
{
    private const int MaxFeatures = 12;

    /// <summary>Writes version, health and components.</summary>
    public static void Write(ModelSnapshot snapshot, TextWriter output)
    {
        IAnsiConsole console = Terminal.For(output);
        var facts = new Grid().AddColumn().AddColumn();
        void Fact(string name, FormattableString value) => facts.AddRow(Markup.Escape(name), Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
        TrainingReport training = snapshot.Training;
        Fact("model", $"{snapshot.ModelId}: {snapshot.Options.Type} ({string.Join(", ", snapshot.Options.Settings.Select(setting => $"{setting.Key} {setting.Value}"))})");
        if (snapshot.RunId.Length > 0) Fact("run", $"{snapshot.RunId}");
        Fact("version", $"{snapshot.Version}, made {snapshot.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        Fact("learned from", $"{training.Records} records in {training.Updates} updates; last step size {training.LastStepSize:G4}");
        Fact("mean log-likelihood", $"{training.MeanLogLikelihood:F4} nats per record (last minibatch, before its update)");
        foreach ((string name, double value) in snapshot.Health) Fact(name.Replace('_', ' '), $"{value:G4}");
        Fact("anomaly score", snapshot.Calibration is { } calibration ? (FormattableString)$"calibrated on {calibration.Records:F0} records" : $"not calibrated yet (needs 100 records)");
        foreach ((string partition, long next) in snapshot.Source) Fact("next record", $"{partition} at {next}");
        foreach (ModelWarning warning in training.Warnings) Fact("warning", $"{warning}");
        console.Write(facts);
        if (snapshot.Model is not ComponentModel model)
        {
            console.Write(Blocks(snapshot));
            return;
        }

        console.Write(Components(snapshot, model));
        foreach (Table table in Transitions(snapshot, model)) console.Write(table);
    }

    private static Table Components(ModelSnapshot snapshot, ComponentModel model)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("component").AddColumn(new TableColumn("weight").RightAligned());
        int shown = Math.Min(MaxFeatures, snapshot.Features.Count), d = model.Dimension;
        for (int feature = 0; feature < shown; feature++) table.AddColumn(new TableColumn(Markup.Escape(snapshot.Features[feature])).RightAligned());
        table.AddColumn("status");
        double[] weights = new double[model.Components], means = new double[model.Components * d], variances = new double[means.Length];
        model.Shares(snapshot.Parameters, weights);
        bool hasMoments = model.TryComponentMoments(snapshot.Parameters, means, variances);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++)
        {
            string label = k < snapshot.Labels.Count && snapshot.Labels[k] is { } named ? $"{snapshot.ComponentIds[k]} {named}" : snapshot.ComponentIds[k];
            var row = new List<string> { Markup.Escape(label), weights[k].ToString("F4", CultureInfo.InvariantCulture) };
            for (int feature = 0; feature < shown; feature++)
                row.Add(Markup.Escape(FeatureText.Of(snapshot, k, feature, hasMoments ? means[k * d + feature] : double.NaN, variances[k * d + feature])));
            row.Add(Markup.Escape(snapshot.ComponentStatus[k]));
            table.AddRow([.. row]);
        }

        string note = FeatureText.Caption(snapshot.Space) + (shown < snapshot.Features.Count ? $"; {snapshot.Features.Count - shown} more features" : "");
        return table.Caption(note);
    }

    /// <summary>The probabilities of going from one component to another, where the model has any.</summary>
    private static IEnumerable<Table> Transitions(ModelSnapshot snapshot, ComponentModel model)
    {
        foreach (VectorBlock block in model.MixingBlocks.Where(block => block.Shape.Count == 2))
        {
            var table = new Table().Border(TableBorder.Simple).Caption($"{block.Name}: from the row to the column");
            table.AddColumn("");
            foreach (string id in snapshot.ComponentIds) table.AddColumn(new TableColumn(Markup.Escape(id)).RightAligned());
            ReadOnlySpan<double> values = block.Of((ReadOnlySpan<double>)snapshot.Parameters);
            for (int from = 0; from < block.Shape[0]; from++)
            {
                var row = new List<string> { Markup.Escape(snapshot.ComponentIds[from]) };
                foreach (double value in values.Slice(from * block.Shape[1], block.Shape[1])) row.Add(value.ToString("F4", CultureInfo.InvariantCulture));
                table.AddRow([.. row]);
            }

            yield return table;
        }
    }

    /// <summary>The parameters of a model without components, block by block.</summary>
    private static Table Blocks(ModelSnapshot snapshot)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("parameter").AddColumn("values");
        foreach (VectorBlock block in snapshot.Layout.Blocks)
        {
            double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
            string text = string.Join("  ", values.Take(MaxFeatures).Select(value => value.ToString("G5", CultureInfo.InvariantCulture)));
            table.AddRow(Markup.Escape(block.ToString()), Markup.Escape(values.Length > MaxFeatures ? $"{text} ..." : text));
        }

        return table;
    }
}
