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

    [Fact]
    public void Step_ThereAndBack_IsWhereOneWas()
    {
        double[] there = new double[Layout.Length], back = new double[Layout.Length], direction = Direction(4);
        foreach (double length in (double[])[0.3, -2, 5])
        {
            Assert.True(FreeCoordinates.TryStep(Layout, From, direction, length, there));
            Assert.True(FreeCoordinates.TryStep(Layout, there, direction, -length, back));
            AssertNear(From, back);
        }
        Assert.True(FreeCoordinates.TryStep(Layout, From, direction, 0, back));
        AssertNear(From, back);
    }

    [Fact]
    public void Aim_FromHereToThere_LeadsThereInOneStep()
    {
        double[] direction = new double[Layout.Length], result = new double[Layout.Length];
        Assert.True(FreeCoordinates.TryAim(Layout, From, To, direction));
        Assert.True(FreeCoordinates.TryStep(Layout, From, direction, 1, result));
        AssertNear(To, result);
        double[] half = new double[Layout.Length];
        Assert.True(FreeCoordinates.TryStep(Layout, From, direction, 0.5, half));
        Assert.True(FreeCoordinates.TryMove(Layout, From, To, 0.5, result));
        AssertNear(half, result);
    }

    [Fact]
    public void Step_OfAProbabilityOfNoneOrAll_KeepsIt()
    {
        VectorLayout layout = new VectorLayout().Add("weights", Units.None, Domain.Simplex, 3).Add("p", Units.None, Domain.Probability, 2);
        double[] result = new double[5];
        Assert.True(FreeCoordinates.TryStep(layout, [0.25, 0, 0.75, 0, 1], [Math.Log(3), 700, 0, 5, -5], 1, result));
        AssertNear([0.5, 0, 0.5, 0, 1], result);
    }

    /// <summary>The chain rule, by central differences of a function of which every entry matters.</summary>
    [Fact]
    public void Pull_OfAGradient_IsTheSlopeAlongEveryCoordinate()
    {
        double[] weights = Direction(9), gradient = new double[Layout.Length], slopes = new double[Layout.Length];
        // Of a symmetric matrix entries count by themselves, and their gradient is symmetric.
        weights[14] = weights[13];
        weights[18] = weights[17];
        for (int at = 0; at < gradient.Length; at++) gradient[at] = weights[at] * Math.Cos(From[at]);
        gradient[14] = gradient[13];
        gradient[18] = gradient[17];
        Assert.True(FreeCoordinates.TryPull(Layout, From, gradient, slopes));
        int[] above = [13, 17];
        for (int at = 0; at < slopes.Length; at++)
        {
            if (above.Contains(at))
            {
                Assert.Equal(0, slopes[at]);
                continue;
            }
            double[] direction = new double[Layout.Length], up = new double[Layout.Length], down = new double[Layout.Length];
            direction[at] = 1;
            Assert.True(FreeCoordinates.TryStep(Layout, From, direction, 1e-5, up));
            Assert.True(FreeCoordinates.TryStep(Layout, From, direction, -1e-5, down));
            double found = (Value(up) - Value(down)) / 2e-5;
            Assert.True(Math.Abs(found - slopes[at]) <= 1e-8 * Math.Max(1, Math.Abs(found)),
                $"{at}: {slopes[at]:R}, by differences {found:R}");
        }

        double Value(double[] theta) => theta.Zip(weights, (value, weight) => weight * Math.Sin(value)).Sum();
    }

    private static double[] Direction(ulong seed)
    {
        var chance = new SplitMix64(seed);
        return [.. Enumerable.Range(0, Layout.Length).Select(_ => 2 * chance.NextDouble() - 1)];
    }

    /// <summary>Logarithms and square roots there and back lose some units in the last place of values up to 30.</summary>
    private static void AssertNear(double[] expected, double[] actual)
    {
        for (int at = 0; at < expected.Length; at++)
            Assert.True(Math.Abs(expected[at] - actual[at]) <= 1e-11 * Math.Max(1, Math.Abs(expected[at])), $"{at}: {actual[at]:R}");
    }
}
