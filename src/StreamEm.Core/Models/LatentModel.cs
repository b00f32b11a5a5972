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
/// model.Summarize(averages, parameters);                       // what is not a sum: a Newton step
/// model.Maximize(averages, rows, previous, result, events);    // argmax Q; a part with no evidence keeps `previous`
/// </code>
/// A model with exchangeable components (clusters, states, experts) derives from <see cref="ComponentModel"/>, one over an
/// <see cref="Emission"/> from <see cref="EmissionModel"/>.
/// </summary>
public abstract class LatentModel
{
    /// <summary>The name in the catalogue, for messages: <c>gaussian_mixture</c>.</summary>
    public abstract string Type { get; }

    /// <summary>Number of features D.</summary>
    public abstract int Dimension { get; }

    /// <summary>Named blocks of Theta, each with its units and domain.</summary>
    public abstract VectorLayout ParameterLayout { get; }

    /// <summary>Named blocks of the expected sufficient statistics.</summary>
    public abstract VectorLayout StatisticsLayout { get; }

    /// <summary>What the model says of a row beside its log-density: named blocks, written by <see cref="EStep.Score"/>.</summary>
    public virtual VectorLayout ScoreLayout { get; } = new();

    /// <summary>The classes that the block <c>class_probabilities</c> of <see cref="ScoreLayout"/> is of; empty for a model without.
    /// </summary>
    public virtual IReadOnlyList<string> Classes => [];

    /// <summary>The classes that components are of, each of as many one after another; empty where they are of none.</summary>
    public virtual IReadOnlyList<string> ClassesOfComponents => Classes;

    /// <summary>Whether rows may be cut and mixed freely, or belong to sequences.</summary>
    public virtual RowOrder Order => RowOrder.Any;

    /// <summary>Where the model's steps are other than EM's.</summary>
    public virtual EmSteps Steps => EmSteps.Exact;

