using StreamEm.Core.Data;

namespace StreamEm.Core.Models;

/// <summary>
/// The E-step under fixed parameters: immutable, so that many threads may use it at once, each with a <see cref="Workspace"/> of its own.
/// </summary>
public abstract class EStep
{
    /// <summary>Scratch memory of one thread, to be reused for every call on the same model.</summary>
    public abstract Workspace CreateWorkspace();

    /// <summary>
    /// Adds the expected sufficient statistics (weighted sums, not averages) of rows <paramref name="first"/> .. +
    /// <paramref name="count"/>. Statistics are additive: the parts of any split of the rows (of whole sequences, where there are any),
    /// summed, equal the whole.
    /// </summary>
    /// <param name="batch">The observations.</param>
    /// <param name="first">First row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="statistics">Added to, in the model's statistics layout.</param>
    /// <param name="logDensities">Overwritten: log p(x) of every row of the range in nats (in a sequence, given the rows before it);
    /// negative infinity for a row that no component can produce, which then adds nothing to the statistics; NaN for a row without any
    /// observed value, which adds nothing either.</param>
    /// <param name="workspace">From <see cref="CreateWorkspace"/>.</param>
    /// <returns>The weight of the rows that added to the statistics and their log-likelihood, labels taken into account.</returns>
    public abstract Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace);

    /// <summary>
    /// Finds the posteriors of rows, which <see cref="Accumulate"/> then takes from <see cref="Pass.Posteriors"/>: of each row alone, so
    /// that any threads may share the rows out. The result of <see cref="Accumulate"/> is the same to the bit without.
    /// </summary>
    /// <param name="batch">The observations.</param>
    /// <param name="first">First row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="posteriors">[count x <see cref="LatentModel.PosteriorLength"/>]; overwritten.</param>
    /// <param name="workspace">From <see cref="CreateWorkspace"/>.</param>
    public virtual void Infer(Minibatch batch, int first, int count, Span<double> posteriors, Workspace workspace) =>
        throw new NotSupportedException("This E-step infers rows with their statistics.");

    /// <summary>
    /// Scores rows without touching statistics: log p(x) [count] and the blocks of <see cref="LatentModel.ScoreLayout"/> [count x its
    /// length], row-major, or empty to leave them out; labels are not used. A memory in the workspace's pass is read and goes on.
    /// </summary>
    public abstract void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace);

    /// <summary>
    /// The most likely path of hidden states, given all rows of every sequence; false, and nothing done, for a model that has none.
    /// </summary>
    /// <param name="batch">Whole sequences.</param>
    /// <param name="states">The state of every row; overwritten.</param>
    /// <param name="workspace">From <see cref="CreateWorkspace"/>.</param>
    public virtual bool TryMostLikelyPaths(Minibatch batch, Span<int> states, Workspace workspace) => false;

    /// <summary>Takes the log-densities of rows with missing values as what they are among complete ones (<see cref="Pass.Comparable"/>):
    /// for models that say no more of it.</summary>
    private protected static void CompareAsTheyAre(
        Minibatch batch, int first, int count, ReadOnlySpan<double> logDensities, Workspace workspace)
    {
        if (workspace.Pass.Comparable is not { } comparable) return;
        for (int row = 0; row < count; row++)
            if (batch.Row(first + row).Contains(double.NaN)) comparable[first + row] = logDensities[row];
    }
}

/// <summary>What a number of rows said.</summary>
/// <param name="Weight">Sum of the weights of the rows used.</param>
/// <param name="LogLikelihood">Weighted sum of log p(x), or of log p(x, z) for labelled rows, over the rows used; nats.</param>
public readonly record struct Evidence(double Weight, double LogLikelihood)
{
    /// <summary>Weight of the rows that were held back, too far from every component; only where influence is bounded.</summary>
    public double Held { get; init; }

    /// <summary>Weight of the rows that are far, whether they were held back or not.</summary>
    public double Far { get; init; }

    /// <summary>Weight of the rows held back that are ten times as far as that takes.</summary>
    public double Remote { get; init; }

    /// <summary>Weighted sum over the rows of H(q), the entropy of what the E-step took the latent variables to be; nats, 0 where nothing
    /// is latent.</summary>
    public double Entropy { get; init; }

    /// <summary>
    /// Weighted sum over the rows of KL(q || p(z given x)): 0 where q is the posterior itself. With the energy, E_q[log p(x, z)]:
    /// log-likelihood = energy + entropy + divergence, of which the first two are the free energy L(q) (Neal &amp; Hinton 1998).
    /// </summary>
    public double Divergence { get; init; }

    /// <summary>All parts added.</summary>
    public static Evidence operator +(Evidence a, Evidence b) =>
        new(a.Weight + b.Weight, a.LogLikelihood + b.LogLikelihood)
        {
            Entropy = a.Entropy + b.Entropy,
            Divergence = a.Divergence + b.Divergence,
            Held = a.Held + b.Held,
            Far = a.Far + b.Far,
            Remote = a.Remote + b.Remote,
        };

    /// <summary>Nats per unit of weight; NaN when no row was used.</summary>
    public double MeanLogLikelihood => LogLikelihood / Weight;
}

/// <summary>Scratch memory of one thread; each model derives what it needs.</summary>
public abstract class Workspace
{
    /// <summary>What the E-step may know beyond rows and parameters.</summary>
    public Pass Pass { get; set; }
}
