using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Plain sums over the lanes of a block.</summary>
internal static class LaneSums
{
    /// <summary>
    /// Whether every value is above <paramref name="bound"/> (a NaN is not), and if so their sum: four sums of every fourth value, then
    /// those, then what is left after the last four.
    /// </summary>
    public static bool TrySumAbove(ReadOnlySpan<double> values, double bound, out double sum)
    {
        int at = 0;
        Vector256<double> bounds = Vector256.Create(bound), sums = Vector256<double>.Zero, above = Vector256<double>.AllBitsSet;
        for (; at <= values.Length - 4; at += 4)
        {
            Vector256<double> lane = Vector256.Create(values.Slice(at, 4));
            above &= Vector256.GreaterThan(lane, bounds);
            sums += lane;
        }
        sum = Lanes4.Sum(sums);
        bool all = above.ExtractMostSignificantBits() == 0b1111;
        for (; at < values.Length; at++)
        {
            all &= values[at] > bound;
            sum += values[at];
        }
        return all;
    }
}
