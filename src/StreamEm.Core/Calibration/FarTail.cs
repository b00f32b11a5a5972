using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Calibration;

/// <summary>
/// The last of a tail's scores by themselves: an exponential beyond the score that only so many exceed, where the one fitted to all that
/// lie beyond the 98 % quantile would be steeper. What is rare enough may come from elsewhere than what is merely unusual.
/// </summary>
/// <param name="Scale">e: mean excess of the whole tail, beyond its start u.</param>
/// <param name="Share">s: share of the scores that lie beyond u, as p-values have it.</param>
/// <param name="Start">v - u: where the last of them begin.</param>
/// <param name="FarShare">Share of the scores that lie beyond v.</param>
/// <param name="FarScale">Their mean excess over v, at least e.</param>
/// <param name="FarCount">How many they are.</param>
internal readonly record struct FarTail(
    double Scale, double Share, double Start, double FarShare, double FarScale, double FarCount)
{
    /// <summary>
    /// The p-value by the last scores of one by the whole tail, p = s exp(-(y - u) / e); before v the same, but no less than what lies
    /// beyond v: ascending in p.
    /// </summary>
    /// <param name="pValue">p.</param>
    public double Of(double pValue)
    {
        if (!(pValue < Share)) return pValue;
        double beyond = Scale * ScalarMath.Log(Share / pValue) - Start;
        return beyond > 0 ? FarShare * ScalarMath.Exp(-beyond / FarScale) : Math.Max(pValue, FarShare);
    }
}
