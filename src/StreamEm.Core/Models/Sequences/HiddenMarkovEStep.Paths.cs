using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Sequences;

/// <summary>The most likely path of every sequence (Viterbi 1967; Rabiner 1989, section III.B).</summary>
internal sealed partial class HiddenMarkovEStep
{
    /// <inheritdoc/>
    /// <remarks>
    /// Of paths that are equally likely the one whose states have the smaller numbers, from the end. A row without values, and one that no
    /// state can produce, is a step that says nothing.
    /// </remarks>
    public override bool TryMostLikelyPaths(Minibatch batch, Span<int> states, Workspace workspace)
    {
        var space = (SequenceWorkspace)workspace;
        space.Reserve(batch.Count);
        Likelihoods(batch, 0, batch.Count, space);
        int[] from = new int[batch.Count * _states];
        double[] score = new double[_states], next = new double[_states];
        double[] logTransitions = Array.ConvertAll(_transitions, ScalarMath.Log);
        for (int at = 0, end = 0; at < batch.Count; at = end)
        {
            end = SequenceRows.EndOf(batch.SequenceStarts, at, batch.Count);
            for (int k = 0; k < _states; k++) score[k] = ScalarMath.Log(_start[k]);
            for (int row = at; row < end; row++)
            {
                if (row > at)
                {
                    Advance(score, logTransitions, next, from.AsSpan(row * _states, _states));
                    (score, next) = (next, score);
                }
                AddLogDensities(space, row, score);
            }
            int state = Largest(score);
            for (int row = end - 1; row >= at; row--)
            {
                states[row] = state;
                state = from[row * _states + state];
            }
        }
        return true;
    }

    /// <summary>The best way into every state.</summary>
    private void Advance(double[] score, double[] logTransitions, double[] next, Span<int> from)
    {
        for (int j = 0; j < _states; j++)
        {
            (int best, double value) = (0, double.NegativeInfinity);
            for (int i = 0; i < _states; i++)
                if (score[i] + logTransitions[i * _states + j] > value) (best, value) = (i, score[i] + logTransitions[i * _states + j]);
            (from[j], next[j]) = (best, value);
        }
    }

    private void AddLogDensities(SequenceWorkspace space, int row, double[] score)
    {
        ReadOnlySpan<double> logs = space.LogDensitiesOf(row);
        if (space.SaysNothing[row]) return;
        bool isPossible = false;
        for (int k = 0; k < _states; k++) isPossible |= score[k] > double.NegativeInfinity && logs[k] > ImpossibleLogDensity;
        if (!isPossible) return;
        for (int k = 0; k < _states; k++)
            score[k] = logs[k] > ImpossibleLogDensity ? score[k] + logs[k] : double.NegativeInfinity;
    }

    private static int Largest(double[] values)
    {
        int largest = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[largest]) largest = k;
        return largest;
    }
}
