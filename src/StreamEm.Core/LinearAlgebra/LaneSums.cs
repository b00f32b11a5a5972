using System.Numerics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Plain sums over the lanes of a block.</summary>
internal static class LaneSums
{
    /// <summary>Whether every value is above <paramref name="bound"/> (a NaN is not), and if so their sum.</summary>
    public static bool TrySumAbove(ReadOnlySpan<double> values, double bound, out double sum)
    {
        int width = Vector<double>.Count, at = 0;
        var bounds = new Vector<double>(bound);
        Vector<double> sums = Vector<double>.Zero;
        Vector<long> above = Vector<long>.AllBitsSet;
        for (; at <= values.Length - width; at += width)
        {
            var lane = new Vector<double>(values[at..]);
            above &= Vector.GreaterThan(lane, bounds);
            sums += lane;
        }
        sum = Vector.Sum(sums);
        bool all = above == Vector<long>.AllBitsSet;
        for (; at < values.Length; at++)
        {
            all &= values[at] > bound;
            sum += values[at];
        }
        return all;
    }
}
