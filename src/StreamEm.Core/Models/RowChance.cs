namespace StreamEm.Core.Models;

/// <summary>
/// Chance that is a function of what it is for (SplitMix64: Steele, Lea &amp; Flood 2014): the same for a row however its minibatch is cut
/// into shards, and after a restart.
/// </summary>
internal struct RowChance
{
    private ulong _state;
    private double _spare = double.NaN;

    /// <summary>The chance of one row.</summary>
    /// <param name="seed">The user's seed.</param>
    /// <param name="update">The update.</param>
    /// <param name="key">The sequence it is of.</param>
    /// <param name="position">The row's number in it; below 0 for what belongs to no row.</param>
    public RowChance(ulong seed, long update, long key, long position)
    {
        _state = seed;
        foreach (ulong part in (ReadOnlySpan<ulong>)[(ulong)update, (ulong)key, (ulong)position])
            _state = SplitMix64.Mixed(_state ^ SplitMix64.Mixed(part));
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => SplitMix64.Uniform(Seed());

    /// <summary>Standard normal, two at a time (<see cref="PolarMethod"/>).</summary>
    public double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        double normal;
        while (!PolarMethod.TryPair(Uniform(), Uniform(), out normal, out _spare)) { }
        return normal;
    }

    /// <summary>A seed for chance of another kind.</summary>
    public ulong Seed() => SplitMix64.Mixed(_state += SplitMix64.Increment);
}
