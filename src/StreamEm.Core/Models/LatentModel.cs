using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>
/// The E-step and M-step of one latent variable model: an immutable description over flat vectors with named layouts. The engine moves the
/// vectors and knows no model; a model knows neither stream, step size, clock nor thread.
/// <code>
/// EStep eStep = model.Prepare(parameters);                     // factor covariances once; immutable, thread-safe
/// eStep.Accumulate(batch, 0, n, statistics, logDensities, w);  // adds expected sufficient statistics (sums)
/// model.Maximize(averages, rows, previous, result, events);    // argmax Q; a part with no evidence keeps `previous`
/// </code>
/// Models that fit here without touching the engine: mixtures over any <see cref="Emission"/>; a hidden Markov model (its E-step reads
/// <see cref="Minibatch.SequenceStarts"/> and calls the same two emission methods round its forward-backward pass); a mixture of experts
/// (<see cref="Minibatch.Targets"/>, the gate's current value travels in the statistics); PPCA and factor analysis (an emission whose
/// statistics are those of the augmented latent vector); LDA (<see cref="Minibatch.Sparse"/>).
/// </summary>
public abstract class LatentModel
{
    /// <summary>The name in the catalogue: <c>gaussian_mixture</c>.</summary>
    public abstract string Type { get; }

    /// <summary>Number of features D.</summary>
    public abstract int Dimension { get; }

    /// <summary>Number of components (states, topics, factors) K: the length of one row of responsibilities.</summary>
    public abstract int Components { get; }

    /// <summary>Named blocks of Theta. The first is <c>weights [K]</c> where the model has mixing weights.</summary>
    public abstract VectorLayout ParameterLayout { get; }

    /// <summary>Named blocks of the expected sufficient statistics.</summary>
    public abstract VectorLayout StatisticsLayout { get; }

    /// <summary>Whether the rows of a sequence must stay in one shard (<see cref="Minibatch.SequenceStarts"/>).</summary>
    public virtual bool NeedsSequences => false;

    /// <summary>Factors the parameters once for many rows; the result is immutable and may be used by many threads at once.</summary>
    /// <param name="parameters">Theta; must stay as it is as long as the result is used.</param>
    /// <param name="spent">An E-step of this model that is not used any more, whose memory may be taken over; then nothing is allocated.</param>
    /// <exception cref="ArithmeticException">A covariance is not positive definite; the message names the component and the pivot.</exception>
    public abstract EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null);

    /// <summary>
    /// argmax over Theta of Q(Theta; previous) from averaged statistics. A part of the model without evidence keeps <paramref name="previous"/>.
    /// </summary>
    /// <param name="statistics">Averages per unit of weight, in <see cref="StatisticsLayout"/>.</param>
    /// <param name="effectiveRows">The number of observations the averages stand for (n_eff), used for evidence thresholds and priors.</param>
    /// <param name="previous">Theta(t-1).</param>
    /// <param name="result">Overwritten with the maximiser; may not overlap <paramref name="previous"/>.</param>
    /// <param name="events">Degenerate cases met: floored covariances, components without evidence.</param>
    public abstract void Maximize(
        ReadOnlySpan<double> statistics, double effectiveRows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events);

    /// <summary>The averaged statistics s(0) with <c>Maximize(s(0)) = parameters</c>: where the statistics recursion starts.</summary>
    public abstract void ImpliedStatistics(ReadOnlySpan<double> parameters, Span<double> result);

    /// <summary>Valid parameters that favour no component, for standardised data: equal weights, zero means, unit covariances.</summary>
    public abstract void Neutral(Span<double> result);

    /// <summary>
    /// Gives a component without evidence a new start at <paramref name="location"/> (D values, NaN = unknown): weight 1/K, as wide as the
    /// whole model (its <see cref="Moments"/>).
    /// </summary>
    public abstract void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location);

    /// <summary>Converts parameters learned on standardised features to the user's units.</summary>
    public abstract void ToUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result);

    /// <summary>The inverse of <see cref="ToUserUnits"/>.</summary>
    /// <exception cref="ArgumentException">The parameters are not of this model (weights off the simplex, a covariance not symmetric ...).</exception>
    public abstract void FromUserUnits(ReadOnlySpan<double> parameters, Standardization standardization, Span<double> result);

    /// <summary>Mean and variance of every feature under the model, in the units of <paramref name="parameters"/>: what standardises data when
    /// learning starts from given parameters.</summary>
    public abstract void Moments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance);

    /// <summary>What a person should know of these parameters, in their units: the smallest eigenvalue of a covariance; NaN where there is none.</summary>
    public abstract double MinCovarianceEigenvalue(ReadOnlySpan<double> parameters);
}
