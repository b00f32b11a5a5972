using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>log x! of counts.</summary>
internal static class LogFactorials
{
    /// <summary>Those of the counts most met.</summary>
    private static readonly double[] Table = [.. Enumerable.Range(0, 1024).Select(count => ScalarMath.LogGamma(count + 1))];

    /// <summary>log x!, x a count.</summary>
    public static double Of(double count) => count < Table.Length ? Table[(int)count] : ScalarMath.LogGamma(count + 1);

    /// <summary>sums -= log x! of every count.</summary>
    public static void Subtract(ReadOnlySpan<double> counts, Span<double> sums)
    {
        double[] table = Table;
        for (int at = 0; at < counts.Length; at++)
        {
            double count = counts[at];
            sums[at] -= count < table.Length ? table[(int)count] : ScalarMath.LogGamma(count + 1);
        }
    }
}
