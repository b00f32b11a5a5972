namespace StreamEm.Core.Schedules;

/// <summary>gamma_t in (0, 1] for t = 1, 2, ...: how far one minibatch moves the model.</summary>
internal abstract class StepSize
{
    /// <summary>gamma_t of update <paramref name="t"/>, counted from 1.</summary>
    public abstract double At(long t);

    /// <summary>The same of an update that is worth only a share of one.</summary>
    /// <param name="t">The update.</param>
    /// <param name="share">In [0, 1].</param>
    public virtual double At(long t, double share) => share * At(t);
}
