using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>Probit regression by Newton's method and by a Gibbs sampler; rows are features and, last, the target 0 or 1.</summary>
/// <param name="rows">The data.</param>
/// <param name="precision">Of the normal prior of every coefficient, the intercept's too.</param>
internal sealed class Probit(Minibatch rows, double precision)
{
    private readonly int _size = rows.Dimension;

    /// <summary>The coefficients after each Newton step, the start first.</summary>
    public List<double[]> Newton(double[] start, int iterations)
    {
        var path = new List<double[]> { start };
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            double[] w = path[^1];
            Matrix<double> hessian = Matrix<double>.Build.DenseDiagonal(_size, _size, precision);
            Vector<double> gradient = -precision * Vector<double>.Build.Dense(w);
            for (int row = 0; row < rows.Count; row++)
            {
                Vector<double> z = Design(row);
                double sign = 2 * rows.Row(row)[^1] - 1, m = sign * z.DotProduct(Vector<double>.Build.Dense(w));
                NormalDistribution.LogCumulative(m, out double ratio);
                gradient += sign * ratio * z;
                hessian += ratio * (ratio + m) * z.OuterProduct(z);
            }
            path.Add([.. Vector<double>.Build.Dense(w) + hessian.Cholesky().Solve(gradient)]);
        }
        return path;
    }

    /// <summary>
    /// Means and standard deviations of the coefficients' posterior by data augmentation (Albert &amp; Chib 1993): z given w from a normal
    /// cut off at 0, w given z from a normal; the first tenth is left out.
    /// </summary>
    public (double[] Mean, double[] Deviation) Gibbs(int sweeps, RandomDraws draws)
    {
        Matrix<double> gram = Matrix<double>.Build.DenseDiagonal(_size, _size, precision);
        for (int row = 0; row < rows.Count; row++) gram += Design(row).OuterProduct(Design(row));
        MathNet.Numerics.LinearAlgebra.Factorization.Cholesky<double> factor = gram.Cholesky();
        Vector<double> w = Vector<double>.Build.Dense(_size), sum = w.Clone(), squares = w.Clone();
        int first = sweeps / 10;
        for (int sweep = 0; sweep < first + sweeps; sweep++)
        {
            Vector<double> products = Vector<double>.Build.Dense(_size);
            for (int row = 0; row < rows.Count; row++)
            {
                Vector<double> z = Design(row);
                products += z * Truncated(z.DotProduct(w), rows.Row(row)[^1] > 0.5, draws);
            }
            w = PrecisionNormal.Draw(factor, products, draws);
            if (sweep < first) continue;
            sum += w / sweeps;
            squares += w.PointwiseMultiply(w) / sweeps;
        }
        return ([.. sum], [.. (squares - sum.PointwiseMultiply(sum)).PointwiseSqrt()]);
    }

    private Vector<double> Design(int row) =>
        Vector<double>.Build.Dense(_size, at => at == 0 ? 1 : rows.Row(row)[at - 1]);

    /// <summary>A normal of unit variance above 0, or below, by drawing until it is.</summary>
    private static double Truncated(double mean, bool isAbove, RandomDraws draws)
    {
        while (true)
        {
            double z = mean + draws.Normal();
            if (z > 0 == isAbove) return z;
        }
    }
}
