namespace StreamEm.Core.Initialization;

/// <summary>Squared distances of rows with missing values.</summary>
internal static class Distances
{
    /// <summary>Sum over the features both have, scaled by D / their number; 0 when they share none.</summary>
    public static double Partial(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        int shared = 0;
        for (int d = 0; d < a.Length; d++)
        {
            double difference = a[d] - b[d];
            if (double.IsNaN(difference)) continue;
            sum = Math.FusedMultiplyAdd(difference, difference, sum);
            shared++;
        }
        return shared == 0 ? 0 : sum * a.Length / shared;
    }
}
