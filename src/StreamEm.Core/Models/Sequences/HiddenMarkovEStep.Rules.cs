using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Sequences;

/// <summary>
/// Sequences that are shared out by another rule than Bayes', q a distribution over whole paths z of a sequence, so that its states and its
/// passages agree:
/// <code>
/// hard      all on the most likely path (segmental k-means: Juang &amp; Rabiner 1990)
/// annealed  q proportional to p(x, z)^beta (Ueda &amp; Nakano 1998; Rao &amp; Rose 2001)
/// sparse    p(z given x) among the paths through the most probable states of every row
/// </code>
/// Each is forward-backward once more, over likelihoods b that are 0 for the states left out, or over powers of b and of the transitions.
/// log p(x), and the filtered state that a key is remembered by, are Bayes' in all of them.
/// </summary>
internal sealed partial class HiddenMarkovEStep
{
    /// <summary>beta of the rule in the pass; 1 but while it anneals.</summary>
    private static double BetaOf(SequenceWorkspace space) => space.Pass.Rule?.Beta(space.Pass) ?? 1;

    /// <summary>Makes room for a rule, and takes the parameters to the power of its beta.</summary>
    private void BeginRule(SequenceWorkspace space, int rows)
    {
        (space.LogScalesBefore, space.LogScalesAfter) = (0, 0);
        if (space.Pass.Rule is null or SoftResponsibilities) return;
        space.ReserveForRules(rows);
        double beta = BetaOf(space);
        if (beta == 1) return;
        for (int at = 0; at < _start.Length; at++) space.TemperedStart[at] = Power(_start[at], beta);
        for (int at = 0; at < _transitions.Length; at++) space.TemperedTransitions[at] = Power(_transitions[at], beta);
    }

    /// <summary>
    /// Takes the rule of the pass to one sequence that is filtered: alpha, c and b become those of q, and the state a key came with.
    /// </summary>
    /// <returns>The transitions of q.</returns>
    private ReadOnlySpan<double> ApplyRule(Minibatch batch, int first, int from, int to, bool isCarried, SequenceWorkspace space)
    {
        if (space.Pass.Rule is not { } rule || rule is SoftResponsibilities) return _transitions;
        double beta = BetaOf(space), before = LogScales(batch, first, from, to, space);
        ReadOnlySpan<double> start = _start, transitions = _transitions;
        for (int row = from; row < to; row++) space.LogLikelihoods(row).CopyTo(space.Unmasked(row));
        if (beta < 1)
        {
            Temper(batch, first, from, to, beta, isCarried, space);
            start = space.TemperedStart;
            transitions = space.TemperedTransitions;
        }
        else if (rule is HardResponsibilities) KeepBestPath(from, to, isCarried, space);
        else if (rule is SparseResponsibilities sparse && rule.IsNarrow(_states, space.Pass)) KeepActive(from, to, sparse.Active, space);
        else return _transitions;
        if (!TryForward(from, to, isCarried, start, transitions, space))
        {
            // No path leads through the states that were kept: all of them share the sequence.
            for (int row = from; row < to; row++) space.Unmasked(row).CopyTo(space.LogLikelihoods(row));
            space.CarriedBefore.CopyTo(space.Carried, 0);
            _ = TryForward(from, to, isCarried, start, transitions, space);
        }
        space.LogScalesBefore += before;
        space.LogScalesAfter += LogScales(batch, first, from, to, space);
        return transitions;
    }

    /// <summary>
    /// Entropy of q and its divergence from the posterior, from the energy E_q[log p(x, z)]: with Z = sum_z p(x, z)^beta over the paths q
    /// may take, H(q) = log Z - beta energy, and log Z differs from beta log p(x) by the scales c of the second pass.
    /// </summary>
    private static Evidence WithFreeEnergy(Evidence evidence, double energy, SequenceWorkspace space)
    {
        if (space.Pass.Rule is null or SoftResponsibilities)
            return evidence with { Entropy = Math.Max(0, evidence.LogLikelihood - energy) };
        double entropy = Math.Max(
            0, BetaOf(space) * (evidence.LogLikelihood - space.LogScalesBefore - energy) + space.LogScalesAfter);
        return evidence with { Entropy = entropy, Divergence = Math.Max(0, evidence.LogLikelihood - energy - entropy) };
    }

    private static double Power(double value, double beta) => value > 0 ? ScalarMath.Exp(beta * ScalarMath.Log(value)) : 0;

    /// <summary>sum_t w_t log c_t.</summary>
    private static double LogScales(Minibatch batch, int first, int from, int to, SequenceWorkspace space)
    {
        double sum = 0;
        for (int row = from; row < to; row++)
            sum = Math.FusedMultiplyAdd(batch.Weight(first + row), ScalarMath.Log(space.Scale[row]), sum);
        return sum;
    }

