using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>
/// Chance that is a function of what it is for (SplitMix64: Steele, Lea &amp; Flood 2014): the same for a row however its minibatch is cut
/// into shards, and after a restart.
/// </summary>
internal struct WalkChance
{
    private ulong _state;
    private double _spare = double.NaN;

    /// <summary>The chance of one row.</summary>
    /// <param name="seed">The user's seed.</param>
    /// <param name="update">The update.</param>
    /// <param name="key">The slot of the key.</param>
    /// <param name="position">The row's number in its sequence; below 0 for what belongs to no row.</param>
    public WalkChance(ulong seed, long update, int key, long position)
    {
        _state = seed;
        foreach (ulong part in (ReadOnlySpan<ulong>)[(ulong)update, (ulong)key, (ulong)position]) _state = Mixed(_state ^ Mixed(part));
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => (Mixed(_state += 0x9E3779B97F4A7C15) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal, two at a time by the polar method (Marsaglia &amp; Bray 1964).</summary>
    public double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        while (true)
        {
            double u = 2 * Uniform() - 1, v = 2 * Uniform() - 1, square = u * u + v * v;
            if (square is 0 or >= 1) continue;
            double factor = Math.Sqrt(-2 * ScalarMath.Log(square) / square);
            _spare = v * factor;
            return u * factor;
        }
    }

    /// <summary>A seed for chance of another kind.</summary>
    public ulong Seed() => Mixed(_state += 0x9E3779B97F4A7C15);

    private static ulong Mixed(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
