using StreamEm.Core.Estimation;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Estimation;

/// <summary>Every domain has coordinates without bounds: there and back again is where one was.</summary>
public sealed class FreeCoordinatesTests
{
    private static readonly VectorLayout Layout = new VectorLayout()
        .Add("weights", Units.None, Domain.Simplex, 2, 3).Add("means", Units.Value, Domain.Real, 2)
        .Add("rates", Units.None, Domain.Positive, 2).Add("probabilities", Units.None, Domain.Probability, 2)
        .Add("covariances", Units.Product, Domain.PositiveDefinite, 2, 2, 2);

    private static readonly double[] From =
        [0.2, 0.3, 0.5, 0.1, 0.1, 0.8, -4, 2, 0.01, 30, 0.05, 0.9, 2, 0.6, 0.6, 1, 1e-3, 0, 0, 5];

    private static readonly double[] To =
        [0.6, 0.3, 0.1, 0.4, 0.35, 0.25, 1, 2.5, 4, 12, 0.5, 0.99, 1, -0.4, -0.4, 3, 4, 1.5, 1.5, 1];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Move_ToEitherEnd_IsThatEnd(double eta)
    {
        double[] result = new double[Layout.Length];
        Assert.True(FreeCoordinates.TryMove(Layout, From, To, eta, result));
        AssertNear(eta == 0 ? From : To, result);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.1)]
    [InlineData(-1.5)]
    public void Move_PartOfTheWayAndOn_EndsWhereTheWholeWayDoes(double part)
    {
        // The coordinates are straight: a step to a part of the way, taken 1 / part times, is the whole.
        double[] between = new double[Layout.Length], result = new double[Layout.Length];
        Assert.True(FreeCoordinates.TryMove(Layout, From, To, part, between));
        Assert.True(FreeCoordinates.TryMove(Layout, From, between, 1 / part, result));
        AssertNear(To, result);
    }

    [Fact]
    public void Move_FarBeyondTheEnd_StaysValid()
    {
        double[] result = new double[Layout.Length];
        Assert.True(FreeCoordinates.TryMove(Layout, From, To, 4, result));
        foreach (int row in (int[])[0, 3]) Assert.Equal(1, result[row] + result[row + 1] + result[row + 2], 1e-12);
        Assert.All(result[8..10], rate => Assert.True(rate > 0));
        Assert.All(result[10..12], probability => Assert.InRange(probability, 0, 1));
        foreach (int at in (int[])[12, 16])
            Assert.True(result[at] > 0 && result[at] * result[at + 3] - result[at + 1] * result[at + 2] > 0, "No covariance.");
    }

    /// <summary>Logarithms and square roots there and back lose some units in the last place of values up to 30.</summary>
    private static void AssertNear(double[] expected, double[] actual)
    {
        for (int at = 0; at < expected.Length; at++)
            Assert.True(Math.Abs(expected[at] - actual[at]) <= 1e-11 * Math.Max(1, Math.Abs(expected[at])), $"{at}: {actual[at]:R}");
    }
}
