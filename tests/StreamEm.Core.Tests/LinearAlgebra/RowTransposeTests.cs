using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class RowTransposeTests
{
    public static TheoryData<string, int> Shapes()
    {
        var shapes = new TheoryData<string, int>();
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
            foreach (int dimension in (int[])[1, 2, 3, 4, 5, 8, 13, 16, 32, 64])
                shapes.Add(path.ToString(), dimension);
        return shapes;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void ToColumns_AnyCount_TransposesAndClearsTheRest(string path, int dimension)
    {
        foreach (int count in (int[])[0, 1, 3, 4, 5, 7, 8, 100, 255, 256])
        {
            var data = new KernelData(dimension, 1, count);
            double[] columns = Enumerable.Repeat(7.0, dimension * RowBlock.Stride).ToArray();
            int missing =
                RowTranspose.ToColumns(Enum.Parse<KernelPath>(path), data.Rows, count, dimension, columns, new int[RowBlock.Capacity]);
            Assert.Equal(0, missing);
            Assert.Equal(data.Columns, columns);
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void ToColumns_NaNAnywhere_ZeroesTheLaneAndReportsTheRow(string path, int dimension)
    {
        int[] incomplete = [0, 2, 3, 17, 100, 101, 253, 254];
        var data = new KernelData(dimension, 1, 255);
        for (int at = 0; at < incomplete.Length; at++)
        {
            data.Rows[incomplete[at] * dimension + at % dimension] = double.NaN;
            for (int d = 0; d < dimension; d++) data.Columns[d * RowBlock.Stride + incomplete[at]] = 0;
        }
        data.Rows[20 * dimension] = data.Columns[20] = double.PositiveInfinity;
        var columns = new double[dimension * RowBlock.Stride];
        var found = new int[RowBlock.Capacity];
        int missing = RowTranspose.ToColumns(Enum.Parse<KernelPath>(path), data.Rows, 255, dimension, columns, found);
        Assert.Equal(incomplete, found[..missing]);
        Assert.Equal(data.Columns, columns);
    }
}
