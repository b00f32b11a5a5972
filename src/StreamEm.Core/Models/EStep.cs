namespace StreamEm.Core.Models;

/// <summary>
/// The E-step under fixed parameters: immutable, so that many threads may use it at once, each with a <see cref="Workspace"/> of its own.
/// </summary>
public abstract class EStep
{
    /// <summary>Scratch memory of one thread, to be reused for every call on the same model.</summary>
    public abstract Workspace CreateWorkspace();

    /// <summary>
    /// Adds the expected sufficient statistics (weighted sums, not averages) of rows <paramref name="first"/> .. + <paramref name="count"/>.
    /// Statistics are additive: the parts of any split of the rows, summed, equal the whole.
    /// </summary>
    /// <param name="batch">The observations.</param>
    /// <param name="first">First row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="statistics">Added to, in the model's statistics layout.</param>
    /// <param name="logDensities">Overwritten: log p(x) of every row of the range in nats; negative infinity for a row that no component can produce,
    /// which then adds nothing to the statistics; 0 for a row without any observed value, which adds nothing either.</param>
    /// <param name="workspace">From <see cref="CreateWorkspace"/>.</param>
    public abstract void Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace);

    /// <summary>
    /// Scores rows without touching statistics: log p(x) [count] and responsibilities [count x K], row-major; labels are not used.
    /// </summary>
    public abstract void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> responsibilities, Workspace workspace);
}

/// <summary>Scratch memory of one thread; each model derives what it needs.</summary>
public abstract class Workspace;
