using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Data;

namespace StreamEm.Lab.Yardsticks;

/// <summary>What is often taken for EM with missing values, and is not: filling them in.</summary>
internal static class CoarseImputation
{
    /// <summary>The covariance when every gap is filled with its conditional mean given the rest of its row, to convergence: EM's E-step
    /// without the conditional covariance of what is missing.</summary>
    public static Matrix<double> ConditionalMeans(Minibatch rows, int iterations)
    {
        int dimension = rows.Dimension;
        double[,] filled = Filled(rows);
        Vector<double> mean = Vector<double>.Build.Dense(dimension);
        Matrix<double> covariance = Matrix<double>.Build.DenseIdentity(dimension);
        for (int iteration = 0; iteration <= iterations; iteration++)
        {
            (mean, covariance) = Moments(filled);
            if (iteration == iterations) break;
            for (int row = 0; row < rows.Count; row++) Fill(rows.Row(row), row, filled, mean, covariance);
        }
        return covariance;
    }

    /// <summary>The covariance when every gap is filled with the mean of its feature.</summary>
    public static Matrix<double> Means(Minibatch rows) => Moments(Filled(rows)).Covariance;

    private static double[,] Filled(Minibatch rows)
    {
        double[,] filled = new double[rows.Count, rows.Dimension];
        for (int d = 0; d < rows.Dimension; d++)
        {
            double sum = 0, count = 0;
            for (int row = 0; row < rows.Count; row++)
                if (!double.IsNaN(rows.Row(row)[d])) (sum, count) = (sum + rows.Row(row)[d], count + 1);
            for (int row = 0; row < rows.Count; row++)
                filled[row, d] = double.IsNaN(rows.Row(row)[d]) ? sum / count : rows.Row(row)[d];
        }
        return filled;
    }

    private static void Fill(ReadOnlySpan<double> row, int n, double[,] filled, Vector<double> mean, Matrix<double> covariance)
    {
        var seen = new List<int>();
        var missing = new List<int>();
        for (int d = 0; d < row.Length; d++) (double.IsNaN(row[d]) ? missing : seen).Add(d);
        if (missing.Count == 0 || seen.Count == 0)
        {
            foreach (int d in missing) filled[n, d] = mean[d];
            return;
        }
        Matrix<double> ofSeen = Matrix<double>.Build.Dense(seen.Count, seen.Count, (i, j) => covariance[seen[i], seen[j]]),
            across = Matrix<double>.Build.Dense(missing.Count, seen.Count, (i, j) => covariance[missing[i], seen[j]]);
        Vector<double> apart = Vector<double>.Build.Dense(seen.Count, i => filled[n, seen[i]] - mean[seen[i]]),
            found = across * ofSeen.Cholesky().Solve(apart);
        for (int at = 0; at < missing.Count; at++) filled[n, missing[at]] = mean[missing[at]] + found[at];
    }

    private static (Vector<double> Mean, Matrix<double> Covariance) Moments(double[,] rows)
    {
        Matrix<double> all = Matrix<double>.Build.DenseOfArray(rows);
        Vector<double> mean = all.ColumnSums() / all.RowCount;
        return (mean, all.TransposeThisAndMultiply(all) / all.RowCount - mean.OuterProduct(mean));
    }
}
