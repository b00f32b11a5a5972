namespace StreamEm.Worker.Telemetry;

/// <summary>
/// How late the last minibatches of this worker came into the model that several workers learn: versions made between the parameters that
/// one was computed under and the first state seen here that has it in. Any thread.
/// </summary>
internal sealed class RecentLateness
{
    private const int Most = 256;

    private readonly Lock _lock = new();
    private readonly long[] _versions = new long[Most];
    private long _count;

    /// <summary>Notes a minibatch.</summary>
    public void Add(long versions)
    {
        lock (_lock) _versions[_count++ % Most] = versions;
    }

    /// <summary>Minibatches, of the last 256, their mean and the largest; null where there are none.</summary>
    public (int Minibatches, double Mean, long Max)? Summary
    {
        get
        {
            lock (_lock)
            {
                int count = (int)Math.Min(_count, Most);
                if (count == 0) return null;
                ReadOnlySpan<long> known = _versions.AsSpan(0, count);
                (long sum, long max) = (0, 0);
                foreach (long versions in known) (sum, max) = (sum + versions, Math.Max(max, versions));
                return (count, (double)sum / count, max);
            }
        }
    }
}
