using StreamEm.Core.Data;

namespace StreamEm.Core.Initialization;

/// <summary>k-means from given centres (Lloyd 1982): hard assignments to start an EM with.</summary>
internal static class Lloyd
{
    /// <summary>Enough for the assignments to settle.</summary>
    public const int MaxIterations = 20;

    /// <summary>
    /// Moves the centres to the means of their rows until no assignment changes, at most <paramref name="iterations"/> times. A centre
    /// without rows stays.
    /// </summary>
    /// <param name="batch">N rows.</param>
    /// <param name="centres">K x D, overwritten.</param>
    /// <param name="components">K.</param>
    /// <param name="iterations">At least 1, which assigns and moves the centres once.</param>
    /// <returns>The centre of every row: its label where it has one, else the nearest that its label allows, the lowest number among
    /// equals.</returns>
    public static int[] Assign(Minibatch batch, double[] centres, int components, int iterations = MaxIterations)
    {
        int dimension = batch.Dimension;
        int[] assignments = new int[batch.Count];
        Array.Fill(assignments, -1);
        double[] sums = new double[centres.Length], counts = new double[centres.Length];
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            bool changed = false;
            Array.Clear(sums);
            Array.Clear(counts);
            for (int row = 0; row < batch.Count; row++)
            {
                int label = batch.Labels.IsEmpty ? Minibatch.Unlabelled : batch.Labels[row];
                int nearest = label >= 0 ? label : Nearest(batch.Row(row), batch.Evidence(row), centres, components);
                changed |= nearest != assignments[row];
                assignments[row] = nearest;
                for (int d = 0; d < dimension; d++)
                {
                    double value = batch.Row(row)[d];
                    if (double.IsNaN(value)) continue;
                    sums[nearest * dimension + d] += batch.Weight(row) * value;
                    counts[nearest * dimension + d] += batch.Weight(row);
                }
            }
            if (!changed) break;
            for (int at = 0; at < centres.Length; at++)
                if (counts[at] > 0) centres[at] = sums[at] / counts[at];
        }
        return assignments;
    }

    /// <summary>Weighted mean of the squared distance of the rows to their centres.</summary>
    public static double MeanDistortion(Minibatch batch, double[] centres, int[] assignments)
    {
        double sum = 0;
        for (int row = 0; row < batch.Count; row++)
            sum += batch.Weight(row)
                * Distances.Partial(batch.Row(row), centres.AsSpan(assignments[row] * batch.Dimension, batch.Dimension));
        return sum / batch.TotalWeight;
    }

    private static int Nearest(ReadOnlySpan<double> row, ReadOnlySpan<double> says, double[] centres, int components)
    {
        int nearest = says.IsEmpty ? 0 : says.IndexOfAnyExcept(0.0);
        double best = double.PositiveInfinity;
        for (int k = 0; k < components; k++)
        {
            if (!says.IsEmpty && says[k] == 0) continue;
            double distance = Distances.Partial(row, centres.AsSpan(k * row.Length, row.Length));
            if (distance < best) (nearest, best) = (k, distance);
        }
        return nearest;
    }
}
