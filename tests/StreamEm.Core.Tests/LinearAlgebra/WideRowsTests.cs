using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

/// <summary>Kernels over rows as they come, beside plain loops, and the same bytes on every path.</summary>
public sealed class WideRowsTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 3, 2, 5 }, { 8, 1, 1 }, { 31, 3, 33 }, { 32, 4, 2 }, { 37, 0, 7 }, { 64, 5, 32 }, { 71, 10, 31 }, { 130, 7, 3 }, { 200, 9, 64 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Forms_AnyShape_AreThoseOfAPlainLoop(int dimension, int forms, int count)
    {
        KernelData data = new(dimension, Math.Max(1, forms), count);
        long[]? expected = null;
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
        {
            double[] result = new double[forms * RowBlock.Stride], joint = new double[RowBlock.Stride];
            Array.Fill(result, double.NaN);
            Array.Fill(joint, 0.5);
            RowForms.Run(
                path, data.Rows, count, dimension, data.Factors.AsSpan(0, forms * dimension), data.Constants.AsSpan(0, forms), result,
                data.Factors.AsSpan(0, dimension), data.Biases.AsSpan(0, dimension), 1.25, joint);
            for (int i = 0; i < count; i++)
            {
                double square = 0;
                for (int d = 0; d < dimension; d++) square += Math.Pow(data.Factors[d] * data.Row(i, d) - data.Biases[d], 2);
                Assert.Equal(0.5 + 1.25 - square / 2, joint[i], 1e-10);
                for (int j = 0; j < forms; j++)
                {
                    double sum = data.Constants[j];
                    for (int d = 0; d < dimension; d++) sum += data.Factors[j * dimension + d] * data.Row(i, d);
                    Assert.Equal(sum, result[j * RowBlock.Stride + i], 1e-10);
                }
            }
            for (int j = 0; j < forms; j++)
                for (int i = count; i < KernelShape.Lanes(count); i++) Assert.Equal(0, result[j * RowBlock.Stride + i]);
            Assert.All(joint[count..], lane => Assert.Equal(0.5, lane));
            expected ??= Bits([.. result, .. joint]);
            Assert.Equal(expected, Bits([.. result, .. joint]));
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Moments_AnyShape_AreThoseOfAPlainLoop(int dimension, int codes, int count)
    {
        KernelData data = new(dimension, codes + 1, count);
        ReadOnlySpan<double> shares = data.Responsibilities.AsSpan(codes * RowBlock.Stride);
        double[]? expected = null;
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
        {
            double[] products = new double[codes * dimension], first = new double[dimension], squares = new double[dimension];
            Array.Fill(products, 0.1);
            Array.Fill(first, 0.2);
            Array.Fill(squares, 0.3);
            RowMoments.Add(path, data.Rows, count, dimension, data.Responsibilities, shares, products, first, squares);
            for (int d = 0; d < dimension; d++)
            {
                double sum = 0.2, square = 0.3;
                for (int i = 0; i < count; i++)
                {
                    sum += shares[i] * data.Row(i, d);
                    square += shares[i] * data.Row(i, d) * data.Row(i, d);
                }
                Assert.Equal(sum, first[d], 1e-10);
                Assert.Equal(square, squares[d], 1e-10);
                for (int j = 0; j < codes; j++)
                {
                    double product = 0.1;
                    for (int i = 0; i < count; i++) product += data.Responsibilities[j * RowBlock.Stride + i] * data.Row(i, d);
                    Assert.Equal(product, products[j * dimension + d], 1e-10);
                }
            }
            expected ??= [.. products, .. first, .. squares];
            Assert.Equal(Bits(expected), Bits([.. products, .. first, .. squares]));
        }
    }

    [Theory]
    [InlineData(7)]
    [InlineData(131)]
    public void Fill_WithoutColumns_FindsIncompleteRowsAndMakesColumnsWhenAsked(int dimension)
    {
        var rows = new Minibatch(dimension, 70);
        var chance = new SplitMix64(3);
        for (int n = 0; n < 70; n++)
        {
            for (int d = 0; d < dimension; d++)
                rows.NextRow[d] = n % 11 == 5 && d == n % dimension ? double.NaN : n == 8 && d == 0 ? double.PositiveInfinity
                    : chance.NextDouble();
            rows.Commit();
        }
        RowBlock plain = new(dimension), late = new(dimension);
        plain.Fill(rows, 3, 66);
        late.Fill(rows, 3, 66, withColumns: false);
        Assert.Equal(plain.Incomplete, late.Incomplete);
        Assert.Equal(6, late.Incomplete.Length);
        Assert.Equal(plain.Columns, late.Columns);
        Assert.Equal(plain.Incomplete, late.Incomplete);
        late.Fill(rows, 0, 5, withColumns: false);
        Assert.Equal(plain.Select(0, [2, 0]).Dimension, late.Select(0, [2, 0]).Dimension);
        plain.Fill(rows, 0, 5);
        Assert.Equal(plain.Select(0, [2, 0]).Columns, late.Select(0, [2, 0]).Columns);
    }

    private static long[] Bits(double[] values) => Array.ConvertAll(values, BitConverter.DoubleToInt64Bits);
}
