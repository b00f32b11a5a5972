using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>
/// A component family p(x given z = k) for K components at once. Whatever holds components (mixture, hidden Markov model, product) calls it
/// per row block of 256 observations, so one virtual call is paid per block. One file per family.
/// </summary>
public abstract class Emission
{
    /// <summary>Number of features D.</summary>
    public abstract int Dimension { get; }

    /// <summary>Number of components K.</summary>
    public abstract int Components { get; }

    /// <summary>Named blocks of the family's parameters, without mixing weights.</summary>
    public abstract VectorLayout ParameterLayout { get; }

    /// <summary>Named blocks of the family's statistics, without the components' own masses N_k.</summary>
    public abstract VectorLayout StatisticsLayout { get; }

    /// <summary>What the family says of a row beside its log-density; none by default.</summary>
    public virtual VectorLayout ScoreLayout { get; } = new();

    /// <summary>See <see cref="LatentModel.Hold"/>; a family whose blocks are maximised apart from each other need not know.</summary>
    /// <param name="blocks">Names in <see cref="ParameterLayout"/>.</param>
    public virtual void Hold(IReadOnlyCollection<string> blocks)
    {
    }

    /// <summary>Whether features are independent given the component, each with parameters of its own.</summary>
    public virtual bool HasIndependentFeatures => false;

    /// <summary>Adds the family to a model's graph: its parameters, what is latent in it, and the record.</summary>
    /// <param name="graph">What the record depends on is there.</param>
    /// <param name="record">What the record is called there.</param>
    /// <param name="parents">Its component, its class ...</param>
    /// <param name="prefix">What the names of the family's blocks begin with.</param>
    public virtual void Describe(ModelGraph graph, string record, IReadOnlyList<string> parents, string prefix = "") =>
        graph.Add(new GraphVariable(record, GraphRole.Observed, [.. parents, .. Parameters(graph, prefix, ParameterLayout.Blocks)])
        { IsPerFeature = HasIndependentFeatures });

    /// <summary>Adds blocks to a graph, those of every feature as one; their names.</summary>
    protected string[] Parameters(ModelGraph graph, string prefix, IEnumerable<VectorBlock> blocks) =>
    [
        .. blocks.GroupBy(block => block.Name.Split('.')[0]).Select(group => graph.Add(
            $"{prefix}{group.Key}", group.First().Shape is [var first, ..] && first == Components, HasIndependentFeatures)),
    ];

    /// <summary>See <see cref="LatentModel.Steps"/>.</summary>
    public virtual EmSteps Steps => EmSteps.Exact;

    /// <summary>See <see cref="LatentModel.Summarize"/>.</summary>
    /// <param name="masses">N_k [K] of the minibatch.</param>
    /// <param name="averages">In <see cref="StatisticsLayout"/>; overwritten.</param>
    /// <param name="parameters">The family's, of the E-step.</param>
    public virtual void Summarize(ReadOnlySpan<double> masses, Span<double> averages, ReadOnlySpan<double> parameters)
    {
    }

