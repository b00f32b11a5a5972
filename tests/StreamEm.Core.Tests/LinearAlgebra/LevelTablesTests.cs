using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class LevelTablesTests
{
    private static readonly int[] Places = [16, 0, 48, 16];

    public static TheoryData<string, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<string, int>();
            foreach (string path in Enum.GetNames<KernelPath>())
                foreach (int width in (int[])[8, 16])
                    shapes.Add(path, width);
            return shapes;
        }
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(8, 8)]
    [InlineData(9, 16)]
    public void Width_OfComponents_IsWholeEights(int components, int width) => Assert.Equal(width, LevelTables.Width(components));

    [Theory, MemberData(nameof(Shapes))]
    public void Sum_OfRows_AddsEveryLaneInTheirOrder(string path, int width)
    {
        double[] table = Table(), sums = [.. Enumerable.Repeat(double.NaN, width)];
        LevelTables.Sum(Enum.Parse<KernelPath>(path), Places, table, sums);
        for (int lane = 0; lane < width; lane++)
            Assert.Equal(((table[16 + lane] + table[lane]) + table[48 + lane]) + table[16 + lane], sums[lane]);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Add_ToRows_AddsEveryLaneAndNoOther(string path, int width)
    {
        double[] table = Table(), before = Table(), values = [.. Enumerable.Range(1, width).Select(lane => 1.0 / lane)];
        LevelTables.Add(Enum.Parse<KernelPath>(path), Places, values, table);
        for (int at = 0; at < table.Length; at++)
        {
            double expected = before[at];
            foreach (int place in Places)
                if (at >= place && at < place + width) expected += values[at - place];
            Assert.Equal(expected, table[at]);
        }
    }

    [Fact]
    public void Sum_OfARowBeyondTheTable_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LevelTables.Sum([57], Table(), new double[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LevelTables.Add([-1], new double[8], Table()));
        Assert.Throws<ArgumentException>(() => LevelTables.Sum([0], Table(), new double[7]));
    }

    private static double[] Table()
    {
        var chance = new SplitMix64(2);
        return [.. Enumerable.Range(0, 64).Select(_ => chance.NextDouble() - 0.5)];
    }
}
