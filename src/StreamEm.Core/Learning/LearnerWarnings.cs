using System.Globalization;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What a learner says to a person of where it stands.</summary>
internal sealed class LearnerWarnings(LearningOptions options, LatentModel model, FeatureSpace space, StepwiseState state)
{
    /// <summary>Updates for which something that happened is told.</summary>
    private const int ToldFor = 50;

    /// <summary>Features that had no value in the buffer.</summary>
    public required int[] AbsentFeatures { get; init; }

    /// <summary>Records of the buffer.</summary>
    public required int BufferedRecords { get; init; }

    /// <summary>Records that no component can produce.</summary>
    public required long Impossible { get; init; }

    /// <summary>What holds records back.</summary>
    public required StreamGuard? Guard { get; init; }

    /// <summary>What happened lately.</summary>
    public required LearnerEvents Happened { get; init; }

    /// <summary>How likely the stream was.</summary>
    public required LikelihoodWatch Likelihood { get; init; }

    /// <summary>How sure the parameters are; null where nobody asked.</summary>
    public required IntervalWatch? Intervals { get; init; }

    /// <summary>What the last update met, by component.</summary>
    public static string[] ComponentStatus(ModelEvents events, int components)
    {
        string[] status = new string[components];
        Array.Fill(status, "ok");
        foreach (ModelEvent item in events.All)
        {
            string name = item.Kind switch
            {
                ModelEventKind.NoEvidence => "no_evidence",
                ModelEventKind.CovarianceFloored => "covariance_floored",
                ModelEventKind.Reseeded => "reseeded",
                _ => "dead",
            };
            if (item.Component >= 0) status[item.Component] = name;
            else Array.Fill(status, name);
        }
        return status;
    }

