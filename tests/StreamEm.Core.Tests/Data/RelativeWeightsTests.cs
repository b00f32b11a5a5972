using StreamEm.Core.Data;

namespace StreamEm.Core.Tests.Data;

public sealed class RelativeWeightsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1e-90)]
    [InlineData(1e90)]
    public void Normalize_AnyUnit_MakesTheMeanOneToTwoAndKeepsRatios(double unit)
    {
        Minibatch rows = Of(0, 0.5 * unit, 1.5 * unit, 4 * unit);

        double divisor = RelativeWeights.Normalize(rows);

        Assert.InRange(rows.TotalWeight / rows.Count, 1, 2);
        Assert.Equal([0, 0.5 * unit, 1.5 * unit, 4 * unit], rows.Weights.ToArray().Select(weight => weight * divisor));
    }

    [Fact]
    public void Normalize_NoWeightsOrNothingButZero_ChangesNothing()
    {
        Assert.Equal(1, RelativeWeights.Normalize(Of(1, 1)));
        Minibatch zero = Of(0, 0);
        Assert.Equal(1, RelativeWeights.Normalize(zero));
        Assert.Equal([0, 0], zero.Weights.ToArray());
    }

    [Fact]
    public void Worth_OfRows_IsKishsAndTheSameInEveryUnit()
    {
        Assert.Equal(3, RelativeWeights.Worth(Of(1, 1, 1), [0, 0, 0], 3));
        Assert.Equal(3, RelativeWeights.Worth(Of(0.001, 0.001, 0.001), [0, 0, 0], 0.003), 1e-12);
        Assert.Equal(1, RelativeWeights.Worth(Of(1e100, 1, 1e-100), [0, 0, 0], 1e100), 1e-12);
        // (1 + 3)^2 / (1 + 9), the row that no component can produce left out.
        Assert.Equal(1.6, RelativeWeights.Worth(Of(1, 3, 50), [0, 0, double.NegativeInfinity], 4), 1e-12);
        Assert.Equal(0, RelativeWeights.Worth(Of(0, 0), [0, 0], 0));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1e-100, true)]
    [InlineData(1e100, true)]
    [InlineData(1e308, false)]
    [InlineData(1e-200, false)]
    [InlineData(-1, false)]
    [InlineData(double.NaN, false)]
    [InlineData(double.PositiveInfinity, false)]
    public void IsValid_AWeight_IsZeroOrOfAReasonableSize(double weight, bool valid) =>
        Assert.Equal(valid, RelativeWeights.IsValid(weight));

    private static Minibatch Of(params double[] weights)
    {
        var rows = new Minibatch(1);
        foreach (double weight in weights) rows.Add([0], weight);
        return rows;
    }
}
