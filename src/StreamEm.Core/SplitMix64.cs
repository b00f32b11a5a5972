namespace StreamEm.Core;

/// <summary>
/// Seeded chance with one word of state (Steele, Lea &amp; Flood 2014): the same seed gives the same numbers on every machine.
/// </summary>
/// <param name="state">The seed.</param>
public sealed class SplitMix64(ulong state)
{
    /// <summary>What the state grows by with every draw.</summary>
    public const ulong Increment = 0x9E3779B97F4A7C15;

    /// <summary>The state: a generator made with it continues here.</summary>
    public ulong State { get; private set; } = state;

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64()
    {
        ulong bits = Mixed(State);
        State += Increment;
        return bits;
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => Uniform(NextUInt64());

    /// <summary>Uniform in 0 .. <paramref name="exclusive"/> - 1.</summary>
    public int NextInt32(int exclusive) => (int)(NextDouble() * exclusive);

    /// <summary>The draw of a state: 64 bits that hang on every bit of it.</summary>
    /// <param name="state">Before the draw.</param>
    public static ulong Mixed(ulong state)
    {
        ulong z = state + Increment;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1) of the upper 53 of 64 random bits.</summary>
    internal static double Uniform(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));
}
