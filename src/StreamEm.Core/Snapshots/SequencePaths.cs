using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Snapshots;

/// <summary>The most likely path of hidden states of every sequence in data that are at hand.</summary>
public static class SequencePaths
{
    /// <summary>The state of every row, given all rows of its sequence; null for a model that has no such paths.</summary>
    /// <param name="scorer">What is scored under.</param>
    /// <param name="rows">All rows as a source delivers them, every key's in their order.</param>
    public static int[]? Of(Scorer scorer, Minibatch rows)
    {
        FeatureSpace space = scorer.Learned.Space;
        SequenceOptions sequences = scorer.Learned.Options.Sequences;
        int[] numbers = new int[rows.Count], result = new int[rows.Count], states = new int[rows.Count];
        bool[] begins = sequences.HasLimits ? new bool[rows.Count] : [];
        for (int row = 0; row < numbers.Length; row++) numbers[row] = rows.Key(row) + 1;
        if (sequences.HasLimits && rows.Count > 0)
        {
            var lengths = new SequenceLengths(numbers.Max() + 1, sequences);
            for (int row = 0; row < numbers.Length; row++)
                begins[row] = lengths.Take(numbers[row], rows.Timestamp(row), isNew: false, rows.IsLast(row));
        }
        Minibatch encoded = space.HasLevels ? new LevelReader(space).Encode(rows) : rows;
        Minibatch grouped = new(rows.Dimension, Math.Max(1, rows.Count)), inside = new(rows.Dimension, Math.Max(1, rows.Count));
        var groups = new SequenceGroups();
        groups.Group(encoded, numbers, grouped, begins);
        space.Encode(grouped, 0, grouped.Count, inside);
        if (!scorer.EStep.TryMostLikelyPaths(inside, states, scorer.EStep.CreateWorkspace())) return null;
        ReadOnlySpan<int> order = groups.Order;
        for (int at = 0; at < states.Length; at++) result[order[at]] = states[at];
        return result;
    }
}
