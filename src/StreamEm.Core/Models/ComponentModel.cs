using StreamEm.Core.Data;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>
/// A model with K exchangeable components: clusters, states, experts. They have ids, may be named by labels, lose their weight, and be
/// given a new start.
/// </summary>
public abstract class ComponentModel : LatentModel
{
    /// <summary>Number of components K.</summary>
    public abstract int Components { get; }

    /// <summary>The name of the block of <see cref="LatentModel.ScoreLayout"/> that holds the probability of every component.</summary>
    public abstract string MembershipBlock { get; }

    /// <summary>
    /// The blocks of Theta that are probabilities of components, simplexes of K along the last axis: weights, transitions.
    /// </summary>
    public abstract IEnumerable<VectorBlock> MixingBlocks { get; }

    /// <summary>Whether a component that has lost its weight may start anew anywhere: not where labels say what it is.</summary>
    public virtual bool CanReseed => true;

    /// <summary>N_k [K]: the average responsibility of every component, from a minibatch's averaged statistics.</summary>
    public abstract void Masses(ReadOnlySpan<double> averages, Span<double> masses);

    /// <summary>How much of the stream each component accounts for under these parameters [K]; sums to 1.</summary>
    public abstract void Shares(ReadOnlySpan<double> parameters, Span<double> shares);

    /// <summary>
    /// Gives a component that lost its weight a new start: at <paramref name="location"/> (D values, NaN = unknown), with share 1/K and as
    /// wide as the whole model. The others keep what they are, in their proportions.
    /// </summary>
    /// <param name="parameters">Theta; changed for this component, and the others' weights scaled.</param>
    /// <param name="statistics">The running averages; this component's part replaced, the others' scaled to the mass left.</param>
    /// <param name="component">Which.</param>
    /// <param name="location">Where, inside.</param>
    public abstract void Reseed(Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location);

    /// <summary>
    /// Moves a component that has no weight to a cluster: with its mean, variances and share. The others keep what they are, in their
    /// proportions. False, and nothing changed, where the model cannot.
    /// </summary>
    /// <param name="parameters">Theta; changed for this component, and the others' weights scaled.</param>
    /// <param name="statistics">The running averages; this component's part replaced, the others' scaled to the mass left.</param>
    /// <param name="component">Which.</param>
    /// <param name="location">Mean [D], inside; NaN = unknown.</param>
    /// <param name="variances">Variances [D], inside.</param>
    /// <param name="share">Its share of the stream, below 1.</param>
    public virtual bool TryPlace(
        Span<double> parameters, Span<double> statistics, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances,
        double share) => false;

    /// <summary>Moves two equal components apart; see <see cref="Emission.Split"/>.</summary>
    /// <param name="parameters">Theta; <paramref name="other"/> is a copy of <paramref name="component"/>.</param>
    /// <param name="component">One of them.</param>
    /// <param name="other">The other.</param>
    /// <param name="units">The standard deviation of every feature that counts as narrow [D].</param>
    public abstract void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units);

    /// <summary>Mean and variance of every feature under every component [K, D], in the units of <paramref name="parameters"/>. False, and
    /// nothing written, where the family has none.</summary>
    public virtual bool TryComponentMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances) => false;

    /// <summary>E[x given z = k] and Cov[x given z = k] in the units of <paramref name="parameters"/>; NaN where there are none.</summary>
    /// <param name="parameters">Theta.</param>
    /// <param name="component">k.</param>
    /// <param name="mean">[D]; overwritten.</param>
    /// <param name="covariance">[D, D]; overwritten.</param>
    public virtual void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        mean.Fill(double.NaN);
        covariance.Fill(double.NaN);
    }

    /// <summary>KL of a component to one of another model of the same kind; see <see cref="Emission.Divergence"/>.</summary>
    /// <param name="from">Theta.</param>
    /// <param name="component">k.</param>
    /// <param name="other">The other model, over the same features.</param>
    /// <param name="to">Its parameters, in the same units.</param>
    /// <param name="reached">Its component.</param>
    public virtual double Divergence(
        ReadOnlySpan<double> from, int component, ComponentModel other, ReadOnlySpan<double> to, int reached) =>
        double.NaN;

    /// <summary>Covariance of two features within a component, where <see cref="TryComponentMoments"/> says their variances.</summary>
    public virtual double ComponentCovariance(ReadOnlySpan<double> parameters, int component, int feature, int other) => 0;

    /// <inheritdoc/>
    public override double[] Start(Minibatch buffer, ModelStart start) => start.Partition(this, buffer);

    /// <summary>Scales shares so that one of them is 1/K and all sum to 1.</summary>
    /// <param name="shares">K, sum 1; overwritten.</param>
    /// <param name="component">The one that becomes 1/K.</param>
    public static void ShareEqually(Span<double> shares, int component) => GiveShare(shares, component, 1.0 / shares.Length);

    /// <summary>Scales shares so that one of them is as given and all sum to 1.</summary>
    /// <param name="shares">K, sum 1; overwritten.</param>
    /// <param name="component">The one that is given its share.</param>
    /// <param name="share">Its share.</param>
    internal static void GiveShare(Span<double> shares, int component, double share)
    {
        double others = 1 - shares[component];
        for (int k = 0; k < shares.Length; k++) shares[k] *= (1 - share) / others;
        shares[component] = share;
    }
}
