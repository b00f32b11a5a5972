using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The order of every sum over the rows of a block, which no width of a register changes. Rows are dealt out to a number of lanes, each
/// lane is summed in the order of its rows, and the lanes are added as a tree: eight become four, l(i) + l(i + 4); four become (l0 + l1) +
/// (l2 + l3). Kernels with narrower registers go over the lanes in parts; with wider ones they hold two sums in one. Which kernel has how
/// many lanes is what costs the narrow and the wide least: decision 0021.
/// </summary>
internal static class LaneSums
{
    /// <summary>Lanes of outer products and their first moments.</summary>
    public const int Fours = 4;

    /// <summary>Lanes of all others.</summary>
    public const int Eights = 8;

    /// <summary>sum_i a_i max(b_i, least): four sums of every fourth product, then those, then what is left after the last four.</summary>
    public static double ProductsAbove(ReadOnlySpan<double> a, ReadOnlySpan<double> b, double least)
    {
        int at = 0;
        Vector256<double> floor = Vector256.Create(least), sums = Vector256<double>.Zero;
        for (; at <= a.Length - 4; at += 4)
            sums += Vector256.Create(a.Slice(at, 4)) * Vector256.Max(Vector256.Create(b.Slice(at, 4)), floor);
        double sum = Lanes4.Sum(sums);
        for (; at < a.Length; at++) sum += a[at] * Math.Max(b[at], least);
        return sum;
    }

    /// <summary>Their sum: four sums of every fourth value, then those, then what is left after the last four.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        int at = 0;
        Vector256<double> sums = Vector256<double>.Zero;
        for (; at <= values.Length - 4; at += 4) sums += Vector256.Create(values.Slice(at, 4));
        double sum = Lanes4.Sum(sums);
        for (; at < values.Length; at++) sum += values[at];
        return sum;
    }

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
