using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Intervals;

/// <summary>
/// The normal-mixture confidence sequence of a mean (Robbins 1970, Annals of Mathematical Statistics 41; Waudby-Smith, Arbour, Sinha,
/// Kennedy &amp; Ramdas 2024, Annals of Statistics 52, theorem 2.2): with probability 1 - alpha the truth is inside at every n from the
/// first look on, for ever.
/// </summary>
internal static class ConfidenceSequence
{
    /// <summary>1 - alpha.</summary>
    public const double Level = 0.95;

    /// <summary>
    /// n rho^2 at the first look. From there to five hundred times as many records the sequence is at most 1.8 times as wide as the
    /// interval that holds at one n alone, and narrowest, 1.55 times, at seven times as many.
    /// </summary>
    private const double AtFirst = 1.2;

    /// <summary>How many standard errors the sequence is wide to either side:
    /// sqrt(2 (1 + 1 / x) log(sqrt(1 + x) / alpha)), x = n rho^2.</summary>
    /// <param name="records">n.</param>
    /// <param name="first">n at the first look, which decides rho and must not depend on the data.</param>
    public static double StandardErrors(double records, double first)
    {
        double x = AtFirst * records / first;
        return Math.Sqrt(2 * (1 + 1 / x) * ScalarMath.Log(Math.Sqrt(1 + x) / (1 - Level)));
    }
}
