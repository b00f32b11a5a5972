using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Calibration;

/// <summary>
/// Turns a log-density into an anomaly score in [0, 1]: 1 minus the share of the stream's records at least as improbable, equal ones
/// included. Inside, the share itself, read from knots; beyond the last knot, which has at most 2 % of the records beyond it, an
/// exponential tail fitted to u = log(1 + max(0, c - log p)): score = 1 - s exp(-(u - u0) / scale). c is 3, or the median log p of a model
/// so narrow that this is larger. log p is in standardised units throughout. A record with missing values is compared with those that have
/// the same values observed (<see cref="Patterns"/>) or, where they are few, by the log-density of a complete record as improbable.
/// Immutable.
/// </summary>
/// <param name="Records">Records (by weight of memory) it was learned from.</param>
/// <param name="Quantiles">Log-densities at equally spaced ranks from the most typical (0 %) to the 98 % quantile, descending: the knots of
/// release 0.1.0, which knew no ties.</param>
/// <param name="TailStart">u0: u where the tail begins.</param>
/// <param name="TailScale">Mean excess of u beyond <paramref name="TailStart"/>.</param>
public sealed record AnomalyCalibration(double Records, IReadOnlyList<double> Quantiles, double TailStart, double TailScale)
{
    /// <summary>The share of records inside, from which on a tail is fitted.</summary>
    public const double TailQuantile = 0.98;

    /// <summary>The smallest p-value: what is rarer could not be told from it.</summary>
    private const double SmallestPValue = 1e-300;

    // The same array where the quantiles are the knots, which is how a snapshot of release 0.1.0 is written again as it was.
    private readonly double[] _densities = Quantiles as double[] ?? [.. Quantiles];
    private readonly double[] _scores = [.. Quantiles.Select((_, at) => TailQuantile * at / Math.Max(1, Quantiles.Count - 1))];

    /// <summary>Log-densities of the knots, descending; twice the same where many records have one log-density.</summary>
    internal IReadOnlyList<double> LogDensities
    {
        get => _densities;
        init => _densities = value as double[] ?? [.. value];
    }

    /// <summary>The score at every knot, ascending.</summary>
    internal IReadOnlyList<double> Scores
    {
        get => _scores;
        init => _scores = value as double[] ?? [.. value];
    }

    /// <summary>s: 1 minus the score where the tail begins.</summary>
    internal double TailShare => 1 - Scores[^1];

    /// <summary>What holds for records with certain values missing, the most frequent such sets; empty where none ever was.</summary>
    internal IReadOnlyList<PatternCalibration> Patterns { get; init; } = [];

    /// <summary>The tail's last scores by themselves; null where it is not known or too few.</summary>
    internal FarTail? Far { get; init; }

    /// <summary>
    /// The anomaly score of a record with this log-density (nats, standardised units): 0 most typical, towards 1 ever rarer.
    /// </summary>
    public double Score(double logDensity) => Judge(logDensity).Score;

    /// <summary>
    /// The anomaly score of a log-density, and the p-value: 1 minus it, with the resolution that the difference has lost in the tail.
    /// </summary>
    internal (double Score, double PValue) Judge(double logDensity)
    {
        if (double.IsNaN(logDensity)) return (double.NaN, double.NaN);
        if (logDensity < _densities[^1])
        {
            double tail = TailShare * ScalarMath.Exp(-Math.Max(0, Excess(logDensity, Reference(Quantiles)) - TailStart) / TailScale);
            return (1 - tail, Math.Max(tail, SmallestPValue));
        }
        double score = Inside(logDensity);
        return (score, 1 - score);
    }

    /// <summary>The log-density with this p-value: the inverse of <see cref="Judge(double)"/>.</summary>
    /// <param name="pValue">In (0, 1).</param>
    internal double LogDensityAt(double pValue)
    {
        if (pValue < TailShare)
        {
            double excess = TailStart + TailScale * ScalarMath.Log(TailShare / pValue);
            return Math.Min(_densities[^1], Reference(Quantiles) - ScalarMath.Expm1(excess));
        }
        int high = 0;
        while (high < _scores.Length - 1 && _scores[high] < 1 - pValue) high++;
        return _densities[high];
    }

    private double Inside(double logDensity)
    {
        // The first knot that is not more probable: of equal ones that with the lowest score, for a record is as improbable as itself.
        int low = Knots.CountAbove(_densities, logDensity);
        if (low == 0 || _densities[low] == logDensity) return _scores[low];
        double within = (_densities[low - 1] - logDensity) / (_densities[low - 1] - _densities[low]);
        return _scores[low - 1] + within * (_scores[low] - _scores[low - 1]);
    }

    /// <summary>The anomaly score of a record (inside, NaN = missing).</summary>
    /// <param name="row">D values.</param>
    /// <param name="logDensity">log p of the values observed.</param>
    /// <param name="comparable">log p of a complete record as improbable; used where some are missing.</param>
    internal double Score(ReadOnlySpan<double> row, double logDensity, double comparable) => Judge(row, logDensity, comparable).Score;

    /// <summary>The same with the p-value.</summary>
    internal (double Score, double PValue) Judge(ReadOnlySpan<double> row, double logDensity, double comparable)
    {
        if (Patterns.Count == 0 && logDensity == comparable) return Judge(logDensity);
        for (int at = 0; at < Patterns.Count; at++)
            if (Patterns[at].Fits(row)) return Patterns[at].Calibration.Judge(logDensity);
        return Judge(double.IsFinite(logDensity) && row.Contains(double.NaN) ? comparable : logDensity);
    }

    /// <summary>
    /// c: 3, or the median where that is larger. The quantiles are at ranks 0.98 j / (n - 1), n even, so one is near the median.
    /// </summary>
    internal static double Reference(IReadOnlyList<double> quantiles) => Math.Max(3, quantiles[quantiles.Count / 2]);

    /// <summary>u = log(1 + max(0, c - log p)).</summary>
    internal static double Excess(double logDensity, double reference) => ScalarMath.Log(1 + Math.Max(0, reference - logDensity));
}

/// <summary>The calibration of the records in which just these features are missing.</summary>
/// <param name="Missing">Numbers of the features, ascending; none for complete records.</param>
/// <param name="Dimension">D.</param>
/// <param name="Calibration">Log-densities of the observed values to scores.</param>
internal sealed record PatternCalibration(IReadOnlyList<int> Missing, int Dimension, AnomalyCalibration Calibration)
{
    private readonly bool[] _isMissing = [.. Enumerable.Range(0, Dimension).Select(Missing.Contains)];

    /// <summary>Whether a row has just these values missing (NaN).</summary>
    internal bool Fits(ReadOnlySpan<double> row)
    {
        for (int d = 0; d < row.Length; d++)
            if (double.IsNaN(row[d]) != _isMissing[d]) return false;
        return true;
    }
}
