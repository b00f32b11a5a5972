using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Sequences;

/// <summary>
/// Forward-backward over the sequences of a minibatch, scaled row by row: alpha_t = p(z_t given x_1 .. x_t), c_t = p(x_t given x_1 ..
/// x_t-1), beta_t so that gamma_t = alpha_t beta_t, xi_t(i, j) = alpha_t-1(i) A_ij b_t(j) beta_t(j) / c_t. The row's largest log b_t is
/// taken out before the exponential. A row without values, and one that no state can produce, is a step of the chain that says nothing (b =
/// 1) and adds nothing to the family's statistics.
/// </summary>
internal sealed partial class HiddenMarkovEStep : EStep
{
    /// <summary>A log-density below this belongs to no state; as in a mixture.</summary>
    private const double ImpossibleLogDensity = -1e16;

    /// <summary>The smallest probability whose logarithm is taken: what it is multiplied by is 0 where the probability is.</summary>
    private const double LeastProbability = 1e-300;

    private readonly int _states, _dimension, _own, _scoreLength;
    private readonly double[] _start, _transitions, _transposed, _peaks, _logTransitions, _logStart;
    private EmissionEStep? _emission;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public HiddenMarkovEStep(int states, int dimension, int ownStatistics, int scoreLength)
    {
        (_states, _dimension, _own, _scoreLength) = (states, dimension, ownStatistics, scoreLength);
        (_start, _transitions, _peaks) = (new double[states], new double[states * states], new double[states]);
        (_logStart, _logTransitions, _transposed) = (new double[states], new double[states * states], new double[states * states]);
    }

    /// <summary>The states' part; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Emission => _emission;

