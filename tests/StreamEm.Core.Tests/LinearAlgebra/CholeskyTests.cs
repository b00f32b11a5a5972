using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class CholeskyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(64)]
    public void FactorAndInvert_PositiveDefinite_EqualMathNet(int dimension)
    {
        Matrix<double> matrix = PositiveDefinite(dimension), expected = matrix.Cholesky().Factor;
        double[] packed = Pack(matrix);
        Assert.Equal(-1, Cholesky.Factor(packed, dimension, out double pivot));
        KernelData.Close(Pack(expected), packed, 1e-13);
        Assert.Equal(Enumerable.Range(0, dimension).Min(i => expected[i, i] * expected[i, i]), pivot, 1e-12);

        Cholesky.InvertLower(packed, dimension);
        KernelData.Close(Pack(expected.Inverse()), packed, 1e-13);
    }

    [Fact]
    public void Factor_NotPositiveDefinite_NamesTheRowAndThePivot()
    {
        double[] packed = [4, 2, 5, 2, 1, 1];
        Assert.Equal(2, Cholesky.Factor(packed, 3, out double pivot));
        Assert.Equal(0, pivot, 1e-15);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Factor_OneNegativeDirection_NamesItsRow(int row)
    {
        double[] packed = Pack(Matrix<double>.Build.DenseIdentity(5));
        packed[Packed.Index(row, row)] = -2;
        Assert.Equal(row, Cholesky.Factor(packed, 5, out double pivot));
        Assert.Equal(-2, pivot);
    }

    /// <summary>A A' / D + 1: eigenvalues between 1 and some 5, so both sides are exact to a few ulps.</summary>
    private static Matrix<double> PositiveDefinite(int dimension)
    {
        var random = new Random(dimension);
        Matrix<double> a = Matrix<double>.Build.Dense(dimension, dimension, (_, _) => 2 * random.NextDouble() - 1);
        return a * a.Transpose() / dimension + Matrix<double>.Build.DenseIdentity(dimension);
    }

    private static double[] Pack(Matrix<double> matrix)
    {
        double[] packed = new double[Packed.Length(matrix.RowCount)];
        for (int i = 0; i < matrix.RowCount; i++)
            for (int j = 0; j <= i; j++) packed[Packed.Index(i, j)] = matrix[i, j];
        return packed;
    }
}
