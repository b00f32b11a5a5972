using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Lab;

/// <summary>A mixture of Gaussians that data are drawn from.</summary>
/// <param name="Weights">K.</param>
/// <param name="Means">K of D.</param>
/// <param name="Factors">K Cholesky factors, lower, row-major [D, D].</param>
internal sealed record Truth(double[] Weights, double[][] Means, double[][] Factors)
{
    /// <summary>Three components in the plane, of weights 0.5, 0.3 and 0.2.</summary>
    public static Truth Three { get; } = new(
        [0.5, 0.3, 0.2], [[0, 0], [4, 0], [0, 4]],
        [[1, 0, 0.3, Math.Sqrt(0.91)], [Math.Sqrt(0.5), 0, 0, Math.Sqrt(1.5)],
            [Math.Sqrt(1.5), 0, -0.4 / Math.Sqrt(1.5), Math.Sqrt(0.6 - 0.16 / 1.5)]]);

    /// <summary>Features.</summary>
    public int Dimension => Means[0].Length;

    /// <summary>Means and covariances, row-major.</summary>
    public double[][] Blocks =>
        [Weights, [.. Means.SelectMany(mean => mean)], [.. Factors.SelectMany(factor => Product(factor, Dimension))]];

    /// <summary>Equal weights and unit covariances about these means.</summary>
    public static Truth Spheres(IReadOnlyList<double[]> means, double deviation = 1)
    {
        int dimension = means[0].Length;
        double[] factor = new double[dimension * dimension];
        for (int d = 0; d < dimension; d++) factor[d * dimension + d] = deviation;
        return new Truth([.. means.Select(_ => 1.0 / means.Count)], [.. means], [.. means.Select(_ => factor)]);
    }

    /// <summary>Rows of it.</summary>
    /// <param name="count">How many.</param>
    /// <param name="draws">Chance.</param>
    /// <param name="components">Overwritten with what each row came from; null leaves that out.</param>
    public Minibatch Draw(int count, RandomDraws draws, List<int>? components = null)
    {
        var rows = new Minibatch(Dimension, count);
        double[] z = new double[Dimension], row = new double[Dimension];
        for (int n = 0; n < count; n++)
        {
            int k = draws.Category(Weights);
            components?.Add(k);
            for (int d = 0; d < Dimension; d++) z[d] = draws.Normal();
            for (int i = 0; i < Dimension; i++)
            {
                row[i] = Means[k][i];
                for (int j = 0; j <= i; j++) row[i] += Factors[k][i * Dimension + j] * z[j];
            }
            rows.Add(row);
        }
        return rows;
    }

    private static double[] Product(double[] factor, int dimension)
    {
        double[] covariance = new double[dimension * dimension];
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < dimension; j++)
                for (int d = 0; d < dimension; d++)
                    covariance[i * dimension + j] += factor[i * dimension + d] * factor[j * dimension + d];
        return covariance;
    }
}
