using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>Every kernel gives the same bytes on every path, and one row scored alone those it has in a block.</summary>
public sealed class SameBytesTests
{
    public static TheoryData<int, int> Shapes()
    {
        var shapes = new TheoryData<int, int>();
        for (int dimension = 1; dimension <= 17; dimension++) shapes.Add(dimension, 1 + dimension * 5 % 9);
        foreach ((int dimension, int components) in (ReadOnlySpan<(int, int)>)
            [(2, 3), (8, 8), (4, 4), (20, 5), (23, 1), (24, 2), (31, 3), (32, 16), (64, 3)])
            shapes.Add(dimension, components);
        return shapes;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void WeightedSums_EveryPath_GiveTheSameBytes(int dimension, int components)
    {
        foreach (int count in (int[])[256, 1, 33, 251])
        {
            var data = new KernelData(dimension, components, count);
            AssertSame(path =>
            {
                double[] masses = Started(components), first = Started(components * dimension), second = Started(components * dimension),
                    moments = Started(components * dimension), products = Started(components * Packed.Length(dimension)),
                    sparse = Started(components * dimension), sparseProducts = Started(components * Packed.Length(dimension));
                WeightedSums.AddMasses(path, data.Responsibilities, components, masses, count);
                WeightedSums.AddDiagonal(path, data.Columns, dimension, data.Responsibilities, components, first, second, count);
                WeightedSums.AddDiagonal(path, data.Columns, dimension, data.Responsibilities, components, first, default, count);
                WeightedSums.AddDiagonal(path, data.Columns, dimension, data.Responsibilities, components, default, second, count);
                WeightedSums.AddOuter(path, data.Columns, dimension, data.Responsibilities, components, moments, products, count);
                WeightedSums.AddOuter(path, data.Columns, dimension, data.Responsibilities, components, default, products, count);
                double dropped = SparseWeightedSums.AddMomentsAndOuterProducts(
                    path, data.Rows, count, dimension, data.Responsibilities, components, 0.3, sparse, sparseProducts);
                return [.. masses, .. first, .. second, .. moments, .. products, .. sparse, .. sparseProducts, dropped];
            });
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void LogDensities_EveryPath_GiveTheSameBytes(int dimension, int components)
    {
        foreach (int count in (int[])[256, 1, 33, 251])
        {
            var data = new KernelData(dimension, components, count);
            AssertSame(path => Densities(path, data));
        }
    }

    /// <summary>Rows that no component can produce, that overflow, and whose log-densities are no numbers.</summary>
    [Fact]
    public void LogSumExp_ExtremeLanes_GiveTheSameBytes() => AssertSame(path =>
    {
        const int components = 5;
        double[] values = [0, -0.0, double.NegativeInfinity, double.NaN, -1e300, 1e300, -745.2, 700, 1e-320];
        double[] joint = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride],
            entropies = new double[RowBlock.Stride];
        for (int at = 0; at < joint.Length; at++)
            joint[at] = values[at * 7 % (values.Length + at % RowBlock.Stride % 3 * 2) % values.Length];
        for (int k = 0; k < components; k++) joint[k * RowBlock.Stride + 3] = double.NegativeInfinity;
        LogSumExp.Normalize(path, joint, components, densities, entropies, RowBlock.Capacity);
        return [.. joint, .. densities, .. entropies];
    });

    [Theory, MemberData(nameof(Shapes))]
    public void OneRow_EveryPath_GivesTheBytesOfTheBlock(int dimension, int components)
    {
        var data = new KernelData(dimension, components, 40);
        ComponentLanes triangular = ComponentLanes.Triangular(components, dimension, data.Triangles, data.Biases, data.Constants),
            diagonal = ComponentLanes.Diagonal(components, dimension, data.Factors, data.Biases, data.Constants);
        double[] addends = new double[ComponentLanes.Padded(components)], joint = new double[addends.Length];
        double[] block = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride];
        Array.Fill(addends, -1.25, 0, components);
        foreach (bool isDiagonal in (bool[])[false, true])
        {
            Array.Fill(block, -1.25);
            if (isDiagonal)
                QuadraticForms.AddDiagonal(
                    KernelPath.Avx512, data.Columns, dimension, components, data.Factors, data.Biases, data.Constants, block, 40);
            else
                QuadraticForms.AddTriangular(
                    KernelPath.Avx512, data.Columns, dimension, components, data.Triangles, data.Biases, data.Constants, block, 40);
            LogSumExp.Normalize(KernelPath.Avx512, block, components, densities, 40);
            for (int row = 0; row < 40; row++)
                foreach (KernelPath path in Enum.GetValues<KernelPath>())
                {
                    (isDiagonal ? diagonal : triangular).Sum(path, data.Rows.AsSpan(row * dimension, dimension), addends, joint);
                    double density = SoftMax.Normalize(path, joint);
                    Assert.Equal(Bits([.. Enumerable.Range(0, components).Select(k => block[k * RowBlock.Stride + row]), densities[row]]),
                        Bits([.. joint[..components], density]));
                }
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void OneRowOfSpheres_GivesTheBytesOfTheBlock(int dimension, int components)
    {
        const int Rows = 40;
        var data = new KernelData(dimension, components, Rows);
        var lanes = new LinearLanes(components, dimension, data.Biases, data.Constants, data.Factors);
        double[] block = new double[components * RowBlock.Stride], norms = new double[RowBlock.Stride],
            addends = new double[ComponentLanes.Padded(components)], joint = new double[addends.Length];
        Array.Fill(addends, -1.25, 0, components);
        Array.Fill(block, -1.25);
        SquaredNorms.Of(data.Columns, dimension, norms, Rows);
        LinearForms.Add(
            Kernels.Path, data.Columns, dimension, components, data.Biases, data.Constants, data.Factors, norms, block, Rows);
        for (int row = 0; row < Rows; row++)
        {
            lanes.Sum(data.Rows.AsSpan(row * dimension, dimension), addends, joint);
            Assert.Equal(
                Bits([.. Enumerable.Range(0, components).Select(k => block[k * RowBlock.Stride + row])]), Bits(joint[..components]));
            Assert.All(joint[components..], value => Assert.Equal(double.NegativeInfinity, value));
        }
    }

    [Fact]
    public void RowsAsTheyCome_EveryPath_GiveTheSameBytes()
    {
        foreach (int dimension in (int[])[1, 2, 3, 5, 8, 13])
        {
            var data = new KernelData(dimension, 2, 251);
            data.Rows[7] = double.NaN;
            data.Rows[^1] = double.NaN;
            var scaling = new RowScaling(data.Factors.AsSpan(0, dimension), data.Biases.AsSpan(0, dimension), 1.5);
            AssertSame(path =>
            {
                double[] columns = new double[dimension * RowBlock.Stride], scaled = new double[data.Rows.Length],
                    bins = new double[scaled.Length];
                var incomplete = new int[RowBlock.Capacity];
                int found = RowTranspose.ToColumns(path, data.Rows, 251, dimension, columns, incomplete);
                bool complete = scaling.Apply(path, data.Rows, scaled);
                SignedLog.Bins(path, data.Rows, 0.125, 20, 500, bins);
                return [.. columns, .. scaled, .. bins, found, complete ? 1 : 0, .. incomplete.Select(index => (double)index)];
            });
        }
    }

    private static double[] Densities(KernelPath path, KernelData data)
    {
        double[] joint = new double[data.Components * RowBlock.Stride], densities = new double[RowBlock.Stride];
        QuadraticForms.AddTriangular(
            path, data.Columns, data.Dimension, data.Components, data.Triangles, data.Biases, data.Constants, joint, data.Count);
        QuadraticForms.AddDiagonal(
            path, data.Columns, data.Dimension, data.Components, data.Factors, data.Biases, data.Constants, joint, data.Count);
        LinearForms.Add(path, data.Columns, data.Dimension, data.Components, data.Factors, data.Constants, joint, data.Count);
        double[] norms = new double[RowBlock.Stride];
        SquaredNorms.Of(data.Columns, data.Dimension, norms, data.Count);
        LinearForms.Add(
            path, data.Columns, data.Dimension, data.Components, data.Biases, data.Constants, data.Factors, norms, joint, data.Count);
        double[] entropies = new double[RowBlock.Stride];
        LogSumExp.Normalize(path, joint, data.Components, densities, entropies, data.Count);
        int lanes = data.Count;
        return [.. Enumerable.Range(0, data.Components).SelectMany(k => joint[(k * RowBlock.Stride)..(k * RowBlock.Stride + lanes)]),
            .. densities[..lanes]];
    }

    /// <summary>Sums that are added to are not zero before.</summary>
    private static double[] Started(int length) => [.. Enumerable.Range(0, length).Select(at => 0.1 * at)];

    private static void AssertSame(Func<KernelPath, double[]> run)
    {
        long[] expected = Bits(run(KernelPath.Avx2));
        Assert.Equal(expected, Bits(run(KernelPath.Avx512)));
        Assert.Equal(expected, Bits(run(KernelPath.Portable)));
    }

    private static long[] Bits(double[] values) => Array.ConvertAll(values, BitConverter.DoubleToInt64Bits);
}