    /// <summary>The model in plate notation: by default every block of Theta, and records that depend on it.</summary>
    public virtual ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            string[] blocks = [.. ParameterLayout.Blocks.Select(block => graph.Add(block.Name))];
            graph.Add(new GraphVariable("x", GraphRole.Observed, blocks));
            return graph;
        }
    }

    /// <summary>Whether log p is a density of this feature, so that its scale changes it; false for what the model conditions on.</summary>
    public virtual bool IsDensityOf(int feature) => true;

    /// <summary>The blocks of parameters that stay what they are; see <see cref="Hold"/>.</summary>
    public IReadOnlyList<VectorBlock> FixedBlocks { get; private set; } = [];

    /// <summary>
    /// Has some blocks of parameters stay what they are. The M-step maximises over the others, given these. Once, before anything is
    /// learned.
    /// </summary>
    /// <exception cref="ArgumentException">The model has no such block; the message lists those it has.</exception>
    public virtual void Hold(BlockNames blocks)
    {
        foreach (string name in blocks.Names)
            if (!ParameterLayout.Contains(name))
                throw new ArgumentException($"fixed: {Type} has no block '{name}'; it has {ParameterLayout}", nameof(blocks));
        FixedBlocks = [.. blocks.Names.Select(name => ParameterLayout[name])];
    }

    /// <summary>Gives the blocks that stay what they are the values they had.</summary>
    /// <param name="previous">What they are.</param>
    /// <param name="result">Overwritten in their places.</param>
    protected void KeepFixed(ReadOnlySpan<double> previous, Span<double> result)
    {
        foreach (VectorBlock block in FixedBlocks) block.Of(previous).CopyTo(block.Of(result));
    }

    /// <summary>Factors the parameters once for many rows; the result is immutable and may be used by many threads at once.</summary>
    /// <param name="parameters">Theta; must stay as it is as long as the result is used.</param>
    /// <param name="spent">An E-step of this model that is not used any more, whose memory may be taken over; then nothing is
    /// allocated.</param>
    /// <exception cref="ArithmeticException">A covariance is not positive definite; the message names the component and the
    /// pivot.</exception>
    public abstract EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null);

    /// <summary>
    /// What turns averages that add up over rows into those <see cref="Maximize"/> takes, under the parameters they were taken at: gradient
    /// and Hessian into a Newton target. Called once for every minibatch, before averages of different minibatches are combined.
    /// </summary>
    /// <param name="averages">In <see cref="StatisticsLayout"/>; overwritten.</param>
    /// <param name="parameters">Theta of the E-step.</param>
    public virtual void Summarize(Span<double> averages, ReadOnlySpan<double> parameters)
    {
    }

    /// <summary>
    /// argmax over Theta of Q(Theta; previous) from averaged statistics. A part of the model without evidence keeps
    /// <paramref name="previous"/>.
    /// </summary>
    /// <param name="statistics">Averages per unit of weight, in <see cref="StatisticsLayout"/>.</param>
    /// <param name="rows">The number of observations the averages stand for, used for evidence thresholds and priors.</param>
    /// <param name="previous">Theta(t-1).</param>
    /// <param name="result">Overwritten with the maximiser; may not overlap <paramref name="previous"/>.</param>
    /// <param name="events">Degenerate cases met: floored covariances, components without evidence.</param>
    public abstract void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events);

    /// <summary>Whether <see cref="Gradient"/> can be given: where statistics are sums over rows and parameters have an interior.</summary>
    public virtual bool HasGradient => false;

    /// <summary>
    /// The gradient of Q(Theta; Theta') by Theta at Theta = Theta', without priors: that of the mean log-likelihood of the rows (Fisher's
    /// identity: Louis 1982; McLachlan &amp; Krishnan 2008, section 3.7). Every entry by itself: of a simplex as if it had no sum, of a
    /// symmetric matrix as if it had no mirror image; 0 where a probability is 0.
    /// </summary>
    /// <param name="averages">Of an E-step under <paramref name="parameters"/>, after <see cref="Summarize"/>.</param>
    /// <param name="parameters">Theta'.</param>
    /// <param name="result">In <see cref="ParameterLayout"/>; overwritten. Blocks that are constants are left as they are.</param>
    /// <exception cref="NotSupportedException">Where <see cref="HasGradient"/> says so.</exception>
    public virtual void Gradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result) =>
        throw new NotSupportedException($"{Type} has no gradient from its statistics.");

    /// <summary>The gradient by probabilities, counts over them; 0 where one is 0.</summary>
    protected static void Slopes(ReadOnlySpan<double> counts, ReadOnlySpan<double> probabilities, Span<double> result)
    {
        for (int at = 0; at < counts.Length; at++) result[at] = probabilities[at] > 0 ? counts[at] / probabilities[at] : 0;
    }

    /// <summary>
    /// How many numbers <see cref="EStep.Infer"/> finds of a row; 0 where rows are not inferred before their statistics are added. For
    /// E-steps that iterate over each row, whose minibatches are too few rows to be shared out with their statistics.
    /// </summary>
    public virtual int PosteriorLength => 0;

    /// <summary>
    /// Whether log p of a row is a lower bound of it, under a posterior of the parameters: variational Bayes. What the snapshot says of
    /// likelihoods is then <c>mean_lower_bound</c>.
    /// </summary>
    public virtual bool IsBound => false;

    /// <summary>
    /// What the bound of all data has beside the sum of its rows': minus the divergence of the parameters' posterior to their prior; nats,
    /// 0 where parameters are points. The rows' sum and this together are what an iteration never lowers.
    /// </summary>
    public virtual double ParameterBound(ReadOnlySpan<double> parameters) => 0;

    /// <summary>
    /// The averaged statistics s(0) with <c>Maximize(s(0), effectiveRows) = parameters</c>: where the statistics recursion starts.
    /// </summary>
    /// <param name="parameters">Theta.</param>
    /// <param name="effectiveRows">n_eff, at which priors weigh; infinity for none.</param>
    /// <param name="result">Overwritten.</param>
    public abstract void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result);

    /// <summary>
    /// Takes running averages along when the parameters of a few features were set anew: what they imply of those becomes what the new
    /// parameters imply, and the rest stays to the bit.
    /// </summary>
    /// <param name="before">Theta that the averages are of.</param>
    /// <param name="after">Theta from now on.</param>
    /// <param name="effectiveRows">n_eff, at which priors weigh.</param>
    /// <param name="statistics">Averages, in <see cref="StatisticsLayout"/>; changed.</param>
    public virtual void Follow(
        ReadOnlySpan<double> before, ReadOnlySpan<double> after, double effectiveRows, Span<double> statistics)
    {
        double[] old = new double[StatisticsLayout.Length], implied = new double[StatisticsLayout.Length];
        ImpliedStatistics(before, effectiveRows, old);
        ImpliedStatistics(after, effectiveRows, implied);
        for (int at = 0; at < implied.Length; at++)
            if (implied[at] != old[at]) statistics[at] = implied[at];
    }

    /// <summary>Valid parameters, for standardised data: equal weights, zero means, unit covariances.</summary>
    public abstract void Neutral(Span<double> result);

    /// <summary>First parameters, from the buffered start of the stream.</summary>
    /// <param name="buffer">Rows inside, at least one.</param>
    /// <param name="start">Chance, and the ways to start that models share.</param>
    public abstract double[] Start(Minibatch buffer, ModelStart start);

    /// <summary>Converts parameters from inside to the user's units.</summary>
    public virtual void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result) =>
        UserUnits.To(ParameterLayout, parameters, space, result);

    /// <summary>The inverse of <see cref="ToUserUnits"/>.</summary>
    /// <exception cref="ArgumentException">The parameters are not of this model (weights off the simplex, a covariance not symmetric
    /// ...).</exception>
    public virtual void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result) =>
        UserUnits.From(ParameterLayout, parameters, space, result);

    /// <summary>
    /// The number of free parameters, as information criteria count them: a simplex has one less than it has entries, a covariance matrix
    /// D (D + 1) / 2, what is held or a constant none (McLachlan &amp; Peel 2000, section 6.8).
    /// </summary>
    public virtual int FreeParameters
    {
        get
        {
            int free = 0;
            foreach (VectorBlock block in ParameterLayout.Blocks)
            {
                int last = block.Shape.Count == 0 ? 1 : block.Shape[^1];
                if (block.IsOptional || FixedBlocks.Contains(block)) continue;
                free += block.Domain switch
                {
                    Domain.Simplex => block.Length - block.Length / last,
                    Domain.PositiveDefinite => block.Length / (last * last) * (last * (last + 1) / 2),
                    _ => block.Length,
                };
            }
            return free;
        }
    }

    /// <summary>
    /// Whether the likelihood is so flat about its maximum that batch EM goes on until the parameters stand still, not the likelihood
    /// alone.
    /// </summary>
    public virtual bool IsFlat => false;

    /// <summary>Whether records can be drawn from the model.</summary>
    public virtual bool CanSample => false;

    /// <summary>Draws a record by ancestral sampling: what is latent first, then the record given it.</summary>
    /// <param name="parameters">Theta, inside.</param>
    /// <param name="draws">Chance, made for these parameters.</param>
    /// <param name="state">What the record before it in its sequence came from, -1 where a sequence begins; overwritten by what this one
    /// comes from: its component.</param>
    /// <param name="row">[D], inside; overwritten.</param>
    /// <exception cref="NotSupportedException">Where <see cref="CanSample"/> says so.</exception>
    public virtual void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row) =>
        throw new NotSupportedException($"Records cannot be drawn from {Type}.");

    /// <summary>Mean and variance of every feature under the model [D], in the units of <paramref name="parameters"/>: what standardises
    /// data when learning starts from given parameters. False, and nothing written, where the model does not say.</summary>
    public virtual bool TryMoments(ReadOnlySpan<double> parameters, Span<double> mean, Span<double> variance) => false;

    /// <summary>Adds what a person should know of these parameters, in their units.</summary>
    /// <param name="parameters">Theta, user units.</param>
    /// <param name="facts">Name and number, as they stand in the snapshot's <c>health</c>.</param>
    public virtual void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts) =>
        CovarianceHealth.Add(ParameterLayout, parameters, facts);

    /// <summary>
    /// What the model remembers of every key between minibatches, nothing remembered yet; null when it remembers nothing.
    /// </summary>
    /// <param name="keys">How many keys at once.</param>
    public virtual StreamMemory? CreateMemory(int keys) => null;
}
