using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Sequences;

/// <summary>The way back: smoothed posteriors, passages, and what of the log-likelihood is energy.</summary>
internal sealed partial class HiddenMarkovEStep
{
    /// <summary>The smoothed posteriors of one sequence; adds initial counts and passages, and remembers where the key stands.</summary>
    /// <remarks>The energy added is that of the rows given their states, and of the state a key came with.</remarks>
    private Evidence Smooth(Minibatch batch, int first, int from, int to, Span<double> statistics, Span<double> logDensities,
        SequenceWorkspace space, ref double energy)
    {
        var memory = space.Pass.Memory as FilterMemory;
        bool isCarried = SlotMemory.GoesOn(memory, batch, first + from, out int slot);
        if (isCarried) memory!.Of(slot).CopyTo(space.Carried);
        Evidence evidence = Filter(batch, first, from, to, isCarried ? space.Carried : default, isLabelled: true, space);
        Span<double> initial = statistics[.._states], passages = statistics.Slice(_states, _states * _states), beta = space.Beta;
        int learned = SequenceRows.EndOfLearned(space.Pass.Ahead, first + from, first + to) - first;
        if (slot >= 0) memory!.Set(slot, space.Alpha(learned - 1));
        space.Carried.CopyTo(space.CarriedBefore, 0);
        ReadOnlySpan<double> transitions = ApplyRule(batch, first, from, to, isCarried, space);
        beta.Fill(1);
        for (int row = to - 1; row >= from; row--)
        {
            logDensities[row] = space.RowLogDensities[row];
            double weight = batch.Weight(first + row);
            Span<double> gamma = space.Gamma(row), alpha = space.Alpha(row), b = space.LogLikelihoods(row);
            double total = 0;
            for (int k = 0; k < _states; k++) total += gamma[k] = alpha[k] * beta[k];
            for (int k = 0; k < _states; k++) gamma[k] /= total;
            if (!space.SaysNothing[row]) energy += weight * Expected(gamma, space.LogDensitiesOf(row));
            // b_t beta_t / c_t: what the row says of its state, given those after it.
            for (int k = 0; k < _states; k++) beta[k] *= b[k] / space.Scale[row];
            if (row > from) AddPassages(space.Alpha(row - 1), transitions, beta, weight, passages);
            else if (isCarried)
            {
                AddPassages(space.Carried, transitions, beta, weight, passages);
                energy += weight * CarriedEnergy(space, transitions, space.Predicted);
            }
            else
                for (int k = 0; k < _states; k++) initial[k] = Math.FusedMultiplyAdd(weight, gamma[k], initial[k]);
            if (row > from) StepBack(transitions, beta, space.Predicted);
        }
        return evidence;
    }

    /// <summary>sum_k p_k l_k; a p_k of 0 adds nothing.</summary>
    private static double Expected(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> logs)
    {
        double sum = 0;
        for (int k = 0; k < logs.Length; k++)
            if (probabilities[k] > 0) sum = Math.FusedMultiplyAdd(probabilities[k], logs[k], sum);
        return sum;
    }

    /// <summary>E[log p(z_0)] of the filtered state a key came with, given the rows after it.</summary>
    private double CarriedEnergy(SequenceWorkspace space, ReadOnlySpan<double> transitions, Span<double> posterior)
    {
        double[] carried = space.Carried, beta = space.Beta;
        double total = 0, sum = 0;
        for (int i = 0; i < _states; i++)
        {
            posterior[i] = 0;
            for (int j = 0; j < _states; j++) posterior[i] += transitions[i * _states + j] * beta[j];
            total += posterior[i] *= carried[i];
        }
        for (int i = 0; i < _states && total > 0; i++)
            if (posterior[i] > 0) sum += posterior[i] / total * ScalarMath.Log(space.CarriedBefore[i]);
        return sum;
    }

    /// <summary>passages[i, j] += weight alpha(i) A_ij beta(j), normalised.</summary>
    private void AddPassages(
        ReadOnlySpan<double> alpha, ReadOnlySpan<double> transitions, ReadOnlySpan<double> beta, double weight, Span<double> passages)
    {
        double total = 0;
        for (int i = 0; i < _states; i++)
            for (int j = 0; j < _states; j++) total += alpha[i] * transitions[i * _states + j] * beta[j];
        if (!(total > 0)) return;
        for (int i = 0; i < _states; i++)
        {
            double scaled = weight * alpha[i] / total;
            for (int j = 0; j < _states; j++)
                passages[i * _states + j] =
                    Math.FusedMultiplyAdd(scaled * transitions[i * _states + j], beta[j], passages[i * _states + j]);
        }
    }

    /// <summary>beta = A beta.</summary>
    private void StepBack(ReadOnlySpan<double> transitions, Span<double> beta, Span<double> scratch)
    {
        beta.CopyTo(scratch);
        for (int i = 0; i < _states; i++)
        {
            double sum = 0;
            for (int j = 0; j < _states; j++) sum = Math.FusedMultiplyAdd(transitions[i * _states + j], scratch[j], sum);
            beta[i] = sum;
        }
    }
}
