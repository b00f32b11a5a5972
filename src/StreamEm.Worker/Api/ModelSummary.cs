using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Display;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>One model of <c>GET /v1/models</c>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">Its type in the catalogue.</param>
/// <param name="Status">waiting, warming_up, learning, paused, finished, stopped or failed.</param>
/// <param name="Version">The newest version; 0 before the first.</param>
/// <param name="PinnedVersion">The version that is served and published whatever is learned; nothing for the newest.</param>
/// <param name="Updates">Updates so far.</param>
/// <param name="Records">Records learned from.</param>
/// <param name="Unlearned">Records taken and not learned from: without weight or value, impossible under the model, or held back.</param>
/// <param name="Bounded">Of these, records held back because they were too far from every component.</param>
/// <param name="RecordsPending">Records taken and not learned from yet.</param>
/// <param name="RecordsRejected">Records that could not be used, by reason.</param>
/// <param name="RecordsFiltered">Records passed over since the start because <c>where</c> is not about them; nothing without.</param>
/// <param name="FieldsUnread">Records used without their key or time, which could not be read, by field.</param>
/// <param name="RecordsSkipped">Records that were gone before they were read; null where the source cannot tell.</param>
/// <param name="SourceLag">Records in the source that were not read yet; null where the source cannot tell.</param>
/// <param name="MeanLogLikelihood">Of the last minibatch before its update, nats per record.</param>
/// <param name="RunningMeanLogLikelihood">The same over all records since the parameters began.</param>
/// <param name="StepSize">gamma of the last update.</param>
/// <param name="EffectiveRecords">n_eff: the number of records the parameters' precision is worth.</param>
/// <param name="RunId">Identity of the run.</param>
/// <param name="UpdatedAt">When the newest version was made.</param>
/// <param name="Progress">While warming up: how full the buffer is.</param>
/// <param name="Alarms">Where its alarms stand; nothing where none are raised.</param>
/// <param name="ScaleOut">This worker's part where several learn the model; nothing where it learns alone.</param>
/// <param name="Problem">Why it failed or is not ready.</param>
/// <param name="Warnings">What a person should know.</param>
/// <param name="Events">What happened to components lately: born, died, reseeded, floored.</param>
/// <param name="Candidates">Models with other numbers of components that learn the same stream, the best first; nothing without.</param>
internal sealed record ModelSummary(
    string Id, string Type, string Status, long Version, long? PinnedVersion, long Updates, long Records, long Unlearned, long Bounded,
    long RecordsPending, IReadOnlyDictionary<string, long> RecordsRejected, long? RecordsFiltered,
    IReadOnlyDictionary<string, long> FieldsUnread,
    long? RecordsSkipped, long? SourceLag, double? MeanLogLikelihood, double? RunningMeanLogLikelihood, double? StepSize,
    double? EffectiveRecords, string? RunId, DateTimeOffset? UpdatedAt,
    WarmUp? Progress, AlarmSummary? Alarms, ScaleOutSummary? ScaleOut, string? Problem, IReadOnlyList<string> Warnings,
    IReadOnlyList<EventSummary> Events, IReadOnlyList<CandidateSummary>? Candidates)
{
    public static ModelSummary Of(ModelPipeline model)
    {
        SnapshotDocument? latest = model.Feed.Latest;
        var training = latest?.Snapshot.Training;
        ModelState state = model.State;
        IReadOnlyList<PartitionProgress>? partitions = model.Progress?.Partitions;
        return new ModelSummary(
            model.Options.Id,
            model.Options.Model.Type,
            SnakeCase.Of(state),
            latest?.Version ?? 0,
            model.Feed.Pinned?.Version,
            training?.Updates ?? 0,
            training?.Records ?? 0,
            training?.Unlearned ?? 0,
            training?.Bounded ?? 0,
            model.Metrics.Pending,
            Enum.GetValues<RejectionReason>().Select(reason => (Reason: reason, Count: model.Metrics.Rejected(reason)))
                .Where(pair => pair.Count > 0)
                .ToDictionary(pair => SnakeCase.Of(pair.Reason), pair => pair.Count, StringComparer.Ordinal),
            model.Options.Schema.Where is null ? null : model.FilteredOut,
            new[] { ("key", model.Metrics.UnreadKeys), ("timestamp", model.Metrics.UnreadTimestamps) }.Where(field => field.Item2 > 0)
                .ToDictionary(field => field.Item1, field => field.Item2, StringComparer.Ordinal),
            partitions?.Sum(partition => partition.Skipped),
            partitions is { Count: > 0 } ? partitions.Sum(partition => partition.Lag) : null,
            Finite(training?.MeanLogLikelihood),
            Finite(training?.RunningMeanLogLikelihood),
            training?.LastStepSize,
            Finite(training?.EffectiveRecords),
            latest?.Snapshot.RunId,
            latest?.Snapshot.CreatedAt,
            state == ModelState.WarmingUp ? new WarmUp(model.Metrics.Pending, model.Options.Learning.Initialization.Buffer) : null,
            model.Metrics.Alarms is { } alarms ? new AlarmSummary(alarms.Raised, alarms.Cleared, alarms.Lasting) : null,
            model.Options.ScaleOut is null ? null : ScaleOutSummary.Of(model.Metrics),
            model.Obstacle?.Text,
            [.. (training?.Warnings ?? []).Select(warning => warning.Text).Append(model.Rejecting).OfType<string>(),
                .. (model.Source?.SetAside ?? []).Select(part => part.Reason)],
            [.. (latest?.Snapshot.Events ?? []).Select(EventSummary.Of)],
            latest?.Snapshot.Candidates is { Count: > 0 } candidates
                ? [.. candidates.Where(candidate => candidate.Rank > 0).OrderBy(candidate => candidate.Rank).Select(CandidateSummary.Of)]
                : null);
    }

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>Something that happened to a component.</summary>
/// <param name="Event">born, died, reseeded or floored.</param>
/// <param name="Component">The component's id; nothing for all of them.</param>
/// <param name="Version">With which version it began.</param>
/// <param name="Until">The last version with it.</param>
/// <param name="Count">In how many updates.</param>
internal sealed record EventSummary(string Event, string? Component, long Version, long Until, long Count)
{
    public static EventSummary Of(ComponentEvent item) =>
        new(SnakeCase.Of(item.Kind), item.Component, item.Version, item.Until, item.Count);
}

/// <summary>A model with another number of components that learns the same stream.</summary>
/// <param name="Components">Its number of components, or states.</param>
/// <param name="Rank">1 for the best.</param>
/// <param name="MeanLogLikelihood">Test-then-train, nats per record.</param>
/// <param name="Records">Records that is of.</param>
internal sealed record CandidateSummary(int Components, int Rank, double MeanLogLikelihood, long Records)
{
    public static CandidateSummary Of(CandidateStanding item) =>
        new(item.Components, item.Rank, item.MeanLogLikelihood, item.Records);
}

/// <summary>Where the alarms of a model stand.</summary>
/// <param name="Raised">Raised, over the whole run.</param>
/// <param name="Cleared">Ended, over the whole run.</param>
/// <param name="Active">Keys whose alarm lasts.</param>
internal sealed record AlarmSummary(long Raised, long Cleared, int Active);

/// <summary>This worker's part in a model that several workers learn.</summary>
/// <param name="Partitions">Partitions of the source that it works on.</param>
/// <param name="Folds">Whether it folds the statistics of all.</param>
/// <param name="Staleness">How late its last minibatches came into the model; nothing before the first.</param>
internal sealed record ScaleOutSummary(int Partitions, bool Folds, StalenessSummary? Staleness)
{
    public static ScaleOutSummary Of(ModelMetrics metrics) => new(metrics.Partitions, metrics.IsReducer,
        metrics.Lateness.Summary is { } late ? new StalenessSummary(late.Minibatches, late.Mean, late.Max) : null);
}

/// <summary>Versions made between the parameters that a minibatch was computed under and the first state with it in.</summary>
/// <param name="Minibatches">Of the last 256 of this worker, how many there were.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Max">The largest.</param>
internal sealed record StalenessSummary(int Minibatches, double Mean, long Max);

/// <summary>How full the buffer for the initialisation is.</summary>
/// <param name="Records">Records in it.</param>
/// <param name="Needed">Records it takes.</param>
internal sealed record WarmUp(long Records, long Needed);

/// <summary>One version of <c>GET /v1/models/{id}/snapshots</c>.</summary>
/// <param name="Version">The version.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Records">Records learned from.</param>
/// <param name="MeanLogLikelihood">Of its minibatch before the update, nats per record.</param>
/// <param name="RunningMeanLogLikelihood">The same over all records since the parameters began.</param>
/// <param name="StepSize">gamma of the update.</param>
/// <param name="Energy">E_q[log p(x, z)] of the minibatch, nats per record.</param>
/// <param name="Entropy">H(q) of the minibatch, nats per record.</param>
/// <param name="Components">With <c>?components=true</c> how much of the stream each component accounts for, by its id.</param>
/// <param name="Archived">Whether it is kept in the state directory and outlasts the worker; of such a one less is told.</param>
internal sealed record VersionSummary(
    long Version, DateTimeOffset CreatedAt, long Records, double? MeanLogLikelihood, double? RunningMeanLogLikelihood = null,
    double? StepSize = null, double? Energy = null, double? Entropy = null, IReadOnlyDictionary<string, double>? Components = null,
    bool Archived = false)
{
    public static VersionSummary Of(SnapshotDocument document, bool withComponents)
    {
        ModelSnapshot snapshot = document.Snapshot;
        TrainingReport training = snapshot.Training;
        return new VersionSummary(document.Version, snapshot.CreatedAt, training.Records, Finite(training.MeanLogLikelihood),
            Finite(training.RunningMeanLogLikelihood), Finite(training.LastStepSize), Finite(training.Energy), Finite(training.Entropy),
            withComponents && snapshot.Model is ComponentModel model ? SharesOf(snapshot, model) : null);
    }

    /// <summary>The versions of a model that are kept, in memory and on disk, oldest first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="after">Only those after this one.</param>
    /// <param name="withComponents">Whether to say how much of the stream each component accounts for.</param>
    public static IEnumerable<VersionSummary> AllOf(ModelPipeline model, long after, bool withComponents)
    {
        SnapshotDocument[] recent = [.. model.Feed.Versions];
        long first = recent.Length > 0 ? recent.Min(document => document.Version) : long.MaxValue;
        return model.Archived.Where(archived => archived.Version < first && archived.Version > after)
            .Select(archived => new VersionSummary(archived.Version, archived.CreatedAt, archived.Records,
                Finite(archived.MeanLogLikelihood), Archived: true))
            .Concat(recent.Where(document => document.Version > after).Select(document => Of(document, withComponents)));
    }

    private static Dictionary<string, double> SharesOf(ModelSnapshot snapshot, ComponentModel model)
    {
        double[] shares = new ComponentProfile(snapshot, model).Weights;
        return Enumerable.Range(0, shares.Length).ToDictionary(k => snapshot.ComponentIds[k], k => shares[k], StringComparer.Ordinal);
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
