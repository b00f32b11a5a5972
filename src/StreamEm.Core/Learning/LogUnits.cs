using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// What log-densities change by between the inside and the user's units: log(scale) of the observed features that the density is of.
/// </summary>
internal sealed class LogUnits
{
    private readonly double[] _logScale;
    private readonly double _all;

    public LogUnits(LatentModel model, FeatureSpace space)
    {
        _logScale = space.LogScale.ToArray();
        for (int d = 0; d < _logScale.Length; d++)
            if (!model.IsDensityOf(d)) _logScale[d] = 0;
        foreach (double value in _logScale) _all += value;
    }

    /// <summary>Weighted sum over the rows used of the log-likelihood's change of units. Counts impossible rows.</summary>
    public double Sum(
        Minibatch rows, bool complete, Evidence evidence, double[] logDensities, InfluenceBound? bound, ref long impossible)
    {
        // Every row was used, and whole.
        if (complete && rows.Weights.IsEmpty && evidence.Weight == rows.Count) return evidence.Weight * _all;
        double sum = 0;
        ReadOnlySpan<double> weights = rows.Weights;
        for (int row = 0; row < rows.Count; row++)
        {
            if (double.IsNegativeInfinity(logDensities[row])) impossible++;
            if (!double.IsFinite(logDensities[row]) || (bound is not null && bound.IsHeld(row))) continue;
            double units = complete ? _all : Observed(rows.Row(row));
            sum = Math.FusedMultiplyAdd(weights.IsEmpty ? 1 : weights[row], units, sum);
        }
        return sum;
    }

    private double Observed(ReadOnlySpan<double> row)
    {
        double units = 0;
        for (int d = 0; d < row.Length; d++)
            if (!double.IsNaN(row[d])) units += _logScale[d];
        return units;
    }
}
