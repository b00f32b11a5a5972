using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Probabilities that sum to 1.</summary>
internal static class Simplex
{
    /// <summary>The smallest probability that is divided by.</summary>
    private const double Least = 1e-300;

    /// <summary>sum p log(p / q); a p of 0 adds nothing.</summary>
    public static double Divergence(ReadOnlySpan<double> p, ReadOnlySpan<double> q)
    {
        double sum = 0;
        for (int at = 0; at < p.Length; at++)
            if (p[at] > 0) sum += p[at] * (ScalarMath.Log(p[at]) - ScalarMath.Log(Math.Max(q[at], Least)));
        return Math.Max(0, sum);
    }

    /// <summary>
    /// Moves two equal distributions apart: half of the rarer of the two commonest outcomes is moved to the other and back.
    /// </summary>
    public static void MoveApart(Span<double> one, Span<double> two)
    {
        if (one.Length < 2) return;
        int first = 0, second = -1;
        for (int at = 1; at < one.Length; at++)
        {
            if (one[at] > one[first]) (first, second) = (at, first);
            else if (second < 0 || one[at] > one[second]) second = at;
        }
        double step = one[second] / 2;
        (one[first], one[second], two[first], two[second]) =
            (one[first] + step, one[second] - step, two[first] - step, two[second] + step);
    }
}
