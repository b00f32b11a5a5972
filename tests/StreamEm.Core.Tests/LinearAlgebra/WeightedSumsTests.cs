using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class WeightedSumsTests
{
    // 256 products of size up to 4 are summed in some order: 256 * 4 * 2^-53 at most, over sums of that size.
    private const double Tolerance = 2e-13;

    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void AddOuter_AnyShapeAndPath_EqualsThePlainLoop(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components, 251);
        int packed = Packed.Length(dimension);
        double[] moments = Enumerable.Repeat(0.5, components * dimension).ToArray(),
            products = Enumerable.Repeat(0.5, components * packed).ToArray();
        double[] expectedMoments = (double[])moments.Clone(), expectedProducts = (double[])products.Clone(),
            alone = (double[])products.Clone();
        var chosen = Enum.Parse<KernelPath>(path);
        WeightedSums.AddOuter(chosen, data.Columns, dimension, data.Responsibilities, components, moments, products);
        WeightedSums.AddOuter(chosen, data.Columns, dimension, data.Responsibilities, components, default, alone);

        ForEach(data, (k, row, r) =>
        {
            for (int i = 0; i < dimension; i++)
            {
                expectedMoments[k * dimension + i] += r * data.Row(row, i);
                for (int j = 0; j <= i; j++) expectedProducts[k * packed + Packed.Index(i, j)] += r * data.Row(row, i) * data.Row(row, j);
            }
        });
        KernelData.Close(expectedMoments, moments, Tolerance);
        KernelData.Close(expectedProducts, products, Tolerance);
        Assert.Equal(products, alone);
    }

    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void AddDiagonal_AnyShapeAndPath_EqualsThePlainLoop(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components, 251);
        double[] moments = Enumerable.Repeat(0.5, components * dimension).ToArray(), squares = (double[])moments.Clone();
        double[] expectedMoments = (double[])moments.Clone(), expectedSquares = (double[])moments.Clone();
        double[] masses = new double[components], expectedMasses = new double[components], alone = (double[])moments.Clone();
        var chosen = Enum.Parse<KernelPath>(path);
        WeightedSums.AddDiagonal(chosen, data.Columns, dimension, data.Responsibilities, components, moments, squares);
        WeightedSums.AddDiagonal(chosen, data.Columns, dimension, data.Responsibilities, components, alone, default);
        WeightedSums.AddMasses(chosen, data.Responsibilities, components, masses);
        Assert.Equal(moments, alone);

        ForEach(data, (k, row, r) =>
        {
            expectedMasses[k] += r;
            for (int d = 0; d < dimension; d++)
            {
                expectedMoments[k * dimension + d] += r * data.Row(row, d);
                expectedSquares[k * dimension + d] += r * data.Row(row, d) * data.Row(row, d);
            }
        });
        KernelData.Close(expectedMoments, moments, Tolerance);
        KernelData.Close(expectedSquares, squares, Tolerance);
        KernelData.Close(expectedMasses, masses, Tolerance);
    }

    [Fact]
    public void PublicVerbs_OneByOne_EqualTheFusedOnes()
    {
        var data = new KernelData(5, 3);
        double[] first = new double[15], second = new double[15], outer = new double[45], first2 = new double[15], second2 = new double[15],
            outer2 = new double[45], first3 = new double[15];
        WeightedSums.AddFirstMoments(data.Columns, 5, data.Responsibilities, 3, first);
        WeightedSums.AddSquares(data.Columns, 5, data.Responsibilities, 3, second);
        WeightedSums.AddOuterProducts(data.Columns, 5, data.Responsibilities, 3, outer);
        WeightedSums.AddMomentsAndSquares(data.Columns, 5, data.Responsibilities, 3, first2, second2);
        WeightedSums.AddMomentsAndOuterProducts(data.Columns, 5, data.Responsibilities, 3, first3, outer2);
        Assert.Equal(first, first2);
        Assert.Equal(second, second2);
        Assert.Equal(outer, outer2);
        KernelData.Close(first, first3, Tolerance);
        for (int d = 0; d < 5; d++) Assert.Equal(second[d], outer[Packed.Index(d, d)], Tolerance * 300);
    }

    private static void ForEach(KernelData data, Action<int, int, double> act)
    {
        for (int k = 0; k < data.Components; k++)
            for (int row = 0; row < data.Count; row++)
                act(k, row, data.Responsibilities[k * RowBlock.Stride + row]);
    }
}
