using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What it shows of itself.</summary>
internal sealed partial class LearnerCore
{
    /// <summary>What has been learned.</summary>
    public LearnedModel CreateSnapshot(RecordSchema schema, StreamCalibration calibration, LabelNames labels, RecordIntake intake)
    {
        if (Growing is not null) return DescribeGrowing(schema, labels, intake);
        LearnedModel learned = Describe(schema, labels, intake);
        var frequent = new Minibatch(Space.Dimension);
        calibration.CopyFrequent(frequent);
        if (frequent.Count == 0) return learned with { Calibration = calibration.Calibrate() };
        // As the snapshot's readers will score them.
        double[] logDensities = new double[frequent.Count], comparable = new double[frequent.Count],
            scores = new double[frequent.Count * _model.ScoreLayout.Length];
        EStep eStep = new Scorer(learned).EStep;
        Workspace workspace = eStep.CreateWorkspace();
        workspace.Pass = new Pass(null, Comparable: comparable);
        eStep.Score(frequent, 0, frequent.Count, logDensities, scores, workspace);
        return learned with { Calibration = calibration.Calibrate(logDensities, comparable) };
    }

    private LearnedModel Describe(RecordSchema schema, LabelNames labels, RecordIntake intake)
    {
        double[] parameters = InUserUnits(State.Parameters);
        int components = (_model as ComponentModel)?.Components ?? 0;
        return new LearnedModel
        {
            Options = _modelOptions,
            Schema = schema,
            Version = State.Updates,
            Space = Space,
            Model = _model,
            Parameters = parameters,
            ComponentIds = Ids.Texts,
            Labels = labels.OfComponents(_model.Classes, components),
            ComponentStatus = LearnerWarnings.ComponentStatus(State.Events, components),
            Events = Health.Events.All,
            Intervals = Intervals?.Report(Space),
            AveragedParameters = Health.Average is { } average ? InUserUnits(average) : null,
            Training = Report(labels, intake),
        };
    }

    private TrainingReport Report(LabelNames labels, RecordIntake intake) => new TrainingReport
    {
        Recursion = _options.Recursion,
        StepSize = _options.StepSize,
        LastStepSize = State.LastStepSize,
        Updates = State.Updates,
        Records = State.Rows - State.Unlearned,
        Unlearned = State.Unlearned,
        Bounded = State.Bounded,
        EffectiveRecords = State.EffectiveRows,
        MeanLogLikelihood = _meanLogLikelihood,
        RunningMeanLogLikelihood = Health.Likelihood.Mean,
        RecentMeanLogLikelihood = Health.Likelihood.Recent,
        Energy = _meanLogLikelihood - Health.Latent.Entropy - Health.Latent.Divergence,
        Entropy = Health.Latent.Entropy,
        Averaged = Health.Averaged,
        Status = State.BarrenUpdates > 0 || Guard is { IsBlinded: true } or { WaitingShare: > 0 } || Guard?.TooSmall.Any() == true
            ? TrainingReport.Degenerate : TrainingReport.Ok,
        Warnings = new LearnerWarnings(_options, _model, Space, State)
        {
            AbsentFeatures = _absentFeatures,
            BufferedRecords = _bufferedRecords,
            Impossible = _impossible,
            Guard = Guard,
            Intervals = Intervals,
            Happened = Happened,
            Likelihood = Health.Likelihood,
        }.Of(labels, intake, Cut),
    };

    private double[] InUserUnits(double[] inside)
    {
        double[] result = new double[inside.Length];
        _model.ToUserUnits(inside, Space, result);
        return result;
    }
}
