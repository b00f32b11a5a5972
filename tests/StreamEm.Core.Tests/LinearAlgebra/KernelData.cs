using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>One block of rows, parameters of Gaussian kind and responsibilities, from a seed.</summary>
internal sealed class KernelData
{
    public KernelData(int dimension, int components, int count = RowBlock.Capacity)
    {
        Dimension = dimension;
        Components = components;
        Count = count;
        var random = new Random(1000 * dimension + components);
        double Draw() => 4 * random.NextDouble() - 2;
        Rows = Fill(count * dimension, Draw);
        Columns = new double[dimension * RowBlock.Stride];
        for (int row = 0; row < count; row++)
            for (int d = 0; d < dimension; d++) Columns[d * RowBlock.Stride + row] = Rows[row * dimension + d];
        Triangles = Fill(components * Packed.Length(dimension), Draw);
        Factors = Fill(components * dimension, () => 0.2 + random.NextDouble());
        Biases = Fill(components * dimension, Draw);
        Constants = Fill(components, Draw);
        Responsibilities = new double[components * RowBlock.Stride];
        for (int k = 0; k < components; k++)
            for (int row = 0; row < count; row++) Responsibilities[k * RowBlock.Stride + row] = random.NextDouble();
    }

    public int Dimension { get; }
    public int Components { get; }
    public int Count { get; }
    public double[] Rows { get; }
    public double[] Columns { get; }
    public double[] Triangles { get; }
    public double[] Factors { get; }
    public double[] Biases { get; }
    public double[] Constants { get; }
    public double[] Responsibilities { get; }

    /// <summary>Every dimension and number of components the kernels are tested at: below, at and beside every tile's extent.</summary>
    public static TheoryData<string, int, int> Shapes()
    {
        var shapes = new TheoryData<string, int, int>();
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
            foreach (int dimension in (int[])[1, 2, 3, 5, 8, 13, 16, 32, 64])
                foreach (int components in (int[])[1, 2, 3, 8, 17])
                    shapes.Add(path.ToString(), dimension, components);
        return shapes;
    }

    public double Row(int row, int d) => Rows[row * Dimension + d];

    /// <summary>Asserts |expected - actual| &lt;= tolerance (1 + |expected|) entry by entry.</summary>
    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * (1 + Math.Abs(expected[i])),
                $"entry {i}: expected {expected[i]:R}, was {actual[i]:R}");
    }

    private static double[] Fill(int length, Func<double> next)
    {
        var values = new double[length];
        for (int i = 0; i < length; i++) values[i] = next();
        return values;
    }
}
