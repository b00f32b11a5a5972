namespace StreamEm.Core.Data;

/// <summary>
/// Weights of observations mean something in proportion to each other alone: times 1e-3 or 1e3 they are the same weights. Here they are
/// brought into one unit, and what they are worth as observations is told.
/// </summary>
public static class RelativeWeights
{
    /// <summary>The smallest weight above 0.</summary>
    public const double Least = 1e-100;

    /// <summary>The largest weight: with it, no sum of weighted squares overflows.</summary>
    public const double Most = 1e100;

    /// <summary>What a weight should be, for messages.</summary>
    public const string Expected = "a weight of 0, or 1e-100 to 1e100 (only ratios of weights count)";

    /// <summary>Whether a weight can be worked with: 0, or from <see cref="Least"/> to <see cref="Most"/>.</summary>
    public static bool IsValid(double weight) => weight is 0 or (>= Least and <= Most);

    /// <summary>
    /// Divides all weights by the power of two that takes their mean into [1, 2), so that no threshold on responsibilities depends on the
    /// unit they came in. Exact. Nothing is done where every weight is 1, or every one is 0.
    /// </summary>
    /// <returns>What they were divided by.</returns>
    internal static double Normalize(Minibatch batch)
    {
        double total = batch.TotalWeight;
        if (batch.Weights.IsEmpty || !(total > 0)) return 1;
        double unit = Math.ScaleB(1, Math.ILogB(total / batch.Count));
        foreach (ref double weight in batch.MutableWeights) weight /= unit;
        return unit;
    }

    /// <summary>
    /// The number of equally weighted observations that a minibatch's rows are worth, (sum w)^2 / sum w^2 (Kish 1965, section 11.7): the
    /// same in every unit of the weights. Rows without a finite log-density are not counted.
    /// </summary>
    /// <param name="batch">The rows.</param>
    /// <param name="logDensities">One per row; none counts every row.</param>
    /// <param name="used">Number of rows with a finite log-density where every weight is 1.</param>
    internal static double Worth(Minibatch batch, ReadOnlySpan<double> logDensities, double used)
    {
        ReadOnlySpan<double> weights = batch.Weights;
        if (weights.IsEmpty) return used;
        double sum = 0, squares = 0;
        for (int row = 0; row < weights.Length; row++)
        {
            if (!logDensities.IsEmpty && !double.IsFinite(logDensities[row])) continue;
            sum += weights[row];
            squares = Math.FusedMultiplyAdd(weights[row], weights[row], squares);
        }
        return squares > 0 ? sum / squares * sum : 0;
    }
}
