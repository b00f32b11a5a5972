using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// When a checkpoint is due: after so many updates or so much time, whichever comes first, if anything has changed. While one is being
/// written the next one waits.
/// </summary>
internal sealed class CheckpointSchedule(CheckpointOptions options, CheckpointWriter writer, TimeProvider time, Func<Checkpoint> capture, RejectionSink rejected, long updates)
{
    private long _updates = updates, _updatesWritten = updates;
    private long _begun = time.GetTimestamp();
    private bool _hasChanged, _isDemanded;

    /// <summary>Ends when the checkpoint being written is done; faulted when it could not be made durable.</summary>
    public Task InFlight => writer.InFlight;

    /// <summary>How long until the next one is due if no update comes; null when nothing has changed, or one is being written.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (!IsNeeded || writer.IsBusy) return null;
            TimeSpan left = options.Every - time.GetElapsedTime(_begun);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Whether the newest durable checkpoint is behind the state.</summary>
    private bool IsNeeded => _hasChanged || writer.Failure is not null;

    /// <summary>Says that the state has changed.</summary>
    public void Changed(long updates)
    {
        _updates = updates;
        _hasChanged = true;
    }

    /// <summary>Makes a checkpoint due.</summary>
    public void Demand() => _hasChanged = _isDemanded = true;

    /// <summary>Starts writing one if it is due and none is being written.</summary>
    public void BeginIfDue(bool isUrgent)
    {
        if (!IsNeeded || writer.IsBusy) return;
        if (_isDemanded || isUrgent || _updates - _updatesWritten >= options.EveryUpdates || Remaining <= TimeSpan.Zero) Begin();
    }

    /// <summary>Waits for the one being written, then writes one if anything has changed since, and waits for it.</summary>
    /// <exception cref="CommandException">It could not be made durable (74).</exception>
    public void WriteNow()
    {
        writer.InFlight.GetAwaiter().GetResult();
        if (!IsNeeded) return;
        Begin();
        writer.InFlight.GetAwaiter().GetResult();
        if (writer.Failure is { } failure)
            throw new CommandException(ExitCode.InputOutput, $"The last checkpoint could not be written: {failure}. The one before is intact; make room in the state directory.");
    }

    private void Begin()
    {
        rejected.Flush();
        writer.Begin(capture(), () => rejected.MakeDurable());
        _updatesWritten = _updates;
        _begun = time.GetTimestamp();
        _hasChanged = _isDemanded = false;
    }
}
