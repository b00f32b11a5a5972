using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.Models.Emissions;

public sealed class SymmetricMatrixTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(8, 8)]
    [InlineData(16, 3)]
    public void MinEigenvalueOfAll_RandomMatrices_IsTheLeastOfEach(int dimension, int count)
    {
        var random = new Random(100 * dimension + count);
        for (int trial = 0; trial < 50; trial++)
        {
            double[] matrices =
                [.. Enumerable.Range(0, count).SelectMany(_ => Random(random, dimension, ridge: trial % 5 == 0 ? -0.5 : 0.1))];
            double expected = Enumerable.Range(0, count)
                .Min(k => SymmetricMatrix.MinEigenvalue(matrices.AsSpan(k * dimension * dimension, dimension * dimension), dimension));
            // The test that leaves a matrix out is as exact as its decomposition: some roundings of the largest entry.
            Assert.Equal(expected, SymmetricMatrix.MinEigenvalueOfAll(matrices, dimension), 1e-13 * dimension * matrices.Max(Math.Abs));
        }
    }

    [Fact]
    public void MinEigenvalueOfAll_LeastNotWhereTheDiagonalIsLeast_IsFound()
    {
        // Eigenvalues 1 and 1; then 0.5 and 5.5 under a larger diagonal.
        Assert.Equal(0.5, SymmetricMatrix.MinEigenvalueOfAll([1, 0, 0, 1, 3, 2.5, 2.5, 3], 2), 1e-15);
    }

    private static double[] Random(Random random, int dimension, double ridge)
    {
        double[] root = [.. Enumerable.Range(0, dimension * dimension).Select(_ => random.NextDouble() - 0.5)],
            full = new double[root.Length];
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < dimension; j++)
            {
                for (int d = 0; d < dimension; d++) full[i * dimension + j] += root[i * dimension + d] * root[j * dimension + d];
                if (i == j) full[i * dimension + j] += ridge;
            }
        return full;
    }
}
