namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// When a checkpoint is due: after so many updates or so much time, whichever comes first, if anything has changed since the one before.
/// </summary>
/// <param name="options">How many and how much.</param>
/// <param name="time">The clock.</param>
/// <param name="updates">Updates in the state that is kept already.</param>
internal sealed class CheckpointSchedule(CheckpointOptions options, TimeProvider time, long updates)
{
    private long _updates = updates, _updatesKept = updates;
    private long _begun = time.GetTimestamp();
    private bool _isDemanded;

    /// <summary>Whether the state is not what was kept last.</summary>
    public bool HasChanged { get; private set; }

    /// <summary>How long until one is due if no update comes.</summary>
    public TimeSpan Remaining
    {
        get
        {
            TimeSpan left = options.Every - time.GetElapsedTime(_begun);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Whether one is due of a state that has changed.</summary>
    public bool IsDue => _isDemanded || _updates - _updatesKept >= options.EveryUpdates || Remaining == TimeSpan.Zero;

    /// <summary>Says that the state has changed.</summary>
    public void Changed(long updates)
    {
        _updates = updates;
        HasChanged = true;
    }

    /// <summary>Makes one due.</summary>
    public void Demand() => HasChanged = _isDemanded = true;

    /// <summary>Says that one is being made of the state as it is.</summary>
    public void Begun()
    {
        _updatesKept = _updates;
        _begun = time.GetTimestamp();
        HasChanged = _isDemanded = false;
    }
}
