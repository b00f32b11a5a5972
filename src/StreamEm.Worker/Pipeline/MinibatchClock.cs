using StreamEm.Core.Learning;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// How long the oldest record that has not been learned from has waited: against <c>minibatch.max_wait</c> or, before there are parameters,
/// against <c>initialization.max_wait</c>, and then only once there are records enough to find some in. Sources that end by themselves need
/// no clock.
/// </summary>
internal sealed class MinibatchClock(ModelOptions options, TimeProvider time)
{
    private long? _since;
    private bool _isLearning, _isEnough;

    /// <summary>Whether it has waited too long.</summary>
    public bool IsOverdue => Remaining is { } remaining && remaining <= TimeSpan.Zero;

    /// <summary>How long it may still wait; null when nothing waits, it is too little to learn from, or waiting has no limit.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (MaxWait is not { } limit || _since is not { } since || !_isEnough) return null;
            TimeSpan left = limit - time.GetElapsedTime(since);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private TimeSpan? MaxWait =>
        options.IsFinite ? null : _isLearning ? options.MinibatchMaxWait : options.InitializationMaxWait;

    /// <summary>Looks at what waits; after an update those are new records.</summary>
    public void Pending(Learner learner, bool hasUpdated)
    {
        _isLearning = learner.Status == LearnerStatus.Learning;
        _isEnough = _isLearning || learner.Pending >= options.LeastRowsToStart;
        if (learner.Pending == 0) _since = null;
        else if (_since is null || hasUpdated) _since = time.GetTimestamp();
    }
}
