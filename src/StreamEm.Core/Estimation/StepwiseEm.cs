using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// The stepwise recursion over any model, in one of two spaces (Cappé &amp; Moulines 2009; Liang &amp; Klein 2009):
/// <code>
/// parameters:  Theta(t) = (1 - gamma_t) Theta(t-1) + gamma_t argmax Q(Theta; Theta(t-1)), Q from minibatch t alone
/// statistics:  s(t) = (1 - gamma_t) s(t-1) + gamma_t s_bar(minibatch t);  Theta(t) = M(s(t))
/// </code>
/// A minibatch of less weight than the average so far (the last of a stream, one of rows that hardly count) counts in proportion to it;
/// with kappa = 1 every row then weighs the same, to rounding. The machine knows nothing of where a model stands: that is a
/// <see cref="StepwiseState"/>, and one machine takes many of them on, one at a time.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="recursion">Parameters or statistics.</param>
/// <param name="stepSize">gamma_t.</param>
/// <param name="threads">Threads per minibatch; 0 takes every core. The result does not depend on it.</param>
/// <param name="rule">How responsibilities are made; null for Bayes' rule.</param>
internal sealed class StepwiseEm(
    LatentModel model, Recursion recursion, StepSize stepSize, int threads = 0, ResponsibilityRule? rule = null)
{
    private readonly ShardedEStep _executor = new(model, threads);
    private readonly double[] _averages = new double[model.StatisticsLayout.Length];
    private readonly double[] _maximizer = new double[model.ParameterLayout.Length], _previous = new double[model.ParameterLayout.Length];
    private readonly double[] _masses = new double[(model as ComponentModel)?.Components ?? 0];
    private EStep? _eStep;

    /// <summary>The averages of the last minibatch; valid until the next.</summary>
    public ReadOnlySpan<double> Averages => _averages;

    /// <summary>Theta before the last update that had evidence, under which they were taken.</summary>
    public ReadOnlySpan<double> Before => _previous;

    /// <summary>Told when a part of an update begins; null where nobody asks.</summary>
    public Action<UpdatePhase>? Entering { get; set; }

    /// <summary>One update.</summary>
    /// <param name="state">Where the model stands; moved on.</param>
    /// <param name="batch">At least one row.</param>
    /// <param name="logDensities">Overwritten with log p(x) of every row under the parameters before the update; see
    /// <see cref="EStep.Accumulate"/>.</param>
    /// <param name="memory">What is remembered of the keys in the rows; null where the model remembers nothing.</param>
    /// <param name="bound">What rows are held back by, begun for this minibatch; null where every row is learned from.</param>
    /// <param name="comparable">See <see cref="Pass.Comparable"/>; null leaves them out.</param>
    /// <param name="unit">What the rows' weights are in: theirs times this is in the unit of all minibatches.</param>
    /// <returns>The minibatch's evidence under the parameters before the update.</returns>
    public Evidence Update(
        StepwiseState state, Minibatch batch, double[] logDensities, StreamMemory? memory = null, InfluenceBound? bound = null,
        double[]? comparable = null, double unit = 1)
    {
        Entering?.Invoke(UpdatePhase.Expectation);
        Evidence evidence = Expect(
            state.Parameters, batch, _averages, logDensities,
            new Pass(memory, state.Updates + 1, comparable) { Bound = bound });
        Entering?.Invoke(UpdatePhase.Maximization);
        double share = state.ShareOf(batch.TotalWeight * unit, isWeighted: !batch.Weights.IsEmpty);
        CountUnlearned(state, batch, evidence, logDensities, bound);
        Fold(state, _averages, evidence, batch.Count, share, WorthOf(batch, logDensities, evidence));
        Entering?.Invoke(UpdatePhase.Done);
        return evidence;
    }

    /// <summary>The E-step alone: the minibatch's averages under some parameters.</summary>
    /// <param name="parameters">Theta; as it is until the next call.</param>
    /// <param name="batch">At least one row.</param>
    /// <param name="averages">Overwritten, in the statistics' layout.</param>
    /// <param name="logDensities">As in <see cref="Update"/>.</param>
    /// <param name="pass">What the E-step may know.</param>
    public Evidence Expect(double[] parameters, Minibatch batch, double[] averages, double[] logDensities, Pass pass)
    {
        _eStep = model.Prepare(parameters, _eStep);
        return _executor.Average(_eStep, parameters, batch, averages, logDensities, pass with { Rule = rule });
    }

    /// <summary>The number of observations a minibatch is worth, of those that were learned from.</summary>
    public static double WorthOf(Minibatch batch, ReadOnlySpan<double> logDensities, Evidence evidence) => batch.Weights.IsEmpty
        ? evidence.Weight
        : LearnedOf(evidence) * RelativeWeights.Worth(batch, logDensities, evidence.Weight);

    /// <summary>The rest of an update: averages of a minibatch, taken under these parameters or under some not long before, move the
    /// state.</summary>
    /// <param name="state">Where the model stands; moved on.</param>
    /// <param name="averages">The minibatch's averages; mean nothing without evidence.</param>
    /// <param name="evidence">Its evidence.</param>
    /// <param name="count">Its rows.</param>
    /// <param name="share">The part of a step that it is worth.</param>
    /// <param name="rows">The observations it is worth.</param>
    public void Fold(StepwiseState state, double[] averages, Evidence evidence, int count, double share, double rows)
    {
        state.Events.Clear();
        // Rows held back make the minibatch lighter.
        double gamma = stepSize.At(state.Updates - state.Begun + 1, share) * LearnedOf(evidence);
        state.Updates++;
        state.Rows += count;
        state.LastStepSize = gamma;
        state.BarrenUpdates = evidence.Weight > 0 ? 0 : state.BarrenUpdates + 1;
        if (!(evidence.Weight > 0)) return;
        state.EffectiveRows = 1 / ((1 - gamma) * (1 - gamma) / state.EffectiveRows + gamma * gamma / rows);
        state.Parameters.CopyTo(_previous, 0);
        if (recursion == Recursion.Statistics)
        {
            Interpolation.Toward(state.Statistics, averages, gamma);
            model.Maximize(state.Statistics, state.EffectiveRows, _previous, state.Parameters, state.Events);
        }
        else
        {
            model.Maximize(averages, new RowsWorth(rows, state.EffectiveRows), _previous, _maximizer, state.Events);
            Combine(state.Parameters, gamma);
        }
        MoveShares(state.Shares, averages, gamma);
    }

    /// <summary>The E-step of rows that nothing is learned from, for what it remembers of their keys.</summary>
    public void Pass(StepwiseState state, Minibatch batch, double[] logDensities, StreamMemory memory)
    {
        _eStep = model.Prepare(state.Parameters, _eStep);
        _executor.Average(_eStep, state.Parameters, batch, _averages, logDensities, new Pass(memory, state.Updates + 1) { Rule = rule });
    }

    /// <summary>Gives a component a new start at a location; see <see cref="ComponentModel.Reseed"/>.</summary>
    public static void Reseed(StepwiseState state, ComponentModel model, int component, ReadOnlySpan<double> location)
    {
        double share = state.Shares[component];
        model.Reseed(state.Parameters, state.Statistics, component, location);
        ComponentModel.ShareEqually(state.Shares, component);
        state.Events.Add(ModelEventKind.Reseeded, component, share);
    }

    /// <summary>Counts the rows that said nothing, could not be, or were held back.</summary>
    private static void CountUnlearned(
        StepwiseState state, Minibatch batch, Evidence evidence, double[] logDensities, InfluenceBound? bound)
    {
        if (batch.Weights.IsEmpty && evidence.Weight == batch.Count) return;
        for (int row = 0; row < batch.Count; row++)
        {
            bool isHeld = bound is not null && bound.IsHeld(row);
            if (isHeld) state.Bounded++;
            if (isHeld || !double.IsFinite(logDensities[row]) || !(batch.Weight(row) > 0)) state.Unlearned++;
        }
    }

    private static double LearnedOf(Evidence evidence) =>
        evidence.Held > 0 ? evidence.Weight / (evidence.Weight + evidence.Held) : 1;

    private void MoveShares(double[] shares, double[] averages, double gamma)
    {
        if (model is not ComponentModel components) return;
        components.Masses(averages, _masses);
        double total = 0;
        foreach (double mass in _masses) total += mass;
        if (!(total > 0)) return;
        for (int k = 0; k < _masses.Length; k++) _masses[k] /= total;
        Interpolation.Toward(shares, _masses, gamma);
    }

    /// <summary>Theta = (1 - gamma) Theta + gamma maximiser, each block in its own coordinates.</summary>
    private void Combine(double[] parameters, double gamma)
    {
        IReadOnlyList<VectorBlock> blocks = model.ParameterLayout.Blocks;
        for (int at = 0; at < blocks.Count; at++)
        {
            VectorBlock block = blocks[at];
            Span<double> values = block.Of(parameters.AsSpan());
            ReadOnlySpan<double> target = block.Of((ReadOnlySpan<double>)_maximizer);
            if (block.Coordinates == Coordinates.Linear)
                Interpolation.Toward(values, target, gamma);
            else
                for (int i = 0; i < values.Length; i++) values[i] *= ScalarMath.Exp(gamma * ScalarMath.Log(target[i] / values[i]));
        }
    }
}
