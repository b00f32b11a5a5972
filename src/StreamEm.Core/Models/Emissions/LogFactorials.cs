using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>log x! of counts.</summary>
internal static class LogFactorials
{
    /// <summary>Those of the counts most met.</summary>
    private static readonly double[] Table = [.. Enumerable.Range(0, 1024).Select(count => ScalarMath.LogGamma(count + 1))];

    /// <summary>log x!, x a count.</summary>
    public static double Of(double count) => count < Table.Length ? Table[(int)count] : ScalarMath.LogGamma(count + 1);
}