    /// <summary>b^beta, from the logarithms where no label has changed b: those of far states are no numbers any more.</summary>
    private void Temper(Minibatch batch, int first, int from, int to, double beta, bool isCarried, SequenceWorkspace space)
    {
        for (int row = from; row < to; row++)
        {
            Span<double> b = space.LogLikelihoods(row);
            if (space.SaysNothing[row] || batch.Label(first + row) != Minibatch.Unlabelled)
            {
                foreach (ref double value in b) value = Power(value, beta);
                continue;
            }
            ReadOnlySpan<double> logs = space.LogDensitiesOf(row);
            double max = double.NegativeInfinity;
            foreach (double value in logs) max = Math.Max(max, value);
            for (int k = 0; k < b.Length; k++) b[k] = ScalarMath.Exp(beta * (logs[k] - max));
        }
        if (!isCarried) return;
        foreach (ref double value in space.Carried.AsSpan()) value = Power(value, beta);
    }

    /// <summary>Leaves of every row the state of the most likely path (Viterbi 1967), of equally likely states the lowest.</summary>
    private void KeepBestPath(int from, int to, bool isCarried, SequenceWorkspace space)
    {
        Span<double> score = space.Predicted, next = space.Beta;
        if (isCarried) WayInto(space.Carried, score, space.WayFrom(from));
        else _start.CopyTo(score);
        for (int row = from; row < to; row++)
        {
            if (row > from)
            {
                WayInto(score, next, space.WayFrom(row));
                next.CopyTo(score);
            }
            ReadOnlySpan<double> b = space.LogLikelihoods(row);
            double most = 0;
            for (int k = 0; k < b.Length; k++) most = Math.Max(most, score[k] *= b[k]);
            for (int k = 0; k < b.Length && most > 0; k++) score[k] /= most;
        }
        int state = LargestOf(score);
        for (int row = to - 1; row >= from; row--)
        {
            KeepOne(space.LogLikelihoods(row), state);
            if (row > from || isCarried) state = space.WayFrom(row)[state];
        }
        if (isCarried) KeepOne(space.Carried, state);
    }

    /// <summary>The best way into every state.</summary>
    private void WayInto(ReadOnlySpan<double> score, Span<double> into, Span<int> from)
    {
        for (int j = 0; j < _states; j++)
        {
            (int best, double value) = (0, -1);
            for (int i = 0; i < _states; i++)
                if (score[i] * _transitions[i * _states + j] is var way && way > value) (best, value) = (i, way);
            (from[j], into[j]) = (best, value);
        }
    }

    private static void KeepOne(Span<double> values, int kept)
    {
        for (int k = 0; k < values.Length; k++)
            if (k != kept) values[k] = 0;
    }

    private static int LargestOf(ReadOnlySpan<double> values)
    {
        int largest = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[largest]) largest = k;
        return largest;
    }

    /// <summary>Leaves of every row the states that are most probable given all rows, of equals the first.</summary>
    private void KeepActive(int from, int to, int active, SequenceWorkspace space)
    {
        Span<double> beta = space.Beta, sorted = space.Sorted;
        beta.Fill(1);
        for (int row = to - 1; row >= from; row--)
        {
            Span<double> b = space.LogLikelihoods(row), alpha = space.Alpha(row), gamma = space.Gamma(row);
            for (int k = 0; k < _states; k++) gamma[k] = alpha[k] * beta[k];
            for (int k = 0; k < _states; k++) beta[k] *= b[k] / space.Scale[row];
            if (row > from) StepBack(beta, space.Predicted);
            gamma.CopyTo(sorted);
            sorted.Sort();
            double least = sorted[_states - active];
            int equals = active;
            foreach (double value in gamma)
                if (value > least) equals--;
            for (int k = 0; k < _states; k++)
                if (gamma[k] < least || (gamma[k] == least && equals-- <= 0)) b[k] = 0;
        }
    }

    /// <summary>alpha and c anew from b as it is; false where no path is left.</summary>
    private bool TryForward(
        int from, int to, bool isCarried, ReadOnlySpan<double> start, ReadOnlySpan<double> transitions, SequenceWorkspace space)
    {
        Span<double> predicted = space.Predicted;
        for (int row = from; row < to; row++)
        {
            if (row > from) Predict(space.Alpha(row - 1), transitions, predicted);
            else if (isCarried) Predict(space.Carried, transitions, predicted);
            else start.CopyTo(predicted);
            Span<double> alpha = space.Alpha(row), b = space.LogLikelihoods(row);
            double scale = 0;
            for (int k = 0; k < _states; k++) scale += alpha[k] = predicted[k] * b[k];
            if (!(scale > 0)) return false;
            for (int k = 0; k < _states; k++) alpha[k] /= scale;
            space.Scale[row] = scale;
        }
        return true;
    }
}
