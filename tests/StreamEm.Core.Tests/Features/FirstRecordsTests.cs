using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Features;

public sealed class FirstRecordsTests
{
    [Fact]
    public void Space_OrdinaryRecords_IsThatOfAllOfThem()
    {
        Minibatch rows = Rows(500, n => n % 7 - 3 + 0.1 * (n % 3));
        FeatureSpace robust = First(rows).Space, plain = Plan().Learn(rows);
        Assert.Equal(plain.Location.ToArray(), robust.Location.ToArray());
        Assert.Equal(plain.Scale.ToArray(), robust.Scale.ToArray());
        Assert.Equal(plain.Variances.ToArray(), robust.Variances.ToArray());
    }

    /// <summary>The deciles are equal: the scale comes from the values that are not the usual one.</summary>
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.15)]
    [InlineData(0.4)]
    public void Space_MostlyZero_IsOfTheOthersAndNotOfAGlitch(double share)
    {
        Minibatch rows = Rows(1000, n => n == 700 ? 1e12 : n % 100 < 100 * share ? 2 + n % 5 : 0);
        FirstRecords first = First(rows);
        Assert.InRange(first.Space.Scale[0], 0.5, 3);
        Assert.False(first.IsAsleep[0]);
        Assert.False(first.IsRegular(rows, 700));
        Assert.True(first.IsRegular(rows, 0));
    }

    [Theory]
    [InlineData(0, 65535)]
    [InlineData(1e9, -9999)]
    [InlineData(0.1, 0.2)]
    public void IsAsleep_ConstantButForOneReading_IsTrue(double constant, double reading)
    {
        Minibatch rows = Rows(1000, n => n == 3 ? reading : constant);
        FirstRecords first = First(rows);
        Assert.True(first.IsAsleep[0]);
        Assert.True(first.IsBlank);
        Assert.Equal(constant, first.Constants[0]);
        Assert.Equal(constant, first.Space.Location[0]);
        Assert.Equal(1, first.Space.Scale[0]);
        Assert.False(first.IsRegular(rows, 3));
    }

    /// <summary>A constant is a value that comes again: of two or three values that all differ none is one.</summary>
    [Theory]
    [InlineData(new double[] { 1, 2 }, false)]
    [InlineData(new double[] { 1, 2, 9 }, false)]
    [InlineData(new double[] { 1, 1, 2, 2 }, false)]
    [InlineData(new double[] { 1, 1, 9 }, true)]
    [InlineData(new double[] { 4 }, true)]
    public void IsAsleep_FewValues_IsWhetherMostAreOne(double[] values, bool isAsleep)
    {
        FirstRecords first = First(Rows(values.Length, n => values[n]));
        Assert.Equal((isAsleep, isAsleep), (first.IsAsleep[0], first.IsBlank));
    }

    [Fact]
    public void IsAsleep_NoValueOrNoneThatCounts_IsTrue()
    {
        var rows = new Minibatch(2);
        for (int row = 0; row < 100; row++) rows.Add([double.NaN, row], weight: row < 50 ? 0 : 1);
        FirstRecords first = new(FeatureSpaceOf(2), rows);
        Assert.Equal([true, false], first.IsAsleep);
        Assert.False(first.IsBlank);
        Assert.True(double.IsNaN(first.Constants[0]));
        // Rows 50 .. 99: their mean and deviation.
        Assert.Equal(74.5, first.Space.Location[1], 1e-12);
        Assert.False(first.IsRegular(rows, 10));
    }

    /// <summary>A cluster of 3 % far away is no glitch; a single value beyond it is.</summary>
    [Fact]
    public void IsRegular_FarClusterAndAGlitchBeyond_KeepsTheCluster()
    {
        Minibatch rows = Rows(1000, n => n == 500 ? 1e12 : n % 33 == 0 ? 1e5 + n % 7 : n % 11);
        FirstRecords first = First(rows);
        Assert.True(first.IsRegular(rows, 33));
        Assert.False(first.IsRegular(rows, 500));
    }

    private static FeatureSpace Plan() => FeatureSpaceOf(1);

    private static FeatureSpace FeatureSpaceOf(int dimension) =>
        new([.. Enumerable.Range(0, dimension).Select(d => new Feature($"x{d}"))]);

    private static FirstRecords First(Minibatch rows) => new(Plan(), rows);

    private static Minibatch Rows(int count, Func<int, double> value)
    {
        var rows = new Minibatch(1, count);
        for (int row = 0; row < count; row++) rows.Add([value(row)]);
        return rows;
    }
}
