using System.Text.Json;
using StreamEm.Core.Estimation;
using StreamEm.Core.Schedules;
using static StreamEm.Core.Snapshots.SnapshotReader;

namespace StreamEm.Core.Snapshots;

/// <summary>Reads a snapshot's <c>training</c>.</summary>
internal static class TrainingJson
{
    /// <summary>How a snapshot came to be.</summary>
    /// <exception cref="InvalidDataException">A member is missing, or a count is none.</exception>
    public static TrainingReport Read(JsonElement training) => new()
    {
        Recursion = Text(training, "recursion") == "statistics" ? Recursion.Statistics : Recursion.Parameters,
        StepSize = new StepSizeOptions
        {
            Kappa = Member(training, "kappa").GetDouble(),
            T0 = Member(training, "t0").GetDouble(),
            Floor = Member(training, "floor").GetDouble()
        },
        LastStepSize = Member(training, "step_size").GetDouble(),
        Updates = Count(Member(training, "updates")),
        Records = Count(Member(training, "records")),
        Unlearned = training.TryGetProperty("unlearned", out JsonElement unlearned) ? Count(unlearned) : 0,
        Bounded = training.TryGetProperty("bounded", out JsonElement bounded) ? Count(bounded) : 0,
        EffectiveRecords = NumberOrNaN(training, "effective_records"),
        MeanLogLikelihood = NumberOrNaN(training, "mean_log_likelihood"),
        RunningMeanLogLikelihood = NumberOrNaN(training, "running_mean_log_likelihood"),
        RecentMeanLogLikelihood = NumberOrNaN(training, "recent_mean_log_likelihood"),
        Energy = InGroup(training, "free_energy", "energy"),
        Entropy = InGroup(training, "free_energy", "entropy"),
        Averaged = training.TryGetProperty("averaged", out JsonElement averaged) ? Count(averaged) : 0,
        Status = Text(training, "status"),
        Warnings = Warnings(training),
    };

    private static ModelWarning[] Warnings(JsonElement training)
    {
        string?[] texts = Strings(Member(training, "warnings"));
        string?[] kinds = training.TryGetProperty("warning_kinds", out JsonElement given) ? Strings(given) : [];
        return [
            .. texts.Select((text, at) => new ModelWarning(at < kinds.Length ? KindOf(kinds[at]) : ModelWarningKind.Other, text ?? ""))];
    }

    private static ModelWarningKind KindOf(string? name) =>
        Enum.GetValues<ModelWarningKind>().FirstOrDefault(kind => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()) == name);

    private static double InGroup(JsonElement element, string group, string name) =>
        element.TryGetProperty(group, out JsonElement inner) ? NumberOrNaN(inner, name) : double.NaN;
}
