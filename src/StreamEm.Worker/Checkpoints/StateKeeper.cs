using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// Keeps the state of one model: captures it when a checkpoint is due and has it written beside the learner, after the rejected records
/// before it. While one is being written the next one waits. Used by the learner's thread.
/// </summary>
/// <param name="schedule">When one is due.</param>
/// <param name="writer">Writes it.</param>
/// <param name="rejected">What has to be durable before it.</param>
/// <param name="capture">Makes it of the state as it is.</param>
internal sealed class StateKeeper(CheckpointSchedule schedule, CheckpointWriter writer, RejectionSink rejected, Func<Checkpoint> capture)
{
    /// <summary>What has to be durable before it too, on the writing thread; null for nothing.</summary>
    public Action? MakeDurable { get; init; }

    /// <summary>Ends when the checkpoint being written is done; faulted when it could not be made durable.</summary>
    public Task InFlight => writer.InFlight;

    /// <summary>How long until the next one is due if no update comes; null when nothing has changed, or one is being written.</summary>
    public TimeSpan? Remaining => writer.IsBusy || !IsBehind ? null : schedule.Remaining;

    /// <summary>Whether the newest durable checkpoint is behind the state.</summary>
    private bool IsBehind => schedule.HasChanged || writer.Obstacle is not null;

    /// <summary>Says that the state has changed.</summary>
    public void Changed(long updates) => schedule.Changed(updates);

    /// <summary>Makes a checkpoint due.</summary>
    public void Demand() => schedule.Demand();

    /// <summary>Starts writing one if it is due, or wanted now and anything has changed, and none is being written.</summary>
    public void KeepIfDue(bool isUrgent)
    {
        if (!writer.IsBusy && IsBehind && (isUrgent || schedule.IsDue)) Begin();
    }

    /// <summary>Waits for the one being written, then writes one if anything has changed since, and waits for it.</summary>
    /// <exception cref="CommandException">It could not be made durable (74).</exception>
    public void KeepNow()
    {
        if (!TryKeepNow())
            throw new CommandException(ExitCode.InputOutput,
                $"The last checkpoint could not be written: {writer.Obstacle?.Text}. The one before is intact; make room in the state "
                    + "directory.");
    }

    /// <summary>As <see cref="KeepNow"/>, but a full disk is no failure.</summary>
    /// <returns>False when the disk is full.</returns>
    /// <exception cref="CommandException">It could not be made durable for another reason (74).</exception>
    public bool TryKeepNow()
    {
        writer.InFlight.GetAwaiter().GetResult();
        if (!IsBehind) return true;
        Begin();
        writer.InFlight.GetAwaiter().GetResult();
        return writer.Obstacle is null;
    }

    private void Begin()
    {
        rejected.Flush();
        writer.Begin(capture(), () =>
        {
            rejected.MakeDurable();
            MakeDurable?.Invoke();
        });
        schedule.Begun();
    }
}
