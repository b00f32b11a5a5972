using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Models;

/// <summary>Chance of a Monte Carlo E-step: what it depends on, and what it does not.</summary>
public sealed class PassTests
{
    [Fact]
    public void Normal_OfManyRows_IsStandard()
    {
        // Both of a pair; standard errors of the moments: 0.0022, 0.0032, 0.0055, 0.022, of the pair's correlation 0.0032.
        double[][] pairs = [.. Enumerable.Range(0, 100_000).Select(row => Pair(new Pass(null, 3).Chance(2, row, 1)))];
        double[] all = [.. pairs.SelectMany(pair => pair)];
        Assert.Equal(0, all.Average(), 0.01);
        Assert.Equal(1, all.Average(x => x * x), 0.015);
        Assert.Equal(0, all.Average(x => x * x * x), 0.025);
        Assert.Equal(3, all.Average(x => x * x * x * x), 0.1);
        Assert.Equal(0, pairs.Average(pair => pair[0] * pair[1]), 0.015);

        static double[] Pair(RowChance chance) => [chance.Normal(), chance.Normal()];
    }

    [Fact]
    public void Chance_OfAnUpdateAndRow_IsAlwaysTheSameAndNoOthers()
    {
        var seen = new HashSet<ulong>();
        for (ulong seed = 0; seed < 4; seed++)
            for (long update = 0; update < 40; update++)
                for (long row = 0; row < 40; row++)
                {
                    ulong first = new Pass(null, update).Chance(seed, 0, row).Seed();
                    Assert.Equal(first, new Pass(null, update).Chance(seed, 0, row).Seed());
                    Assert.True(seen.Add(first), $"seed {seed}, update {update}, row {row} draw what others do");
                }
    }

    [Fact]
    public void Chance_OfManyRows_IsUniform()
    {
        // Mean and correlation of neighbours' first draws: standard errors 0.0009 and 0.0032.
        double[] draws = [.. Enumerable.Range(0, 100_000).Select(row => new Pass(null, 7).Chance(1, 0, row).Uniform())];
        Assert.Equal(0.5, draws.Average(), 0.004);
        Assert.Equal(0, draws.Zip(draws.Skip(1), (a, b) => 12 * (a - 0.5) * (b - 0.5)).Average(), 0.014);
    }
}