    /// <summary>All that is to be said now.</summary>
    public List<ModelWarning> Of(LabelNames labels, RecordIntake intake, MinibatchCut cut)
    {
        var warnings = new List<ModelWarning>();
        void Warn(ModelWarningKind kind, string text, string subject = "") => warnings.Add(new ModelWarning(kind, text, subject));
        static string Short(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
        foreach (int feature in AbsentFeatures)
            Warn(ModelWarningKind.AbsentFeature,
                $"feature '{space.Features[feature].Name}' had no value in any of the first {BufferedRecords} records, so nothing is "
                    + $"known of its location and scale. Check its name, or leave it out.", space.Features[feature].Name);
        string bias = model.ParameterLayout.Blocks.Any(block => block.Name.EndsWith("covariances", StringComparison.Ordinal))
            ? "shrinks that component's covariance"
            : "biases that component's parameters";
        double smallest = state.Shares.Length == 0 ? 1 : state.Shares.Min();
        if (options.Recursion == Recursion.Parameters && state.Shares.Length > 1 && options.MinibatchSize * smallest < 20)
            Warn(ModelWarningKind.SmallMinibatch,
                $"minibatch size {options.MinibatchSize} x smallest weight {Short(smallest)} = "
                    + $"{Short(options.MinibatchSize * smallest)} rows, "
                    + $"below 20: the parameter recursion {bias}. Use larger minibatches or recursion: statistics.");
        if (Impossible > 0)
            Warn(ModelWarningKind.ImpossibleRecords, $"{Impossible} record(s) were too far from every component to be learned from.");
        if (Intervals is { IsTooLarge: true })
            Warn(ModelWarningKind.TooManyForIntervals,
                $"there are more than {ParameterIntervals.MostFree} free parameters, of which no intervals are made. Use fewer components "
                    + "or levels, or leave intervals out.");
        if (state.BarrenUpdates > 0)
            Warn(ModelWarningKind.NothingLearned,
                $"no record of the last {state.BarrenUpdates} minibatch(es) could be learned from: the parameters are not moving. Look at "
                    + "the records' units, or start anew.");
        else if (Guard is { IsBlinded: true })
            Warn(ModelWarningKind.NothingLearned,
                "most records of the last minibatch are too far from every component and were not learned from. When they keep coming, the "
                    + "model starts anew with them; if they should be ordinary, look at the records' units.");
        foreach (int feature in Guard?.TooSmall ?? [])
            Warn(ModelWarningKind.SpreadTooSmall,
                $"feature '{space.Features[feature].Name}' varies by less than {Short(FeatureStatistics.LeastSpread)}, whose square is no "
                    + "number, so its spread is not learned. Use larger units, or leave it out.", space.Features[feature].Name);
        if (Likelihood.FellWith > 0) warnings.Add(Fallen());
        foreach (IGrouping<int, TiedValue> ties in (Guard?.Ties ?? []).GroupBy(tie => tie.Feature))
            Warn(ModelWarningKind.TiedValues,
                $"feature '{space.Features[ties.Key].Name}' held the same number, far from all others, in {ties.Sum(tie => tie.Rows)} "
                    + "record(s), which were not learned from. If it stands for a missing value, name it in missing_values; if it is a "
                    + "measurement, set learn: always.", space.Features[ties.Key].Name);
        if (Guard is { WaitingShare: > 0 and var waiting })
            Warn(ModelWarningKind.ClusterHeld,
                $"about {Short(100 * waiting)} % of the records are near each other and too far from every component; they are not learned "
                    + "from, for no component can be spared for them. Give the model one component more: --accept-model-change keeps what "
                    + "it has learned.");
        foreach (LearnerEvent item in Happened.All)
            if (state.Updates - item.Update < ToldFor) warnings.Add(Told(item));
        if (labels.Unknown > 0)
            Warn(ModelWarningKind.UnknownLabels, $"{labels.Unknown} label(s) were ignored: {WhyUnknown(labels)}.");
        foreach ((int feature, long unknown) in intake.Unknown)
            if (unknown > 0)
                Warn(ModelWarningKind.UnknownLevels,
                    $"feature '{space.Features[feature].Name}' held {unknown} value(s) that are none of its "
                        + $"{space.Features[feature].Levels.Count} levels; they count as missing. Use a larger initialization.buffer or "
                        + "max_levels.", space.Features[feature].Name);
        if (cut.Eviction is { } eviction) Warn(ModelWarningKind.EvictedKeys, eviction);
        return warnings;
    }

    private string WhyUnknown(LabelNames labels) => labels.AreClasses
        ? $"they name none of the {model.Classes.Count} classes there were when learning started. List them in classes, or use a larger "
            + "initialization.buffer or max_classes"
        : $"all {state.Shares.Length} components already have a label";

    private ModelWarning Fallen() => new(ModelWarningKind.LogLikelihoodFell, string.Create(CultureInfo.InvariantCulture,
        $"the log-likelihood fell with update {Likelihood.FellWith}: its running mean, every minibatch under the parameters before it, "
            + $"went from {Likelihood.FellFrom:G3} to {Likelihood.FellTo:G3} nats per record. The stream has changed, or the model "
            + $"follows it too slowly: look at the source, at health.events, and at learning.step_size.floor."));

    private static ModelWarning Told(LearnerEvent item) => item.Kind switch
    {
        LearnerEventKind.StartedAnew => new ModelWarning(ModelWarningKind.StartedAnew,
            $"the parameters were initialised anew with update {item.Update}: what was learned before did not explain the records, or "
                + "the first records had all been the same."),
        LearnerEventKind.FeatureAwake => new ModelWarning(ModelWarningKind.FeatureAwake,
            $"feature '{item.Subject}' came to life with update {item.Update}: it had one value or none in the first records, and has "
                + "location and scale of its own now.", item.Subject),
        LearnerEventKind.ClusterLearned => new ModelWarning(ModelWarningKind.ClusterLearned,
            $"a component was moved with update {item.Update} to records that are near each other and were too far from every component; "
                + "where it was, another one was too."),
        LearnerEventKind.NewNormal => new ModelWarning(ModelWarningKind.ChangeLearned,
            $"records that had been kept from learning became most of the stream: they are a new normal since update {item.Update}, and "
                + "the calibration of anomaly scores began again."),
        LearnerEventKind.Drifted => new ModelWarning(ModelWarningKind.Drifted,
            $"the log-likelihood of the minibatches has been lower than before for long, noticed with update {item.Update}"
                + $"{(item.Subject.Length > 0 ? $", and component '{item.Subject}' started anew" : "")}. The stream has changed, or the "
                + "model follows it too slowly."),
        LearnerEventKind.Reverted => new ModelWarning(ModelWarningKind.Reverted,
            $"the parameters went back to those of version {item.Subject} with version {item.Update}, because somebody asked for it."),
        LearnerEventKind.Overdispersed => new ModelWarning(ModelWarningKind.Overdispersed,
            "the first records are spread wider about their components than the model says: more than 2 % are beyond 6 of its standard "
                + "deviations. They are learned from all the same. More components, or a family with a spread of its own (gaussian, "
                + "student_t; of counts that are large their logarithms), describe them better."),
        LearnerEventKind.Released => new ModelWarning(ModelWarningKind.ChangeLearned,
            $"strange records that had been kept apart are no more frequent than such records ever were: they count as normal since update "
                + $"{item.Update}."),
        _ => new ModelWarning(ModelWarningKind.ChangeLearned,
            $"records that were too far from every component kept coming and are learned from since update {item.Update}."),
    };
}
