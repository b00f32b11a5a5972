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
        ReadOnlySpan<double> transitions = ApplyRule(batch, first, from, to, isCarried, space), transposed = _transposed;
        if (transitions != _transitions)
        {
            Transpose(transitions, space.TemperedTransposed);
            transposed = space.TemperedTransposed;
        }
        Span<double> back = space.Predicted, pairs = space.Pairs;
        pairs.Clear();
        beta.Fill(1);
        for (int row = to - 1; row >= from; row--)
        {
            logDensities[row] = space.RowLogDensities[row];
            double weight = batch.Weight(first + row);
            Span<double> gamma = space.Gamma(row);
            StateVectors.Multiply(space.Alpha(row), beta, gamma);
            StateVectors.Divide(gamma, LaneSums.Sum(gamma));
            if (!space.SaysNothing[row])
                energy += weight * LaneSums.ProductsAbove(gamma, space.LogDensitiesOf(row), double.MinValue);
            if (row == from && !isCarried)
            {
                for (int k = 0; k < _states; k++) initial[k] = Math.FusedMultiplyAdd(weight, gamma[k], initial[k]);
                break;
            }
            // b_t beta_t / c_t: what the row says of its state, given those after it.
            StateVectors.MultiplyByQuotient(beta, space.LogLikelihoods(row), space.Scale[row]);
            StateVectors.Multiply(beta, transposed, back, _states);
            AddPairs(row > from ? space.Alpha(row - 1) : space.Carried, beta, back, weight, pairs);
            if (row > from) back.CopyTo(beta);
            else energy += weight * CarriedEnergy(space, transitions, back);
        }
        for (int at = 0; at < passages.Length; at++)
            if (transitions[at] > 0) passages[at] = Math.FusedMultiplyAdd(transitions[at], pairs[at], passages[at]);
        return evidence;
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

    /// <summary>
    /// pairs[i, j] += weight alpha(i) beta(j), normalised: times A_ij, which all rows of a sequence have in common, the expected passages.
    /// </summary>
    private void AddPairs(
        ReadOnlySpan<double> alpha, ReadOnlySpan<double> beta, ReadOnlySpan<double> back, double weight, Span<double> pairs)
    {
        double total = StateVectors.Dot(alpha, back);
        if (total > 0) StateVectors.AddOuter(alpha, beta, weight / total, pairs, _states);
    }

    /// <summary>beta = A beta.</summary>
    private void StepBack(Span<double> beta, Span<double> scratch)
    {
        beta.CopyTo(scratch);
        StateVectors.Multiply(scratch, _transposed, beta, _states);
    }
}
