using StreamEm.Core.Data;

namespace StreamEm.Lab.Yardsticks;

/// <summary>The LASSO by coordinate descent (Friedman, Hastie &amp; Tibshirani 2010): 1/2 ||y - X w||^2 + pull ||w||_1, no intercept; rows
/// are features and, last, the target.</summary>
internal static class CoordinateDescent
{
    /// <summary>The coefficients.</summary>
    public static double[] Lasso(Minibatch rows, double pull, int sweeps = 2000)
    {
        int size = rows.Dimension - 1;
        double[] w = new double[size], residuals = new double[rows.Count];
        for (int row = 0; row < rows.Count; row++) residuals[row] = rows.Row(row)[size];
        for (int sweep = 0; sweep < sweeps; sweep++)
        {
            double moved = 0;
            for (int j = 0; j < size; j++)
            {
                double product = 0, square = 0;
                for (int row = 0; row < rows.Count; row++)
                {
                    double x = rows.Row(row)[j];
                    product += x * (residuals[row] + x * w[j]);
                    square += x * x;
                }
                double next = Math.Sign(product) * Math.Max(0, Math.Abs(product) - pull) / square;
                for (int row = 0; row < rows.Count; row++) residuals[row] -= rows.Row(row)[j] * (next - w[j]);
                moved = Math.Max(moved, Math.Abs(next - w[j]));
                w[j] = next;
            }
            if (moved < 1e-14) break;
        }
        return w;
    }
}
