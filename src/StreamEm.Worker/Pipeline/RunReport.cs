using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>Tells where a run stands: in metrics, in the log, and as a state. Told by the learner's thread, read by any.</summary>
internal sealed class RunReport(ModelContext context, RunState run)
{
    private readonly ProgressLog _progress = new(context.Options, context.Time, context.Log);
    private volatile ModelState _state;
    private volatile string? _rejecting;

    /// <summary>Where the model stands.</summary>
    public ModelState State => _state;

    /// <summary>
    /// What is said of too large a share of rejected records while a source that takes them from clients goes on; null when all is well.
    /// </summary>
    public string? Rejecting => _rejecting;

    /// <summary>Tells where the model stands.</summary>
    public void Tell()
    {
        context.Metrics.Records = run.Rejections.Read - run.Rejections.Rejected;
        context.Metrics.Pending = run.Learner.Pending;
        context.Metrics.FilteredOut = run.Rejections.FilteredOut;
        context.Metrics.Keys = run.Keyed?.Counts;
        _progress.Tell(run.Learner);
        UnreadFields.Tell(context, run.Rejections);
        foreach (RejectionReason reason in Enum.GetValues<RejectionReason>()) context.Metrics.SetRejected(reason, run.Rejections[reason]);
        _state = run.Learner.Status switch
        {
            _ when run.IsPaused => ModelState.Paused,
            LearnerStatus.Waiting => ModelState.Waiting,
            LearnerStatus.WarmingUp => ModelState.WarmingUp,
            _ => ModelState.Learning,
        };
    }

    /// <summary>Looks at the share of records that clients sent and that cannot be used.</summary>
    public void LookAtRejections()
    {
        string? excess = run.Rejections.Excess(context.Options.Rejected.StopAboveRatio, atEnd: false);
        if (excess is not null && _rejecting is null) WorkerLog.TooManyRejected(context.Log, context.Options.Id, excess);
        else if (excess is null && _rejecting is not null) WorkerLog.FewRejected(context.Log, context.Options.Id);
        _rejecting = excess;
    }
}
