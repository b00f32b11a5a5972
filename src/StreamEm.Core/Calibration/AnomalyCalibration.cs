namespace StreamEm.Core.Calibration;

/// <summary>
/// Turns a log-density into an anomaly score in [0, 1]: the share of the stream's own records that were more typical. Inside, the rank among
/// the stream's log-densities; beyond the 98 % quantile an exponential tail fitted to u = log(1 + max(0, 3 - log p)).
/// log p is in standardised units throughout. Immutable.
/// </summary>
/// <param name="Records">Records (by weight of memory) it was learned from.</param>
/// <param name="Quantiles">Log-densities at equally spaced ranks from the most typical (0 %) to the 98 % quantile, descending.</param>
/// <param name="TailStart">u at the 98 % quantile.</param>
/// <param name="TailScale">Mean excess of u beyond <paramref name="TailStart"/>; 0 when nothing lies beyond.</param>
public sealed record AnomalyCalibration(double Records, IReadOnlyList<double> Quantiles, double TailStart, double TailScale)
{
    /// <summary>The share of records inside, from which on the fitted tail is used.</summary>
    public const double TailQuantile = 0.98;
}
