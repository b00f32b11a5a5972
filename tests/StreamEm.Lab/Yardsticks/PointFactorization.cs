using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Lab.Yardsticks;

/// <summary>
/// A matrix by one estimate of the factors of rows and one of those of columns, both with N(0, 1) priors: the maximum of the posterior by
/// alternating least squares (Salakhutdinov &amp; Mnih 2007). Cells that are NaN are not there.
/// </summary>
internal static class PointFactorization
{
    /// <summary>The predicted cells.</summary>
    /// <param name="cells">Rows of columns.</param>
    /// <param name="factors">q.</param>
    /// <param name="noise">Variance of a cell.</param>
    /// <param name="sweeps">How often both sides are found.</param>
    /// <param name="draws">Chance of the start.</param>
    public static double[][] Predict(double[][] cells, int factors, double noise, int sweeps, RandomDraws draws)
    {
        int width = cells[0].Length;
        double[][] byColumn = [.. Enumerable.Range(0, width).Select(j => cells.Select(row => row[j]).ToArray())];
        var rows = new Vector<double>[cells.Length];
        Vector<double>[] columns =
            [.. Enumerable.Range(0, width).Select(_ => Vector<double>.Build.Dense(factors, _ => draws.Normal()))];
        for (int sweep = 0; sweep < sweeps; sweep++)
        {
            Solve(rows, columns, cells, noise);
            Solve(columns, rows, byColumn, noise);
        }
        return [.. rows.Select(row => columns.Select(column => row.DotProduct(column)).ToArray())];
    }

    private static void Solve(Vector<double>[] own, Vector<double>[] other, double[][] seen, double noise)
    {
        int factors = other[0].Count;
        for (int i = 0; i < own.Length; i++)
        {
            Matrix<double> gram = Matrix<double>.Build.DenseDiagonal(factors, factors, noise);
            Vector<double> product = Vector<double>.Build.Dense(factors);
            for (int j = 0; j < other.Length; j++)
            {
                if (double.IsNaN(seen[i][j])) continue;
                gram += other[j].OuterProduct(other[j]);
                product += seen[i][j] * other[j];
            }
            own[i] = gram.Cholesky().Solve(product);
        }
    }
}
