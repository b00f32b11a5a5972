using StreamEm.Core.Models;

namespace StreamEm.Core.Tests.Models;

/// <summary>Chance of a Monte Carlo E-step: what it depends on, and what it does not.</summary>
public sealed class PassTests
{
    [Fact]
    public void Chance_OfAnUpdateAndRow_IsAlwaysTheSameAndNoOthers()
    {
        var seen = new HashSet<ulong>();
        for (ulong seed = 0; seed < 4; seed++)
            for (long update = 0; update < 40; update++)
                for (long row = 0; row < 40; row++)
                {
                    ulong first = new Pass(null, update).Chance(seed, row).NextUInt64();
                    Assert.Equal(first, new Pass(null, update).Chance(seed, row).NextUInt64());
                    Assert.True(seen.Add(first), $"seed {seed}, update {update}, row {row} draw what others do");
                }
    }

    [Fact]
    public void Chance_OfManyRows_IsUniform()
    {
        // Mean and correlation of neighbours' first draws: standard errors 0.0009 and 0.0032.
        double[] draws = [.. Enumerable.Range(0, 100_000).Select(row => new Pass(null, 7).Chance(1, row).NextDouble())];
        Assert.Equal(0.5, draws.Average(), 0.004);
        Assert.Equal(0, draws.Zip(draws.Skip(1), (a, b) => 12 * (a - 0.5) * (b - 0.5)).Average(), 0.014);
    }
}
