using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class LinearFormsTests
{
    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void Add_AnyShapeAndPath_EqualsThePlainLoop(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components, 251);
        double[] norms = new double[RowBlock.Stride], linear = new double[components * RowBlock.Stride],
            spheres = (double[])linear.Clone(), expected = (double[])linear.Clone(), curved = (double[])linear.Clone();
        var chosen = Enum.Parse<KernelPath>(path);
        SquaredNorms.Of(data.Columns, dimension, norms, data.Count);
        LinearForms.Add(chosen, data.Columns, dimension, components, data.Biases, data.Constants, linear, data.Count);
        LinearForms.Add(
            chosen, data.Columns, dimension, components, data.Biases, data.Constants, data.Factors, norms, spheres, data.Count);

        for (int k = 0; k < components; k++)
            for (int row = 0; row < data.Count; row++)
            {
                double sum = data.Constants[k], squares = 0;
                for (int d = 0; d < dimension; d++)
                {
                    sum += data.Biases[k * dimension + d] * data.Row(row, d);
                    squares += data.Row(row, d) * data.Row(row, d);
                }
                expected[k * RowBlock.Stride + row] = sum;
                curved[k * RowBlock.Stride + row] = sum + data.Factors[k] * squares;
            }
        for (int k = 0; k < components; k++)
        {
            Range rows = (k * RowBlock.Stride)..(k * RowBlock.Stride + data.Count);
            KernelData.Close(expected.AsSpan(rows), linear.AsSpan(rows), 1e-13);
            KernelData.Close(curved.AsSpan(rows), spheres.AsSpan(rows), 1e-13);
        }
    }
}
