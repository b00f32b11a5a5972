using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class RowScalingTests
{
    private const double Bound = 1e100;

    public static TheoryData<string, int, int> Shapes()
    {
        var shapes = new TheoryData<string, int, int>();
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
            foreach (int dimension in (int[])[1, 2, 3, 5, 7, 8, 9, 17])
                foreach (int rows in (int[])[0, 1, 3, 50]) shapes.Add(path.ToString(), dimension, rows);
        return shapes;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Apply_AnyShape_EqualsThePlainLoopToTheBit(string path, int dimension, int count)
    {
        (double[] location, double[] factor, double[] rows) = Draw(dimension, count);
        double[] actual = new double[rows.Length], expected = new double[rows.Length];
        for (int at = 0; at < rows.Length; at++)
            expected[at] = Math.Clamp((rows[at] - location[at % dimension]) * factor[at % dimension], -Bound, Bound);
        Assert.True(new RowScaling(location, factor, Bound).Apply(Enum.Parse<KernelPath>(path), rows, actual));
        Assert.Equal(expected, actual);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Apply_ExtremeValues_AreHeldAndEveryMissingOneIsTold(string path, int dimension, int count)
    {
        (double[] location, double[] factor, double[] rows) = Draw(dimension, count);
        var scaling = new RowScaling(location, factor, Bound);
        double[] actual = new double[rows.Length];
        for (int at = 0; at < rows.Length; at++)
        {
            double kept = rows[at];
            foreach ((double value, double expected) in (ReadOnlySpan<(double, double)>)
                [(double.MaxValue, Bound), (double.MinValue, -Bound), (double.PositiveInfinity, Bound), (double.NegativeInfinity, -Bound),
                    (double.NaN, double.NaN)])
            {
                rows[at] = value;
                Assert.Equal(!double.IsNaN(value), scaling.Apply(Enum.Parse<KernelPath>(path), rows, actual));
                Assert.Equal(expected, actual[at]);
            }
            rows[at] = kept;
        }
    }

    private static (double[] Location, double[] Factor, double[] Rows) Draw(int dimension, int count)
    {
        var random = new Random(dimension);
        double[] Values(int length, double low, double high) =>
            [.. Enumerable.Range(0, length).Select(_ => low + (high - low) * random.NextDouble())];
        return (Values(dimension, -5, 5), Values(dimension, 0.1, 3), Values(count * dimension, -100, 100));
    }
}
