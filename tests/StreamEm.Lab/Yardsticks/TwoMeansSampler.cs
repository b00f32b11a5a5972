using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>
/// Gibbs sampler of the two means of 0.5 N(mu_1, 1) + 0.5 N(mu_2, 1) with priors N(0, 10^2): each z_n given the means, each mean given its
/// rows (Diebolt &amp; Robert 1994); after each sweep the names are exchanged with probability 1/2, as the posterior does not tell them
/// apart (Frühwirth-Schnatter 2001).
/// </summary>
internal static class TwoMeansSampler
{
    private const double PriorPrecision = 0.01;

    /// <summary>Draws of (mu_1, mu_2), those of the first tenth left out.</summary>
    public static (double First, double Second)[] Draw(Minibatch rows, int count, RandomDraws draws)
    {
        double[] means = [-0.5, 0.5];
        var kept = new List<(double, double)>();
        for (int sweep = 0; sweep < count + count / 10; sweep++)
        {
            double[] sums = new double[2], counts = new double[2];
            for (int row = 0; row < rows.Count; row++)
            {
                double x = rows.Row(row)[0];
                double odds = 0.5 * (x - means[0]) * (x - means[0]) - 0.5 * (x - means[1]) * (x - means[1]);
                int z = draws.Uniform() < 1 / (1 + ScalarMath.Exp(-odds)) ? 1 : 0;
                sums[z] += x;
                counts[z]++;
            }
            for (int k = 0; k < 2; k++)
            {
                double precision = counts[k] + PriorPrecision;
                means[k] = sums[k] / precision + draws.Normal() / Math.Sqrt(precision);
            }
            if (draws.Uniform() < 0.5) (means[0], means[1]) = (means[1], means[0]);
            if (sweep >= count / 10) kept.Add((means[0], means[1]));
        }
        return [.. kept];
    }
}
