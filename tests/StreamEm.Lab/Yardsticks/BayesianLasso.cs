using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>
/// Gibbs sampler of y = X w + N(0, 1) with the prior exp(-penalty |w_j|), written as normals whose variances are exponential (Park &amp;
/// Casella 2008, section 2): w given the variances from a normal, one over each variance given w from an inverse Gaussian. Rows are
/// features and, last, the target; no intercept.
/// </summary>
internal sealed class BayesianLasso
{
    private readonly Matrix<double> _gram;
    private readonly Vector<double> _product;

    /// <summary>The sampler of some records.</summary>
    public BayesianLasso(Minibatch rows)
    {
        int size = rows.Dimension - 1;
        (_gram, _product) = (Matrix<double>.Build.Dense(size, size), Vector<double>.Build.Dense(size));
        for (int row = 0; row < rows.Count; row++)
        {
            Vector<double> x = Vector<double>.Build.Dense(rows.Row(row)[..size].ToArray());
            _gram += x.OuterProduct(x);
            _product += rows.Row(row)[size] * x;
        }
    }

    /// <summary>Draws of w, those of the first tenth left out.</summary>
    public double[][] Draw(double penalty, int sweeps, RandomDraws draws)
    {
        int size = _product.Count;
        double[] inverse = new double[size];
        Array.Fill(inverse, 1);
        var kept = new List<double[]>();
        for (int sweep = 0; sweep < sweeps + sweeps / 10; sweep++)
        {
            Matrix<double> precision = _gram + Matrix<double>.Build.DenseOfDiagonalArray(inverse);
            double[] w = [.. PrecisionNormal.Draw(precision.Cholesky(), _product, draws)];
            for (int j = 0; j < size; j++) inverse[j] = InverseGaussian(penalty / Math.Abs(w[j]), penalty * penalty, draws);
            if (sweep >= sweeps / 10) kept.Add(w);
        }
        return [.. kept];
    }

    /// <summary>The posterior's log-density at w, but for a constant.</summary>
    public double LogPosterior(double[] w, double penalty)
    {
        Vector<double> at = Vector<double>.Build.Dense(w);
        return at.DotProduct(_product) - 0.5 * at.DotProduct(_gram * at) - penalty * w.Sum(Math.Abs);
    }

    /// <summary>An inverse Gaussian by the smaller root of its chi-squared (Michael, Schucany &amp; Haas 1976).</summary>
    private static double InverseGaussian(double mean, double shape, RandomDraws draws)
    {
        double normal = draws.Normal(), scaled = mean * normal * normal / (2 * shape);
        // mean (1 + s - sqrt(2 s + s^2)), in a form that does not cancel.
        double root = mean / (1 + scaled + Math.Sqrt(scaled * (2 + scaled)));
        return draws.Uniform() * (mean + root) <= mean ? root : mean * mean / root;
    }
}
