namespace StreamEm.Sources.Kafka;

/// <summary>
/// When a partition's log grew to where, so that it can be told for how long the next record has been there without asking for the time of
/// every message. What was there before the first look is as old as that. One thread notes, any asks.
/// </summary>
internal sealed class LogGrowth
{
    /// <summary>Looks that are kept; beyond, every second one is forgotten: an age may be too small by their distance.</summary>
    private const int Most = 256;

    private readonly Lock _lock = new();
    private readonly List<(long End, DateTimeOffset At)> _looks = [];

    /// <summary>Notes where the log ends.</summary>
    /// <param name="end">The offset after its last record.</param>
    /// <param name="next">The next record to be taken: what is before it is of no use.</param>
    /// <param name="now">The time.</param>
    public void Note(long end, long next, DateTimeOffset now)
    {
        lock (_lock)
        {
            _looks.RemoveAll(look => look.End <= next);
            if (end <= next || (_looks.Count > 0 && _looks[^1].End >= end)) return;
            if (_looks.Count == Most)
            {
                int at = 0;
                _looks.RemoveAll(_ => at++ % 2 == 1);
            }

            _looks.Add((end, now));
        }
    }

    /// <summary>For how long the next record has been known to be there, seconds; 0 when it is not there.</summary>
    /// <param name="next">The next record to be taken.</param>
    /// <param name="now">The time.</param>
    public double AgeOf(long next, DateTimeOffset now)
    {
        lock (_lock)
        {
            foreach ((long end, DateTimeOffset at) in _looks)
                if (end > next) return Math.Max(0, (now - at).TotalSeconds);
            return 0;
        }
    }
}
