using System.Numerics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>Places among few sorted numbers, found by counting: no branch is guessed wrong.</summary>
internal static class Knots
{
    /// <summary>How many numbers are above a value.</summary>
    public static int CountAbove(ReadOnlySpan<double> numbers, double value)
    {
        int width = Vector<double>.Count, at = 0;
        var values = new Vector<double>(value);
        Vector<long> counts = Vector<long>.Zero;
        // A comparison that holds is -1.
        for (; at <= numbers.Length - width; at += width) counts -= Vector.GreaterThan(new Vector<double>(numbers[at..]), values);
        int count = 0;
        for (int lane = 0; lane < Vector<long>.Count; lane++) count += (int)counts[lane];
        for (; at < numbers.Length; at++) count += numbers[at] > value ? 1 : 0;
        return count;
    }
}
