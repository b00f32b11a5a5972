namespace StreamEm.Worker.Pipeline;

/// <summary>How long the oldest record that has not been learned from has waited, against <c>minibatch.max_wait</c>.</summary>
internal sealed class MinibatchClock(TimeSpan? maxWait, TimeProvider time)
{
    private long? _since;

    /// <summary>Whether it has waited too long.</summary>
    public bool IsOverdue => Remaining is { } remaining && remaining <= TimeSpan.Zero;

    /// <summary>How long it may still wait; null when nothing waits or waiting has no limit.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (maxWait is null || _since is null) return null;
            TimeSpan left = maxWait.Value - time.GetElapsedTime(_since.Value);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Says how many records wait; after an update those are new ones.</summary>
    public void Pending(int count, bool hasUpdated)
    {
        if (maxWait is null) return;
        if (count == 0) _since = null;
        else if (_since is null || hasUpdated) _since = time.GetTimestamp();
    }
}
