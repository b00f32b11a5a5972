using MathNet.Numerics.Distributions;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Tests.Models;

public sealed class LogDensitySpreadTests
{
    /// <summary>Wilson and Hilferty's cube root, against the quantiles of chi-square.</summary>
    [Theory]
    [InlineData(3, 20)]
    [InlineData(5, 20)]
    [InlineData(20, 5)]
    public void Equivalent_OfGaussians_HasTheSameTailProbability(int from, int to)
    {
        LogDensitySpread here = new(-7, 0.5 * from, 0.5 * from), there = new(-31, 0.5 * to, 0.5 * to);
        foreach (double tail in (double[])[0.9, 0.5, 0.1, 0.01, 1e-4, 1e-6])
        {
            double distance = new ChiSquared(from).InverseCumulativeDistribution(1 - tail);
            double found = new ChiSquared(to).CumulativeDistribution(2 * (-31 - here.Equivalent(-7 - 0.5 * distance, there)));
            Assert.Equal(tail, 1 - found, 0.05 * tail + 0.004);
        }
    }

    [Fact]
    public void Equivalent_OfTheSameSpread_IsTheSame()
    {
        var spread = new LogDensitySpread(2, 1.5, 0.7);
        Assert.Equal(-4.25, spread.Equivalent(-4.25, spread), 1e-12);
        Assert.Equal(7, new LogDensitySpread(2, 0, 0).Equivalent(2, new LogDensitySpread(9, 2, 1)));
    }

    [Fact]
    public void Spread_OfDiscreteFeatures_HasTheMomentsOfTheirLogDensity()
    {
        LogDensitySpread fair = LogDensitySpread.Of([Math.Log(0.5), Math.Log(0.5)]);
        Assert.Equal((Math.Log(0.5), 0.0, 0.0), (fair.Peak, fair.Drop, Math.Round(fair.Variance, 12)));
        // By sampling: a Poisson count of mean 6, a thousand standard errors apart from any other rate.
        EmissionEStep counts = new PoissonOptions { Prior = Prior.None }
            .Create([new Feature("n", FeatureKind.Count, FeatureScaling.None)], 1).Prepare(new double[] { 6 });
        LogDensitySpread[] spread = new LogDensitySpread[1];
        counts.Spread([], spread);
        double mean = 0, square = 0, peak = double.NegativeInfinity;
        for (int n = 0; n < 80; n++)
        {
            double log = n * Math.Log(6) - 6 - MathNet.Numerics.SpecialFunctions.FactorialLn(n);
            mean += Math.Exp(log) * log;
            square += Math.Exp(log) * log * log;
            peak = Math.Max(peak, log);
        }
        Assert.Equal(peak, spread[0].Peak, 1e-9);
        Assert.Equal(peak - mean, spread[0].Drop, 1e-9);
        Assert.Equal(square - mean * mean, spread[0].Variance, 1e-9);
    }

    /// <summary>Observed features alone count, in every family; those of a Gaussian's rows are the marginal's.</summary>
    [Fact]
    public void Spread_OfFullGaussians_IsThatOfTheObservedFeatures()
    {
        double[] theta = [1, 2, 3, 2, 0.5, 0.1, 0.5, 1, 0.2, 0.1, 0.2, 3];
        EmissionEStep three = new FullGaussian(1, 3, new CovarianceRegularization([0, 0, 0], 1e-9)).Prepare(theta);
        LogDensitySpread[] all = new LogDensitySpread[1], two = new LogDensitySpread[1];
        three.Spread([], all);
        three.Spread([0, double.NaN, 0], two);
        Assert.Equal((1.5, 1.5), (all[0].Drop, all[0].Variance));
        Assert.Equal((1.0, 1.0), (two[0].Drop, two[0].Variance));
        Assert.Equal(-Math.Log(2 * Math.PI) - 0.5 * Math.Log(2 * 3 - 0.1 * 0.1), two[0].Peak, 1e-12);
    }
}