    private EmissionEStep Prepared => _emission ?? throw new InvalidOperationException("The E-step has no parameters yet.");

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> start, ReadOnlySpan<double> transitions, EmissionEStep emission)
    {
        start.CopyTo(_start);
        transitions.CopyTo(_transitions);
        Transpose(_transitions, _transposed);
        for (int at = 0; at < _logStart.Length; at++) _logStart[at] = ScalarMath.Log(Math.Max(start[at], LeastProbability));
        for (int at = 0; at < _logTransitions.Length; at++)
            _logTransitions[at] = ScalarMath.Log(Math.Max(transitions[at], LeastProbability));
        _emission = emission;
        Array.Clear(_peaks);
        emission.AddPeaks(_peaks);
    }

    public override Workspace CreateWorkspace() => new SequenceWorkspace(_dimension, _states);

    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var space = (SequenceWorkspace)workspace;
        space.Reserve(count);
        BeginRule(space, count);
        Likelihoods(batch, first, count, space, Prepared.MeasuredValues > 0 ? space.Pass.Bound : null);
        Evidence evidence = default;
        double energy = 0;
        statistics[..space.OwnBefore.Length].CopyTo(space.OwnBefore);
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            evidence += Smooth(batch, first, at, next, statistics, logDensities, space, ref energy);
        }
        for (int at = 0; at < space.OwnBefore.Length; at++)
            energy += (statistics[at] - space.OwnBefore[at]) * (at < _states ? _logStart[at] : _logTransitions[at - _states]);
        Collect(batch, first, count, statistics, space);
        return evidence.Weight > 0 ? WithFreeEnergy(evidence, energy, space) : evidence;
    }

    public override void Score(Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (SequenceWorkspace)workspace;
        space.Reserve(count);
        Likelihoods(batch, first, count, space);
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            var memory = space.Pass.Memory as FilterMemory;
            bool isCarried = SlotMemory.GoesOn(memory, batch, first + at, out int slot);
            Filter(batch, first, at, next, isCarried ? memory!.Of(slot) : default, isLabelled: false, space);
            for (int row = at; row < next; row++)
            {
                logDensities[row] = space.RowLogDensities[row];
                space.Alpha(row).CopyTo(scores.Slice(row * _scoreLength, _states));
                SayForecast(row, scores.Slice(row * _scoreLength, _scoreLength), space);
            }
            if (slot >= 0) memory!.Set(slot, space.Alpha(next - 1));
        }
        if (_scoreLength > _states) ScoreEmission(batch, first, count, scores, space);
    }

    /// <summary>log p(x_t given z_t) of every row and state, and which rows say something.</summary>
    private void Likelihoods(Minibatch batch, int first, int count, SequenceWorkspace space, InfluenceBound? bound = null)
    {
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            RowBlock block = space.Block;
            block.Fill(batch, first + at, Math.Min(RowBlock.Capacity, count - at));
            Span<double> joint = space.LogJoint;
            joint.Clear();
            Prepared.LogDensities(block, joint);
            for (int i = 0; i < block.Count; i++)
            {
                Span<double> row = space.LogLikelihoods(at + i);
                for (int k = 0; k < _states; k++) row[k] = joint[k * RowBlock.Stride + i];
                row.CopyTo(space.LogDensitiesOf(at + i));
                space.SaysNothing[at + i] = false;
                space.RelativeSquares[at + i] = bound?.Judge(Prepared, block, i, row, _peaks) ?? 0;
            }
            foreach (int index in block.Incomplete)
            {
                space.SaysNothing[at + index] = !block.Row(index).ContainsAnyExcept(double.NaN);
                if (space.Pass.Comparable is null) continue;
                space.LogLikelihoods(at + index).CopyTo(space.Completed(at + index));
                LogDensitySpread.Complete(Prepared, block.Row(index), space.Completed(at + index));
            }
        }
    }

    /// <summary>Alpha, c and the rows' log-densities of one sequence.</summary>
    /// <returns>The weighted sum of log c, labels taken into account.</returns>
    private Evidence Filter(Minibatch batch, int first, int from, int to, ReadOnlySpan<double> carried, bool isLabelled,
        SequenceWorkspace space)
    {
        Span<double> predicted = space.Predicted;
        double weight = 0, logLikelihood = 0, far = 0, held = 0, remote = 0;
        InfluenceBound? bound = isLabelled ? space.Pass.Bound : null;
        for (int row = from; row < to; row++)
        {
            if (row > from) Predict(space.Alpha(row - 1), _transitions, predicted);
            else if (!carried.IsEmpty) Predict(carried, _transitions, predicted);
            else _start.CopyTo(predicted);
            bool isHeld = bound is not null && bound.IsHeld(first + row);
            double log = Update(row, isLabelled ? batch : null, first + row, isHeld, predicted, space), w = batch.Weight(first + row);
            if (space.Pass.Comparable is { } comparable && batch.Row(first + row).Contains(double.NaN))
                comparable[first + row] = LogDensitySpread.Mix(predicted, space.Completed(row));
            if (bound is not null && space.RelativeSquares[row] > 1 && !double.IsNaN(space.RowLogDensities[row]))
                (far, held, remote) = (far + w, isHeld ? held + w : held,
                    bound.IsRemote(space.RelativeSquares[row]) ? remote + w : remote);
            if (isHeld || !double.IsFinite(space.RowLogDensities[row])) continue;
            weight += w;
            logLikelihood = Math.FusedMultiplyAdd(w, log, logLikelihood);
        }
        return new Evidence(weight, logLikelihood) { Held = held, Far = far, Remote = remote };
    }

    /// <summary>
    /// alpha_t and c_t of one row; its log-density takes no label into account. A row that is held back has one, and says nothing.
    /// </summary>
    /// <returns>log p(x_t, and its label, given the rows before).</returns>
    private double Update(
        int row, Minibatch? labels, int labelled, bool isHeld, ReadOnlySpan<double> predicted, SequenceWorkspace space)
    {
        Span<double> alpha = space.Alpha(row), b = space.LogLikelihoods(row);
        double max = space.SaysNothing[row] ? double.NegativeInfinity : StateVectors.Largest(b);
        bool isImpossible = !space.SaysNothing[row] && !(max > ImpossibleLogDensity);
        if (space.SaysNothing[row] || isImpossible)
        {
            b.Fill(1);
            max = 0;
        }
        else
        {
            VectorExp.OfDifferences(b, max);
        }
        double sum = Weigh(predicted, b, alpha), scale = sum;
        if (!(sum > 0))
        {
            // Possible in a state that cannot be reached: impossible here.
            (isImpossible, max) = (true, 0);
            b.Fill(1);
            sum = 1;
            scale = Weigh(predicted, b, alpha);
        }
        double logSum = ScalarMath.Log(sum);
        space.RowLogDensities[row] = isImpossible ? double.NegativeInfinity : space.SaysNothing[row] ? double.NaN : max + logSum;
        if (isHeld && !space.SaysNothing[row])
        {
            (isImpossible, max) = (true, 0);
            b.Fill(1);
            scale = Weigh(predicted, b, alpha);
        }
        if (labels is not null && labels.Label(labelled) != Minibatch.Unlabelled)
        {
            TakeLabel(labels, labelled, predicted, b);
            scale = Weigh(predicted, b, alpha);
        }
        StateVectors.Divide(alpha, scale);
        space.Scale[row] = scale;
        if (isImpossible) space.SaysNothing[row] = true;
        return max + (scale == sum ? logSum : ScalarMath.Log(scale));
    }

    /// <summary>alpha = p(z_t given the rows before) b_t; returns its sum.</summary>
    private static double Weigh(ReadOnlySpan<double> predicted, ReadOnlySpan<double> b, Span<double> alpha)
    {
        StateVectors.Multiply(predicted, b, alpha);
        return LaneSums.Sum(alpha);
    }

    /// <summary>predicted(j) = sum_i alpha(i) A_ij.</summary>
    private void Predict(ReadOnlySpan<double> alpha, ReadOnlySpan<double> transitions, Span<double> predicted) =>
        StateVectors.Multiply(alpha, transitions, predicted, _states);

    /// <summary>A'.</summary>
    private void Transpose(ReadOnlySpan<double> transitions, Span<double> result)
    {
        for (int i = 0; i < _states; i++)
            for (int j = 0; j < _states; j++) result[j * _states + i] = transitions[i * _states + j];
    }

    /// <summary>Masses and the family's statistics, every row weighted by its smoothed posteriors.</summary>
    private void Collect(Minibatch batch, int first, int count, Span<double> statistics, SequenceWorkspace space)
    {
        Span<double> masses = statistics.Slice(_own - _states, _states);
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            RowBlock block = space.Block;
            block.Fill(batch, first + at, Math.Min(RowBlock.Capacity, count - at));
            Spread(block, at, space, smoothed: true);
            WeightedSums.AddMasses(space.LogJoint, _states, masses, block.Count);
            Prepared.Accumulate(block, space.LogJoint, statistics[_own..]);
        }
    }

    private void ScoreEmission(Minibatch batch, int first, int count, Span<double> scores, SequenceWorkspace space)
    {
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            RowBlock block = space.Block;
            block.Fill(batch, first + at, Math.Min(RowBlock.Capacity, count - at));
            Prepared.LogDensities(block, space.LogJoint);
            Spread(block, at, space, smoothed: false);
            Prepared.Score(block, space.LogJoint, scores[(at * _scoreLength + _states)..], _scoreLength);
        }
    }

    /// <summary>Overwrites the lanes of a block by its rows' smoothed posteriors times their weights, 0 for rows that say nothing, or by
    /// the filtered ones as they are; lanes without a row by 0.</summary>
    private void Spread(RowBlock block, int at, SequenceWorkspace space, bool smoothed)
    {
        Span<double> lanes = space.LogJoint;
        lanes.Clear();
        for (int i = 0; i < block.Count; i++)
        {
            if (smoothed && space.SaysNothing[at + i]) continue;
            double weight = smoothed ? block.Batch.Weight(block.First + i) : 1;
            ReadOnlySpan<double> posteriors = smoothed ? space.Gamma(at + i) : space.Alpha(at + i);
            for (int k = 0; k < _states; k++) lanes[k * RowBlock.Stride + i] = weight * posteriors[k];
        }
    }
}
