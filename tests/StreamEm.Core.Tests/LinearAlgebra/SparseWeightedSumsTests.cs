using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class SparseWeightedSumsTests
{
    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void Add_AnyShapeAndPath_IsOffByNoMoreThanTheDroppedMass(string path, int dimension, int components)
    {
        const double Threshold = 0.7, LargestX = 2;
        var data = new KernelData(dimension, components, 203);
        int packed = Packed.Length(dimension);
        double[] first = new double[components * dimension], second = new double[components * packed];
        double[] denseFirst = new double[first.Length], denseSecond = new double[second.Length], keptFirst = new double[first.Length],
            keptSecond = new double[second.Length];
        var chosen = Enum.Parse<KernelPath>(path);
        double dropped = SparseWeightedSums.AddMomentsAndOuterProducts(
            chosen, data.Rows, 203, dimension, data.Responsibilities, components, Threshold, first, second);
        WeightedSums.AddOuter(chosen, data.Columns, dimension, data.Responsibilities, components, denseFirst, denseSecond);
        double expectedDropped = Enumerable.Range(0, components)
            .Max(k => Enumerable.Range(0, 203).Sum(i => data.Responsibilities[k * RowBlock.Stride + i] is var r && r <= Threshold ? r : 0));
        Assert.Equal(expectedDropped, dropped, 1e-12);
        for (int i = 0; i < first.Length; i++) Assert.InRange(Math.Abs(first[i] - denseFirst[i]), 0, dropped * LargestX);
        for (int i = 0; i < second.Length; i++) Assert.InRange(Math.Abs(second[i] - denseSecond[i]), 0, dropped * LargestX * LargestX);

        double[] kept = Array.ConvertAll(data.Responsibilities, r => r > Threshold ? r : 0);
        WeightedSums.AddOuter(chosen, data.Columns, dimension, kept, components, keptFirst, keptSecond);
        KernelData.Close(keptFirst, first, 2e-13); // the same sums in another order
        KernelData.Close(keptSecond, second, 2e-13);
    }

    [Theory]
    [InlineData(16, 0.2, 1e-12, true)]
    [InlineData(16, 0.3, 1e-12, false)]
    [InlineData(15, 0.2, 1e-12, false)]
    [InlineData(64, 0.2, 0.0, false)]
    public void Pays_FewActiveRowsOfManyFeatures_IsTrue(int dimension, double activeShare, double threshold, bool expected)
    {
        double[] responsibilities = new double[4 * RowBlock.Stride];
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < 200; i++) responsibilities[k * RowBlock.Stride + i] = i < 200 * activeShare ? 0.25 : 1e-13;
        Assert.Equal(expected, SparseWeightedSums.Pays(responsibilities, 4, dimension, 200, threshold));
    }

    [Theory]
    [InlineData(null, 1e-12)]
    [InlineData("0", 0.0)]
    [InlineData("1e-6", 1e-6)]
    public void Parse_Valid_IsTaken(string? text, double expected) => Assert.Equal(expected, SparseWeightedSums.Parse(text));

    [Theory]
    [InlineData("off")]
    [InlineData("-1")]
    [InlineData("1")]
    public void Parse_Invalid_SaysWhatIsExpected(string text) =>
        Assert.Contains("expected a number in [0, 1)",
            Assert.Throws<InvalidOperationException>(() => SparseWeightedSums.Parse(text)).Message, StringComparison.Ordinal);
}
