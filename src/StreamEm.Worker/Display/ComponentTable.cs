using System.Globalization;
using Spectre.Console;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>A snapshot as a person reads it: facts, then one row per component in the user's units.</summary>
internal static class ComponentTable
{
    private const int MaxFeatures = 24, MaxValues = 12, MaxEvents = 8, MaxCorrelations = 6, MaxTables = 8;

    /// <summary>Writes version, health and components.</summary>
    public static void Write(ModelSnapshot snapshot, TextWriter output)
    {
        IAnsiConsole console = Terminal.For(output);
        var facts = new Grid().AddColumn().AddColumn();
        void Fact(string name, FormattableString value) =>
            facts.AddRow(Markup.Escape(name), Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
        TrainingReport training = snapshot.Training;
        Fact("model", $"{snapshot.ModelId}: {snapshot.Options.Type} ({string.Join(", ", Settings(snapshot))})");
        if (snapshot.RunId.Length > 0) Fact("run", $"{snapshot.RunId}");
        Fact("version", $"{snapshot.Version}, made {snapshot.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        string updates = Count(training.Updates, "update");
        Fact("learned from", $"{training.Records} records in {updates}; last step size {training.LastStepSize:G4}{OfLight(training)}");
        if (training.Unlearned > 0)
            Fact("not learned from", $"{training.Unlearned} records, {training.Bounded} of them too far from every component");
        if (double.IsFinite(training.EffectiveRecords)) Fact("effective records", $"{training.EffectiveRecords:F0}");
        Fact(snapshot.Model.IsBound ? "mean lower bound" : "mean log-likelihood",
            $"{training.MeanLogLikelihood:F4} nats per record (last minibatch, before its update)");
        if (double.IsFinite(training.RunningMeanLogLikelihood))
            Fact("running mean", $"{training.RunningMeanLogLikelihood:F4} nats per record (all records, each before its update)");
        if (double.IsFinite(training.Energy))
            Fact("free energy", $"energy {training.Energy:F4}, entropy {training.Entropy:F4} nats per record (last minibatch)");
        if (training.Averaged > 1) Fact("averaged parameters", $"of the last {training.Averaged} versions; see -o, or score --averaged");
        foreach ((string name, double value) in snapshot.Health) Fact(name.Replace('_', ' '), $"{value:G4}");
        Fact("anomaly score",
            snapshot.Calibration is { } calibration
                ? (FormattableString)$"calibrated on what is worth {calibration.Records:F0} records: older ones fade"
                : $"not calibrated yet (needs 100 records)");
        foreach ((string partition, long next) in snapshot.Source) Fact("next record", $"{partition} at {next}");
        foreach (ComponentEvent item in snapshot.Events.TakeLast(MaxEvents)) Fact("event", $"{EventText(item)}");
        foreach (CandidateStanding candidate in snapshot.Candidates.Where(item => item.Rank > 0).OrderBy(item => item.Rank))
        {
            string unit = candidate.Components == 1 ? "component" : "components";
            Fact("candidate",
                $"{candidate.Rank}. {candidate.Components} {unit}: {candidate.MeanLogLikelihood:F5} nats, {candidate.Records} records");
        }

        foreach (ModelWarning warning in training.Warnings) Fact("warning", $"{warning}");
        console.Write(facts);
        if (snapshot.Model is not ComponentModel model)
        {
            EntryTables.Write(snapshot, console);
            if (snapshot.Layout.Blocks.Any(block => block.Entries is null)) console.Write(Blocks(snapshot));
            IntervalTable.Write(snapshot, console);
            return;
        }

        Components(snapshot, model, console);
        foreach (VectorBlock block in model.MixingBlocks.Where(block => block.Shape.Count == 2)) Transitions(snapshot, block, console);
        foreach (VectorBlock block in snapshot.Layout.Blocks.Where(block => block.HasValuesPerFeature))
            for (int k = 0; k < Math.Min(MaxTables, model.Components); k++) PerFeature(snapshot, block, k, console);
        IntervalTable.Write(snapshot, console);
    }

    private static string EventText(ComponentEvent item)
    {
        string until = item.Until == item.Version
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $", {item.Count} times until version {item.Until}");
        return string.Create(CultureInfo.InvariantCulture,
            $"{item.Component ?? "all components"} {SnakeCase.Of(item.Kind)} with version {item.Version}{until}");
    }

    /// <summary>Why the last step was smaller than the schedule has it; nothing where it was not.</summary>
    private static string OfLight(TrainingReport training)
    {
        if (training.Updates == 0) return "";
        double scheduled = Math.Max(training.StepSize.Floor, Math.Pow(training.Updates + training.StepSize.T0, -training.StepSize.Kappa));
        return training.LastStepSize >= 0.999 * scheduled ? "" : string.Create(CultureInfo.InvariantCulture,
            $", {scheduled:G4} by the schedule: the last minibatch was short, or records of it were not learned from");
    }

    private static string Count(long number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");

    private static void Components(ModelSnapshot snapshot, ComponentModel model, IAnsiConsole console)
    {
        var profile = new ComponentProfile(snapshot, model);
        int[] components = [.. Enumerable.Range(0, model.Components)];
        bool predicts = snapshot.Schema.Target is not null;
        int shown = predicts && !profile.HasMoments ? 0 : Math.Min(MaxFeatures, snapshot.Features.Count);
        var table = new ColumnBands("component", [.. components.Select(profile.NameOf)]);
        table.Add("weight", [.. components.Select(k => profile.Weights[k].ToString("F4", CultureInfo.InvariantCulture))]);
        for (int feature = 0; feature < shown; feature++)
            table.Add(FeatureText.Name(snapshot.Space.Features[feature]), [.. components.Select(k => FeatureText.Of(profile, k, feature))]);
        table.Add("status", snapshot.ComponentStatus, isNumber: false);
        table.Write(console);
        string note = FeatureText.Caption(snapshot.Space)
            + (shown < snapshot.Features.Count ? $"; {snapshot.Features.Count - shown} more features" : "");
        if (shown > 0) console.WriteLine($"  {note}");
        if (predicts) console.Write(Blocks(snapshot));
        WholeModel(snapshot, console);
    }

    /// <summary>Mean and standard deviation of the whole, and the correlations of its features.</summary>
    private static void WholeModel(ModelSnapshot snapshot, IAnsiConsole console)
    {
        if (MixtureMoments.Of(snapshot) is not { } moments) return;
        int dimension = snapshot.Features.Count;
        int[] shown = [.. Enumerable.Range(0, dimension).Where(d => double.IsFinite(moments.Mean[d])).Take(MaxFeatures)];
        if (shown.Length == 0) return;
        double Deviation(int d) => Math.Sqrt(moments.Covariance[d * (dimension + 1)]);
        var table = new ColumnBands("E[x], Cov[x]", [.. shown.Select(d => FeatureText.Name(snapshot.Space.Features[d]))]);
        table.Add("mean", [.. shown.Select(d => moments.Mean[d].ToString("G5", CultureInfo.InvariantCulture))]);
        table.Add("deviation", [.. shown.Select(d => Deviation(d).ToString("G4", CultureInfo.InvariantCulture))]);
        string Correlation(int d, int other) =>
            (moments.Covariance[d * dimension + other] / (Deviation(d) * Deviation(other))).ToString("F2", CultureInfo.InvariantCulture);
        foreach (int other in shown.Take(MaxCorrelations))
            table.Add($"r {FeatureText.Name(snapshot.Space.Features[other])}", [.. shown.Select(d => Correlation(d, other))]);
        table.Write(console);
        console.WriteLine("  of all components together; r: correlation with that feature");
    }

    /// <summary>The probabilities of going from one component to another.</summary>
    private static void Transitions(ModelSnapshot snapshot, VectorBlock block, IAnsiConsole console)
    {
        var table = new ColumnBands(block.Name, snapshot.ComponentIds);
        double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
        int components = block.Shape[1];
        for (int to = 0; to < components; to++)
            table.Add(snapshot.ComponentIds[to],
                [.. Enumerable.Range(0, block.Shape[0])
                    .Select(from => values[from * components + to].ToString("F4", CultureInfo.InvariantCulture))]);
        table.Write(console);
        console.WriteLine("  probability of the column given the component of the row");
    }

    /// <summary>The values that each feature has of a component.</summary>
    private static void PerFeature(ModelSnapshot snapshot, VectorBlock block, int component, IAnsiConsole console)
    {
        int each = block.ValuesPerFeature, features = block.Shape[^2], shown = Math.Min(MaxFeatures, features);
        double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).Slice(component * features * each, features * each).ToArray();
        string of = block.Shape.Count > 2 ? $" of {snapshot.ComponentIds[component]}" : "";
        var table = new ColumnBands(
            block.Name + of,
            [.. Enumerable.Range(0, shown).Select(at => FeatureText.Name(snapshot.Space.Features[block.Features?[at] ?? at]))]);
        for (int value = 0; value < each; value++)
            table.Add(string.Create(CultureInfo.InvariantCulture, $"{value + 1}"),
                [.. Enumerable.Range(0, shown).Select(at => values[at * each + value].ToString("G4", CultureInfo.InvariantCulture))]);
        table.Write(console);
        if (shown < features) console.WriteLine($"  {features - shown} more features");
    }

    /// <summary>The options that are something.</summary>
    private static IEnumerable<string> Settings(ModelSnapshot snapshot) =>
        snapshot.Options.Settings.Where(setting => setting.Value is not ("null" or "none" or "[]"))
            .Select(setting => $"{setting.Key} {setting.Value}");

    /// <summary>The parameters, block by block.</summary>
    private static Table Blocks(ModelSnapshot snapshot)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("parameter").AddColumn("values");
        foreach (VectorBlock block in snapshot.Layout.Blocks.Where(block => block.Entries is null))
        {
            double[] values = block.Of((ReadOnlySpan<double>)snapshot.Parameters).ToArray();
            string text = string.Join("  ", values.Take(MaxValues).Select(value => value.ToString("G5", CultureInfo.InvariantCulture)));
            table.AddRow(Markup.Escape(block.ToString()), Markup.Escape(values.Length > MaxValues ? $"{text} ..." : text));
        }

        return table;
    }
}
