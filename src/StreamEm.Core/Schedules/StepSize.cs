namespace StreamEm.Core.Schedules;

/// <summary>gamma_t in (0, 1] for t = 1, 2, ...: how far one minibatch moves the model.</summary>
internal abstract class StepSize
{
    /// <summary>gamma_t of update <paramref name="t"/>, counted from 1.</summary>
    public abstract double At(long t);
}