    /// <summary>Factors the parameters once for many blocks; immutable and thread-safe.</summary>
    /// <param name="parameters">Must stay as they are as long as the result is used.</param>
    /// <param name="spent">One of this family that is not used any more, whose memory may be taken over.</param>
    public abstract EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null);

    /// <summary>The M-step of this part: see <see cref="LatentModel.Maximize"/>.</summary>
    /// <param name="masses">N_k [K]: average responsibility of every component.</param>
    /// <param name="statistics">Averages, in <see cref="StatisticsLayout"/>.</param>
    /// <param name="rows">Observations the averages stand for.</param>
    /// <param name="previous">Kept where there is no evidence.</param>
    /// <param name="result">Overwritten.</param>
    /// <param name="events">Degenerate cases met.</param>
    public abstract void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events);

    /// <summary>See <see cref="LatentModel.HasGradient"/>.</summary>
    public virtual bool HasGradient => false;

    /// <summary>The family's part of <see cref="LatentModel.Gradient"/>.</summary>
    /// <param name="masses">N_k [K].</param>
    /// <param name="statistics">Averages, in <see cref="StatisticsLayout"/>.</param>
    /// <param name="parameters">The family's, of the E-step.</param>
    /// <param name="result">Overwritten.</param>
    public virtual void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result) =>
        throw new NotSupportedException("The family has no gradient from its statistics.");

    /// <summary>
    /// Averaged statistics that <see cref="Maximize"/> maps to <paramref name="parameters"/>: linear in the masses but for priors.
    /// </summary>
    public abstract void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result);

    /// <summary>See <see cref="LatentModel.Neutral"/>.</summary>
    public abstract void Neutral(Span<double> result);

    /// <summary>Puts a component at <paramref name="location"/> (D values, NaN = unknown) with the given variances [D].</summary>
    public abstract void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances);

    /// <summary>
    /// Moves two equal components apart where they are widest for their units, half a standard deviation each, so that both together are
    /// about what each was (Richardson &amp; Green 1997, section 3.2).
    /// </summary>
    /// <param name="parameters">The family's; <paramref name="other"/> is a copy of <paramref name="component"/>.</param>
    /// <param name="component">One of them.</param>
    /// <param name="other">The other.</param>
    /// <param name="units">The standard deviation of every feature that counts as narrow [D].</param>
    public abstract void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units);

    /// <summary>Entries of the parameters that others determine, beyond what their domains say; see
    /// <see cref="LatentModel.FreeParameters"/>.</summary>
    public virtual int RedundantParameters => 0;

    /// <summary>Draws a record from a component.</summary>
    /// <param name="parameters">The family's.</param>
    /// <param name="component">Which.</param>
    /// <param name="draws">Chance, made for these parameters.</param>
    /// <param name="row">[D]; overwritten.</param>
    public abstract void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row);

    /// <summary>P(x_d at most a value, given z = k); NaN where the family leaves it to a normal distribution of the feature's moments.
    /// </summary>
    /// <param name="parameters">The family's.</param>
    /// <param name="component">k.</param>
    /// <param name="feature">d.</param>
    /// <param name="value">The value, inside.</param>
    public virtual double Cumulative(ReadOnlySpan<double> parameters, int component, int feature, double value) => double.NaN;

    /// <summary>
    /// Moves apart what is alike within components, where a component is made of several: EM never would. None by default.
    /// </summary>
    /// <param name="parameters">The family's; changed.</param>
    /// <param name="units">The standard deviation of every feature that counts as narrow [D].</param>
    /// <returns>Whether anything was moved.</returns>
    public virtual bool Unfold(Span<double> parameters, ReadOnlySpan<double> units) => false;

    /// <summary>
    /// KL(p(x given z = k) || q(x given z = l)) = E_p[log p - log q] in nats; NaN where the family knows no closed form.
    /// </summary>
    /// <param name="from">The family's parameters of p.</param>
    /// <param name="component">k.</param>
    /// <param name="other">The family of q: the same over the same features, of any number of components; else NaN.</param>
    /// <param name="to">Its parameters.</param>
    /// <param name="reached">l.</param>
    public virtual double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached) =>
        double.NaN;

    /// <summary>E[x given z = k] and Cov[x given z = k]; NaN where there are none. Features are independent where the family does not say
    /// otherwise.</summary>
    /// <param name="parameters">The family's.</param>
    /// <param name="component">k.</param>
    /// <param name="mean">[D]; overwritten.</param>
    /// <param name="covariance">[D, D]; overwritten.</param>
    public virtual void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        double[] means = new double[Components * Dimension], variances = new double[means.Length];
        if (!TryMoments(parameters, means, variances))
        {
            mean.Fill(double.NaN);
            covariance.Fill(double.NaN);
            return;
        }
        means.AsSpan(component * Dimension, Dimension).CopyTo(mean);
        covariance.Clear();
        for (int d = 0; d < Dimension; d++) covariance[d * (Dimension + 1)] = variances[component * Dimension + d];
    }

    /// <summary>See <see cref="LatentModel.ToUserUnits"/>.</summary>
    public virtual void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result) =>
        UserUnits.To(ParameterLayout, parameters, space, result);

    /// <summary>See <see cref="LatentModel.FromUserUnits"/>.</summary>
    public virtual void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result) =>
        UserUnits.From(ParameterLayout, parameters, space, result);

    /// <summary>Mean and variance of every feature under component k: K x D each, row-major. False where the family has none.</summary>
    public virtual bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances) => false;

    /// <summary>Covariance of two features within component k, where <see cref="TryMoments"/> says their variances; 0 where the family's
    /// features do not covary.</summary>
    public virtual double Covariance(ReadOnlySpan<double> parameters, int component, int feature, int other) => 0;

    /// <summary>
    /// Gives features that can only be standardised by a common scale their mean variance; see <see cref="LatentModel.TryMoments"/>.
    /// </summary>
    public virtual void PoolVariances(Span<double> variances)
    {
    }

    /// <summary>See <see cref="LatentModel.Health"/>.</summary>
    public virtual void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts) =>
        CovarianceHealth.Add(ParameterLayout, parameters, facts);
}

