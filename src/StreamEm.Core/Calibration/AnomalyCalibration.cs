namespace StreamEm.Core.Calibration;

/// <summary>
/// Turns a log-density into an anomaly score in [0, 1]: 1 minus the tail probability of the record, the share of the stream's own records
/// that were at least as improbable. Inside, the rank among the stream's log-densities; beyond the 98 % quantile an exponential tail fitted
/// to u = log(1 + max(0, c - log p)): score = 1 - 0.02 exp(-(u - u98) / scale). c is 3, or the median log p of a model so narrow that this
/// is larger. log p is in standardised units throughout. Immutable.
/// </summary>
/// <param name="Records">Records (by weight of memory) it was learned from.</param>
/// <param name="Quantiles">Log-densities at equally spaced ranks from the most typical (0 %) to the 98 % quantile, descending.</param>
/// <param name="TailStart">u at the 98 % quantile.</param>
/// <param name="TailScale">Mean excess of u beyond <paramref name="TailStart"/>.</param>
public sealed record AnomalyCalibration(double Records, IReadOnlyList<double> Quantiles, double TailStart, double TailScale)
{
    /// <summary>The share of records inside, from which on the fitted tail is used.</summary>
    public const double TailQuantile = 0.98;

    /// <summary>
    /// The anomaly score of a record with this log-density (nats, standardised units): 0 most typical, towards 1 ever rarer.
    /// </summary>
    public double Score(double logDensity)
    {
        if (double.IsNaN(logDensity)) return double.NaN;
        int last = Quantiles.Count - 1;
        if (logDensity < Quantiles[last])
            return 1 - (1 - TailQuantile) * Math.Exp(-Math.Max(0, Excess(logDensity, Reference(Quantiles)) - TailStart) / TailScale);
        int low = 0, high = last;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (Quantiles[middle] >= logDensity) low = middle;
            else high = middle;
        }
        if (logDensity >= Quantiles[0]) return 0;
        double span = Quantiles[low] - Quantiles[high];
        double within = span > 0 ? (Quantiles[low] - logDensity) / span : 1;
        return TailQuantile * (low + Math.Clamp(within, 0, 1)) / last;
    }

    /// <summary>
    /// c: 3, or the median where that is larger. The quantiles are at ranks 0.98 j / (n - 1), n even, so one is near the median.
    /// </summary>
    internal static double Reference(IReadOnlyList<double> quantiles) => Math.Max(3, quantiles[quantiles.Count / 2]);

    /// <summary>u = log(1 + max(0, c - log p)).</summary>
    internal static double Excess(double logDensity, double reference) => Math.Log(1 + Math.Max(0, reference - logDensity));
}
