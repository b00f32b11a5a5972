using System.Globalization;

namespace StreamEm.Benchmarks;

/// <summary>CPU seconds of this process's threads, summed by what they are for: where a pipeline of threads spends its time (Linux).</summary>
internal sealed class ThreadTimes
{
    private const double TicksPerSecond = 100;

    private static readonly (string Prefix, string Stage)[] Stages =
    [
        ("rdk:", "network"), ("kafka ", "poll"), (".NET TP", "decode"), ("learner", "learn"), (".NET Long", "checkpoint"), ("GC", "GC"), (".NET BGC", "GC"), (".NET SGC", "GC"),
    ];

    private readonly Dictionary<string, double> _start = Read();

    /// <summary>CPU seconds since this was made, by stage; threads that have ended meanwhile do not count.</summary>
    public IReadOnlyDictionary<string, double> Elapsed()
    {
        Dictionary<string, double> now = Read();
        return now.Where(pair => pair.Key.Contains('/', StringComparison.Ordinal))
            .GroupBy(pair => pair.Key[..pair.Key.IndexOf('/', StringComparison.Ordinal)])
            .ToDictionary(group => group.Key, group => group.Sum(pair => pair.Value - _start.GetValueOrDefault(pair.Key)));
    }

    /// <summary>Stage/thread id -> CPU seconds.</summary>
    private static Dictionary<string, double> Read()
    {
        var times = new Dictionary<string, double>(StringComparer.Ordinal);
        if (!Directory.Exists("/proc/self/task")) return times;
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(task, "stat"));
            }
            catch (IOException)
            {
                // Ended between the listing and the reading.
                continue;
            }

            string name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..stat.LastIndexOf(')')];
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            string stage = Stages.FirstOrDefault(s => name.StartsWith(s.Prefix, StringComparison.Ordinal)).Stage ?? "other";
            double ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
            times[$"{stage}/{Path.GetFileName(task)}"] = ticks / TicksPerSecond;
        }

        return times;
    }
}
