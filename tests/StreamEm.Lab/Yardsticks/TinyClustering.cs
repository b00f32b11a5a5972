using StreamEm.Core.Data;

namespace StreamEm.Lab.Yardsticks;

/// <summary>k-means of a few points, by looking at every possibility.</summary>
internal static class TinyClustering
{
    /// <summary>The sum of squared distances to the nearest of some centres.</summary>
    /// <param name="rows">Points.</param>
    /// <param name="centres">K x D.</param>
    public static double Cost(Minibatch rows, double[] centres)
    {
        double sum = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            double nearest = double.PositiveInfinity;
            for (int k = 0; k < centres.Length / rows.Dimension; k++)
                nearest = Math.Min(nearest, Square(rows.Row(row), centres.AsSpan(k * rows.Dimension, rows.Dimension)));
            sum += nearest;
        }
        return sum;
    }

    /// <summary>The least sum of squared distances to K means, over all partitions.</summary>
    public static double Optimum(Minibatch rows, int centres)
    {
        int[] parts = new int[rows.Count];
        double best = double.PositiveInfinity;
        do best = Math.Min(best, CostOf(rows, parts, centres));
        while (Next(parts, centres));
        return best;
    }

    /// <summary>
    /// The expected sum when the first centre is any point, and each next one is drawn with probability in proportion to a power of the
    /// squared distance to the nearest so far: 1 is k-means++.
    /// </summary>
    public static double ExpectedCost(Minibatch rows, int centres, double power)
    {
        double[] nearest = new double[rows.Count];
        Array.Fill(nearest, double.PositiveInfinity);
        return Expected(rows, nearest, centres, power);
    }

    private static double Expected(Minibatch rows, double[] nearest, int left, double power)
    {
        if (left == 0) return nearest.Sum();
        double[] chances = [.. nearest.Select(distance => double.IsPositiveInfinity(distance) ? 1 : Math.Pow(distance, power))];
        double total = chances.Sum(), expected = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            if (!(chances[row] > 0)) continue;
            int chosen = row;
            double[] after = [.. nearest.Select((distance, other) => Math.Min(distance, Square(rows.Row(other), rows.Row(chosen))))];
            expected += chances[row] / total * Expected(rows, after, left - 1, power);
        }
        return expected;
    }

    /// <summary>The next partition; the first point is in the first part, which leaves out most that differ in names alone.</summary>
    private static bool Next(int[] parts, int centres)
    {
        for (int at = parts.Length - 1; at > 0; at--)
        {
            if (++parts[at] < centres) return true;
            parts[at] = 0;
        }
        return false;
    }

    private static double CostOf(Minibatch rows, int[] parts, int centres)
    {
        int dimension = rows.Dimension;
        double[] sums = new double[centres * dimension], counts = new double[centres];
        double squares = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            counts[parts[row]]++;
            for (int d = 0; d < dimension; d++)
            {
                sums[parts[row] * dimension + d] += rows.Row(row)[d];
                squares += rows.Row(row)[d] * rows.Row(row)[d];
            }
        }
        for (int at = 0; at < sums.Length; at++)
            if (counts[at / dimension] > 0) squares -= sums[at] * sums[at] / counts[at / dimension];
        return squares;
    }

    private static double Square(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        double sum = 0;
        for (int d = 0; d < one.Length; d++) sum += (one[d] - other[d]) * (one[d] - other[d]);
        return sum;
    }
}
