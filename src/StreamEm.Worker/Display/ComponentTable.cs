using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Plotting;

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
        Fact("model", $"{snapshot.ModelId}: {snapshot.Model.Type} ({string.Join(", ", snapshot.Model.Settings.Select(setting => $"{setting.Key} {setting.Value}"))})");
        if (snapshot.RunId.Length > 0) Fact("run", $"{snapshot.RunId}");
        Fact("version", $"{snapshot.Version}, made {snapshot.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        Fact("learned from", $"{training.Records} records in {training.Updates} updates; last step size {training.LastStepSize:G4}");
        Fact("mean log-likelihood", $"{training.MeanLogLikelihood:F4} nats per record (last minibatch, before its update)");
        if (snapshot.MinCovarianceEigenvalue is { } smallest) Fact("smallest covariance eigenvalue", $"{smallest:G4}");
        Fact("anomaly score", snapshot.Calibration is { } calibration ? (FormattableString)$"calibrated on {calibration.Records:F0} records" : $"not calibrated yet (needs 100 records)");
        foreach ((string partition, long next) in snapshot.Source) Fact("next record", $"{partition} at {next}");
        foreach (string warning in training.Warnings) Fact("warning", $"{warning}");
        console.Write(facts);
        console.Write(Components(snapshot));
    }

    private static Table Components(ModelSnapshot snapshot)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("component").AddColumn(new TableColumn("weight").RightAligned());
        int shown = Math.Min(MaxFeatures, snapshot.Features.Count);
        for (int d = 0; d < shown; d++) table.AddColumn(new TableColumn(Markup.Escape(snapshot.Features[d])).RightAligned());
        table.AddColumn("status");
        ReadOnlySpan<double> weights = snapshot.Layout["weights"].Of((ReadOnlySpan<double>)snapshot.Parameters);
        for (int k = 0; k < snapshot.ComponentIds.Count; k++)
        {
            string label = k < snapshot.Labels.Count && snapshot.Labels[k] is { } named ? $"{snapshot.ComponentIds[k]} {named}" : snapshot.ComponentIds[k];
            var row = new List<string> { Markup.Escape(label), weights[k].ToString("F4", CultureInfo.InvariantCulture) };
            for (int d = 0; d < shown; d++) row.Add(Markup.Escape(Feature(snapshot, k, d)));
            row.Add(Markup.Escape(snapshot.ComponentStatus[k]));
            table.AddRow([.. row]);
        }

        string note = "mean ± standard deviation" + (shown < snapshot.Features.Count ? $"; {snapshot.Features.Count - shown} more features" : "");
        return table.Caption(note);
    }

    /// <summary>Mean and standard deviation of one feature under one component.</summary>
    private static string Feature(ModelSnapshot snapshot, int k, int d)
    {
        VectorBlock means = snapshot.Layout["means"];
        double mean = snapshot.Parameters[means.Offset + k * snapshot.Features.Count + d];
        double deviation = Math.Sqrt(Plotting.ComponentEllipse.Of(snapshot, k, d, d).VarianceX);
        return string.Create(CultureInfo.InvariantCulture, $"{mean:G5} ± {deviation:G3}");
    }
}
