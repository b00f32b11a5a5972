using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class QuadraticFormsTests
{
    /// <summary>
    /// D + 1 rounding errors of 2^-53 in y, twice that in its square, D of them summed; constants of 2 may cancel squares of up to 18
    /// first.
    /// </summary>
    private static double Tolerance(int dimension) => 8 * (dimension + 8) * 1.2e-16;

    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void AddTriangular_AnyShapeAndPath_EqualsThePlainLoop(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components);
        double[] actual = Enumerable.Repeat(0.25, components * RowBlock.Stride).ToArray();
        QuadraticForms.AddTriangular(
            Enum.Parse<KernelPath>(path), data.Columns, dimension, components, data.Triangles, data.Biases, data.Constants, actual);

        var expected = (double[])actual.Clone();
        for (int k = 0; k < components; k++)
            for (int row = 0; row < data.Count; row++)
            {
                double squares = 0;
                for (int i = 0; i < dimension; i++)
                {
                    double y = -data.Biases[k * dimension + i];
                    for (int d = 0; d <= i; d++) y += data.Triangles[k * Packed.Length(dimension) + Packed.Index(i, d)] * data.Row(row, d);
                    squares += y * y;
                }
                expected[k * RowBlock.Stride + row] = 0.25 + data.Constants[k] - squares / 2;
            }

        KernelData.Close(expected, actual, Tolerance(dimension));
    }

    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void AddDiagonal_AnyShapeAndPath_EqualsThePlainLoop(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components);
        double[] actual = Enumerable.Repeat(0.25, components * RowBlock.Stride).ToArray();
        QuadraticForms.AddDiagonal(
            Enum.Parse<KernelPath>(path), data.Columns, dimension, components, data.Factors, data.Biases, data.Constants, actual);

        var expected = (double[])actual.Clone();
        for (int k = 0; k < components; k++)
            for (int row = 0; row < data.Count; row++)
            {
                double squares = 0;
                for (int d = 0; d < dimension; d++)
                {
                    double y = data.Factors[k * dimension + d] * data.Row(row, d) - data.Biases[k * dimension + d];
                    squares += y * y;
                }
                expected[k * RowBlock.Stride + row] = 0.25 + data.Constants[k] - squares / 2;
            }
        KernelData.Close(expected, actual, Tolerance(dimension));
    }

    [Fact]
    public void AddTriangular_OutputTooShort_SaysWhatItNeeds()
    {
        var data = new KernelData(2, 3);
        var error = Assert.Throws<ArgumentException>(() =>
            QuadraticForms.AddTriangular(data.Columns, 2, 3, data.Triangles, data.Biases, data.Constants, new double[2 * RowBlock.Stride]));
        Assert.Contains("logJoint holds 528 doubles; the kernel needs 3 x 264", error.Message, StringComparison.Ordinal);
    }
}
