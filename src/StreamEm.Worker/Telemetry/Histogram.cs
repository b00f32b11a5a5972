namespace StreamEm.Worker.Telemetry;

/// <summary>Counts of observations below fixed bounds, with their sum: a Prometheus histogram. Thread-safe.</summary>
public sealed class Histogram(params double[] bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Durations of disk and network work, in seconds.</summary>
    public static Histogram OfSeconds() => new(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

    /// <summary>Counts one observation.</summary>
    public void Observe(double value)
    {
        int bucket = Array.FindIndex(bounds, bound => value <= bound);
        lock (_lock)
        {
            _counts[bucket < 0 ? bounds.Length : bucket]++;
            _sum += value;
        }
    }

    /// <summary>Counts many observations; those that are no number are left out.</summary>
    public void ObserveAll(ReadOnlySpan<double> values)
    {
        lock (_lock)
            foreach (double value in values)
            {
                if (double.IsNaN(value)) continue;
                int bucket = 0;
                foreach (double bound in bounds) bucket += value > bound ? 1 : 0;
                _counts[bucket]++;
                _sum += value;
            }
    }

    /// <summary>For every bound the observations at or below it, the last for infinity (their number), and the sum of all.</summary>
    public (IReadOnlyList<(double Bound, long Cumulative)> Buckets, double Sum) Read()
    {
        var buckets = new (double, long)[_counts.Length];
        lock (_lock)
        {
            long cumulative = 0;
            for (int i = 0; i < _counts.Length; i++)
            {
                cumulative += _counts[i];
                buckets[i] = (i < bounds.Length ? bounds[i] : double.PositiveInfinity, cumulative);
            }

            return (buckets, _sum);
        }
    }
}
