using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Plotting;

/// <summary>Records and what a model says of them.</summary>
/// <param name="Rows">N rows, user units.</param>
/// <param name="LogDensities">log p(x) [N].</param>
/// <param name="Components">The most probable component of every row [N].</param>
internal sealed record ScoredRows(Minibatch Rows, double[] LogDensities, int[] Components)
{
    /// <summary>Scores rows under a model with components.</summary>
    public static ScoredRows Of(LearnedModel learned, ComponentModel model, Minibatch rows)
    {
        var scorer = new Scorer(learned);
        int width = scorer.Layout.Length;
        double[] logDensities = new double[rows.Count], scores = new double[rows.Count * width];
        scorer.Score(rows, logDensities, scores, new double[rows.Count]);
        VectorBlock membership = scorer.Layout[model.MembershipBlock];
        int[] components = new int[rows.Count];
        for (int row = 0; row < components.Length; row++)
        {
            ReadOnlySpan<double> probabilities = membership.Of((ReadOnlySpan<double>)scores.AsSpan(row * width, width));
            for (int k = 1; k < probabilities.Length; k++)
                if (probabilities[k] > probabilities[components[row]]) components[row] = k;
        }

        return new ScoredRows(rows, logDensities, components);
    }

    /// <summary>
    /// The most improbable rows first. Equal scores beyond double precision are told apart by the log-density they stand for.
    /// </summary>
    public int[] Strangest(int count) => [.. Enumerable.Range(0, Rows.Count).OrderBy(row => LogDensities[row]).Take(count)];

    /// <summary>Rows evenly spaced, at most so many, and others besides.</summary>
    public int[] Spaced(int count, IEnumerable<int> others)
    {
        int step = Math.Max(1, (Rows.Count + count - 1) / count);
        return [.. Enumerable.Range(0, Rows.Count).Where(row => row % step == 0).Union(others)];
    }

    /// <summary>The share of the rows that are most probably of each component [K].</summary>
    public double[] Shares(int components)
    {
        double[] shares = new double[components];
        foreach (int component in Components) shares[component] += 1.0 / Components.Length;
        return shares;
    }
}
