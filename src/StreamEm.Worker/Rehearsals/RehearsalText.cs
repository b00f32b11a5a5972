using System.Globalization;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Rehearsals;

/// <summary>What <c>validate --connect --data</c> tells a person.</summary>
internal static class RehearsalText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>Tries what is outside.</summary>
    /// <returns>The exit code of the first thing that does not work; 0 when all does.</returns>
    public static async Task<int> ConnectAsync(WorkerOptions options, TextWriter output, CancellationToken stop)
    {
        await output.WriteLineAsync("\nconnections").ConfigureAwait(false);
        int code = ExitCode.Ok;
        await foreach (CheckOutcome outcome in new ConnectionCheck(options, TimeProvider.System).RunAsync(stop).ConfigureAwait(false))
        {
            string line = $"  {(outcome.Code == ExitCode.Ok ? "ok    " : "FAILED")}  {outcome.What}: {outcome.Text}";
            await output.WriteLineAsync(PrintableText.Of(line)).ConfigureAwait(false);
            if (code == ExitCode.Ok) code = outcome.Code;
        }

        return code;
    }

    /// <summary>Runs the worker for a while and tells what it takes.</summary>
    /// <returns>0; the code of a failed rehearsal else.</returns>
    public static async Task<int> RehearseAsync(
        WorkerOptions options, IReadOnlyList<string> data, TimeSpan startUp, TextWriter output, CancellationToken stop)
    {
        var rehearsal = new Rehearsal(options, data, startUp, TimeProvider.System);
        IReadOnlyList<RehearsedModel> models = await rehearsal.RunAsync(stop).ConfigureAwait(false);
        await output.WriteLineAsync($"\nrehearsal on {(data.Count == 0 ? "the models' own files" : string.Join(", ", data))}")
            .ConfigureAwait(false);
        foreach (RehearsedModel model in models)
        {
            foreach (string line in Lines(model, options.Models.First(known => known.Id == model.Id).Checkpoint.Keep))
                await output.WriteLineAsync(PrintableText.Of(line)).ConfigureAwait(false);
        }

        await output.WriteLineAsync($"  memory           {Size(rehearsal.PeakBytes)} at most, of the whole worker").ConfigureAwait(false);
        return models.Any(model => model.Failure is not null) ? ExitCode.DataCorrupt : ExitCode.Ok;
    }

    private static IEnumerable<string> Lines(RehearsedModel model, int kept)
    {
        yield return $"  model {model.Id}";
        if (model.Failure is { } failure) yield return $"    failed         {failure}";
        string ofBuffer = model.ToFirst == 0 ? ""
            : model.Records >= model.ToFirst ? Invariant($", found in the first {model.ToFirst} records")
            : Invariant($", found in all {model.Records} records; a run takes {model.ToFirst}, or learning.initialization.max_wait");
        yield return model.ToFirstVersion is { } first
            ? Invariant($"    first version  after {first.TotalSeconds:0.00} s{ofBuffer}")
            : Invariant($"    first version  none: it takes {model.ToFirst} records, or learning.initialization.max_wait");
        if (double.IsFinite(model.PerSecond)) yield return Invariant($"    speed          {model.PerSecond:N0} records a second");
        if (model.CheckpointBytes > 0)
            yield return $"    checkpoints    {Size(model.CheckpointBytes)} each, {Size((kept + 1) * model.CheckpointBytes)} kept";
        if (model.VersionBytes > 0) yield return $"    versions       {Size(model.VersionBytes)} each";
        if (model.ScoreBytes > 0) yield return $"    scores         {Size((long)(1e6 * model.ScoreBytes))} for a million records";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Size(double bytes)
    {
        int unit = 0;
        for (; bytes >= 1000 && unit < Units.Length - 1; unit++) bytes /= 1000;
        return Invariant($"{(unit == 0 ? bytes : Math.Round(bytes, bytes < 10 ? 1 : 0))} {Units[unit]}");
    }
}
