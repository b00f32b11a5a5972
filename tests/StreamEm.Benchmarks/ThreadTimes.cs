using System.Globalization;

namespace StreamEm.Benchmarks;

/// <summary>
/// CPU seconds of this process's threads, summed by what they are for, and how idle the machine's cores were: where a pipeline of threads
/// spends its time, and whether it waits (Linux).
/// </summary>
internal sealed class ThreadTimes
{
    private const double TicksPerSecond = 100;

    private static readonly (string Prefix, string Stage)[] Prefixes =
    [
        ("rdk:", "network"), ("kafka ", "poll"), (".NET TP", "decode"), ("learner", "learn"), (".NET Long", "checkpoint"), ("GC", "GC"),
        (".NET BGC", "GC"), (".NET SGC", "GC"),
    ];

    private readonly Dictionary<string, double> _start = Read();
    private readonly (double Idle, double All) _cores = ReadCores();
    private readonly double _wall = Clock.Wall();

    /// <summary>What has happened since this was made.</summary>
    public Profile Elapsed()
    {
        (double idle, double all) = ReadCores();
        return new Profile(Clock.Wall() - _wall, Stages(), (idle - _cores.Idle) / Math.Max(all - _cores.All, 1 / TicksPerSecond));
    }

    private Dictionary<string, double> Stages()
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
            string stage = Prefixes.FirstOrDefault(s => name.StartsWith(s.Prefix, StringComparison.Ordinal)).Stage ?? "other";
            double ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
            times[$"{stage}/{Path.GetFileName(task)}"] = ticks / TicksPerSecond;
        }

        return times;
    }

    /// <summary>Seconds that all cores together were idle, and altogether.</summary>
    private static (double Idle, double All) ReadCores()
    {
        if (!File.Exists("/proc/stat")) return (0, 0);
        double[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(field => double.Parse(field, CultureInfo.InvariantCulture))];
        return ((ticks[3] + ticks[4]) / TicksPerSecond, ticks.Sum() / TicksPerSecond);
    }
}

/// <summary>A part of a run.</summary>
/// <param name="Seconds">Wall time.</param>
/// <param name="Stages">CPU seconds by stage; threads that have ended meanwhile do not count.</param>
/// <param name="Idle">Share of the time of all the machine's cores in which they had nothing to do.</param>
internal sealed record Profile(double Seconds, IReadOnlyDictionary<string, double> Stages, double Idle);
