using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>
/// Gibbs sampler of a matrix of known noise, r_ij = u_i' v_j + N(0, 1 / precision), whose factors of rows and of columns are from normals
/// with unknown means and covariances, these from a normal-Wishart with W = I, nu = q, mu = 0, beta = 2 (Salakhutdinov &amp; Mnih 2008,
/// section 3). Cells that are NaN are not there.
/// </summary>
/// <param name="cells">Rows of columns.</param>
/// <param name="factors">q.</param>
/// <param name="precision">Of the noise.</param>
internal sealed class BayesianFactorization(double[][] cells, int factors, double precision)
{
    private const double Beta = 2;

    private readonly int _columns = cells[0].Length;

    /// <summary>Mean and variance of u_i' v_j of every cell over the draws, those of the first quarter left out.</summary>
    public (double[][] Mean, double[][] Variance) Predict(int sweeps, RandomDraws draws)
    {
        Vector<double>[] rows = Start(cells.Length, draws), columns = Start(_columns, draws);
        double[][] byColumn = [.. Enumerable.Range(0, _columns).Select(j => cells.Select(row => row[j]).ToArray())];
        double[][] mean = [.. cells.Select(row => new double[row.Length])], square = [.. cells.Select(row => new double[row.Length])];
        int first = sweeps / 4;
        for (int sweep = 0; sweep < sweeps + first; sweep++)
        {
            Side(rows, columns, cells, draws);
            Side(columns, rows, byColumn, draws);
            if (sweep < first) continue;
            for (int i = 0; i < rows.Length; i++)
            {
                for (int j = 0; j < _columns; j++)
                {
                    double product = rows[i].DotProduct(columns[j]);
                    mean[i][j] += product / sweeps;
                    square[i][j] += product * product / sweeps;
                }
            }
        }
        return (mean, [.. square.Zip(mean, (squares, means) => squares.Zip(means, (s, m) => s - m * m).ToArray())]);
    }

    private Vector<double>[] Start(int count, RandomDraws draws) =>
        [.. Enumerable.Range(0, count).Select(_ => Vector<double>.Build.Dense(factors, _ => draws.Normal()))];

    /// <summary>Draws all vectors of one side, first what they are drawn from, given those of the other.</summary>
    private void Side(Vector<double>[] own, Vector<double>[] other, double[][] seen, RandomDraws draws)
    {
        (Vector<double> centre, Matrix<double> spread) = Hyperparameters(own, draws);
        Vector<double> prior = spread * centre;
        for (int i = 0; i < own.Length; i++)
        {
            Matrix<double> inverse = spread.Clone();
            Vector<double> product = prior.Clone();
            for (int j = 0; j < other.Length; j++)
            {
                if (double.IsNaN(seen[i][j])) continue;
                inverse += precision * other[j].OuterProduct(other[j]);
                product += precision * seen[i][j] * other[j];
            }
            own[i] = PrecisionNormal.Draw(inverse.Cholesky(), product, draws);
        }
    }

    /// <summary>Mean and precision of one side's normal given its vectors.</summary>
    private (Vector<double> Mean, Matrix<double> Precision) Hyperparameters(Vector<double>[] vectors, RandomDraws draws)
    {
        int count = vectors.Length;
        Vector<double> mean = vectors.Aggregate((one, next) => one + next) / count;
        Matrix<double> scatter = Matrix<double>.Build.DenseIdentity(factors);
        foreach (Vector<double> vector in vectors) scatter += (vector - mean).OuterProduct(vector - mean);
        scatter += Beta * count / (Beta + count) * mean.OuterProduct(mean);
        Matrix<double> spread = Wishart(scatter.Inverse(), factors + count, draws);
        Vector<double> centre =
            PrecisionNormal.Draw(((Beta + count) * spread).Cholesky(), spread * mean * count, draws);
        return (centre, spread);
    }

    /// <summary>A Wishart of scale W and nu degrees of freedom (Bartlett 1933).</summary>
    private static Matrix<double> Wishart(Matrix<double> scale, double freedom, RandomDraws draws)
    {
        int size = scale.RowCount;
        Matrix<double> a = Matrix<double>.Build.Dense(size, size);
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column < row; column++) a[row, column] = draws.Normal();
            a[row, row] = Math.Sqrt(2 * draws.Gamma((freedom - row) / 2));
        }
        Matrix<double> factor = scale.Cholesky().Factor * a;
        return factor * factor.Transpose();
    }
}