/// <summary>The family's densities and weighted statistics under fixed parameters; immutable and thread-safe.</summary>
public abstract class EmissionEStep
{
    /// <summary>Rows of a block at most: fewer where records are so wide that the block would not stay in the cache.</summary>
    internal virtual int BlockRows => RowBlock.Capacity;

    /// <summary>Whether <see cref="RowBlock.Columns"/> are read of every block; else they are made only where somebody asks.</summary>
    internal virtual bool ReadsColumns => true;

    /// <summary>
    /// Adds log p(x_i given z = k) to <c>logJoint[k * RowBlock.Stride + i]</c> for every component and lane. Lanes beyond the block's rows
    /// are left with any finite value. A row without observed values adds 0.
    /// </summary>
    public abstract void LogDensities(RowBlock block, Span<double> logJoint);

    /// <summary>
    /// log weight plus log p(x given z = k) of one complete row, written to <c>logJoint[k]</c>: the short way for a single event. Both
    /// spans are longer than K so that vectors are whole; entries of <paramref name="logJoint"/> beyond K become negative infinity.
    /// </summary>
    /// <returns>False, and nothing done, where the family has no such way.</returns>
    public virtual bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint) => false;

    /// <summary>
    /// Adds to <c>logJoint[k * RowBlock.Stride + i]</c> what log p(x_i given z = k) does not exceed, at a fraction of its price; rows are
    /// complete. Where it can, <see cref="AddLogDensities"/> can too.
    /// </summary>
    /// <returns>False, and nothing done, where the family has no such bounds.</returns>
    internal virtual bool TryAddBounds(RowBlock block, Span<double> logJoint) => false;

    /// <summary>Adds log p(x given z = k) of some complete rows of the block, to the bit what <see cref="LogDensities"/> adds.</summary>
    /// <param name="block">The block.</param>
    /// <param name="component">k.</param>
    /// <param name="lanes">Which rows.</param>
    /// <param name="logJoint">[Stride]; the first entry is of the first of these rows.</param>
    internal virtual void AddLogDensities(RowBlock block, int component, ReadOnlySpan<int> lanes, Span<double> logJoint) =>
        throw new NotSupportedException("The family has no bounds.");

    /// <summary>How log p(x_o given z = k) is spread among the records of every component k; zeros where the family does not say.</summary>
    /// <param name="row">D values, NaN = not observed; empty for all observed.</param>
    /// <param name="spreads">[K], overwritten.</param>
    internal virtual void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => spreads.Clear();

    /// <summary>
    /// Adds the statistics of the block's rows, row i weighted by <c>responsibilities[k * RowBlock.Stride + i]</c> for component k.
    /// Lanes beyond the block's rows have responsibility zero.
    /// </summary>
    public abstract void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics);

    /// <summary>Whether a row has no probability under the family, and nothing to learn from: one without any value; of a family that
    /// predicts, one without target.</summary>
    public virtual bool SaysNothing(ReadOnlySpan<double> row) => !row.ContainsAnyExcept(double.NaN);

    /// <summary>
    /// Adds log p given z = k of all but the target to every lane, as <see cref="LogDensities"/> does of the whole: nothing where the
    /// features are conditioned on.
    /// </summary>
    public virtual void InputLogDensities(RowBlock block, Span<double> logJoint)
    {
    }

    /// <summary>
    /// How far a row is from component k. Nothing is measured by default: of a family whose values are bounded no value is far.
    /// </summary>
    /// <param name="block">The block, after <see cref="LogDensities"/>.</param>
    /// <param name="index">The row in the block.</param>
    /// <param name="component">k.</param>
    public virtual MeasuredDistance Distance(RowBlock block, int index, int component) => default;

    /// <summary>The most values of a row that <see cref="Distance"/> measures; 0 where no row is ever far.</summary>
    public virtual int MeasuredValues => 0;

    /// <summary>
    /// Adds to <paramref name="peaks"/> [K] what the log-density of no complete row exceeds. Where it is the density's own maximum, log p =
    /// peak - d^2 / 2, and distances follow from the densities that are at hand.
    /// </summary>
    public virtual void AddPeaks(Span<double> peaks)
    {
    }

    /// <summary>What the family says of the block's rows, after their <see cref="LogDensities"/>.</summary>
    /// <param name="block">The rows.</param>
    /// <param name="responsibilities">K x <see cref="RowBlock.Stride"/>.</param>
    /// <param name="scores">Row i's blocks of <see cref="Emission.ScoreLayout"/> begin at <c>i * width</c>; overwritten.</param>
    /// <param name="width">Doubles from one row to the next.</param>
    public virtual void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
    {
    }
}
