namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What a contribution counts that was made under parameters of some versions ago, tau. Workers bound tau by themselves: each has at most q
/// minibatches of a partition under way. Up to <see cref="Soft"/>, which that gives where workers are about as fast, a contribution counts
/// in full; beyond, its step is divided by 1 + tau / soft; beyond <see cref="Hard"/> it does not count, and its records are worked on anew.
/// What is worked on anew is damped, however late: a worker so much slower than the others would else never get a record in. With a bound
/// on tau the recursion converges as without delay (Ho et al. 2013, stale synchronous parallel).
/// </summary>
/// <param name="Soft">The largest tau that flow control leaves.</param>
internal readonly record struct Staleness(long Soft)
{
    private const int HardTimesSoft = 4;

    /// <summary>Beyond this a contribution does not count.</summary>
    public long Hard => HardTimesSoft * Soft;

    /// <summary>The rule for so many partitions.</summary>
    /// <param name="partitions">Partitions that contribute, at least 1.</param>
    /// <param name="inFlight">Minibatches of each that may be under way.</param>
    /// <param name="unpublished">Updates that may be made before workers hear of them.</param>
    public static Staleness For(int partitions, int inFlight, int unpublished) =>
        new((long)Math.Max(1, partitions) * inFlight + unpublished);

    /// <summary>What the step is multiplied by, in (0, 1]; 0 for one that does not count.</summary>
    /// <param name="tau">Versions since the one it was made under.</param>
    /// <param name="isAgain">Whether it is worked on anew.</param>
    public double DampingAt(long tau, bool isAgain) => tau <= Soft ? 1 : tau > Hard && !isAgain ? 0 : 1 / (1 + (double)tau / Soft);
}
