using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Models;

/// <summary>Draws have the moments of their distributions; tolerances are five standard errors of so many draws.</summary>
public sealed class RandomDrawsTests
{
    private const int Draws = 200_000;

    public static TheoryData<string, double, double, double> Distributions => new()
    {
        { "normal", 0, 1, 0 },
        { "exponential", 1, 1, 0 },
        { "gamma", 0.4, 0.4, 0.4 },
        { "gamma", 3.5, 3.5, 3.5 },
        { "poisson", 0.7, 0.7, 0.7 },
        { "poisson", 9.5, 9.5, 9.5 },
        { "poisson", 10.5, 10.5, 10.5 },
        { "poisson", 4000, 4000, 4000 },
    };

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Draws_OfADistribution_HaveItsMeanAndVariance(string name, double mean, double variance, double parameter)
    {
        var draws = new RandomDraws(3);
        double[] values = [.. Enumerable.Range(0, Draws).Select(_ => name switch
        {
            "normal" => draws.Normal(),
            "exponential" => draws.Exponential(),
            "gamma" => draws.Gamma(parameter),
            _ => draws.Poisson(parameter),
        })];
        double found = values.Average(), spread = values.Average(value => (value - mean) * (value - mean));
        double fourth = values.Average(value => Math.Pow(value - mean, 4));
        Assert.Equal(mean, found, 5 * Math.Sqrt(variance / Draws));
        Assert.Equal(variance, spread, 5 * Math.Sqrt((fourth - variance * variance) / Draws));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(25)]
    public void Poisson_EveryCount_IsAsFrequentAsItsProbability(double mean)
    {
        var draws = new RandomDraws(4);
        int[] counts = new int[200];
        for (int n = 0; n < Draws; n++) counts[(int)draws.Poisson(mean)]++;
        double probability = Math.Exp(-mean);
        for (int count = 0; count < 60; probability *= mean / ++count)
            Assert.True(Math.Abs(counts[count] - Draws * probability) <= 5 * Math.Sqrt(Draws * probability) + 5,
                $"{count}: {counts[count]} of {Draws * probability:F1}");
    }

    [Fact]
    public void Category_OfProbabilities_NeverDrawsOneOfNone()
    {
        var draws = new RandomDraws(5);
        int[] counts = new int[5];
        for (int n = 0; n < Draws; n++) counts[draws.Category([0, 0.5, 0, 0.5, 0])]++;
        Assert.Equal([0, 0, 0], (int[])[counts[0], counts[2], counts[4]]);
        Assert.Equal(0.5, (double)counts[1] / Draws, 0.006);
    }
}
