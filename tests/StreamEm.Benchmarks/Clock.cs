using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StreamEm.Benchmarks;

/// <summary>Seconds: of this thread's own work where nothing else should count, of the wall where several threads work.</summary>
internal static partial class Clock
{
    private const int ThreadCpuTime = 3;

    /// <summary>
    /// CPU seconds of the calling thread; other load on the machine does not enter (wall time where the system has no such clock).
    /// </summary>
    public static double Thread()
    {
        if (!OperatingSystem.IsLinux()) return Wall();
        _ = GetTime(ThreadCpuTime, out Timespec time);
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    /// <summary>Wall seconds.</summary>
    public static double Wall() => (double)Stopwatch.GetTimestamp() / Stopwatch.Frequency;

    /// <summary>
    /// Median seconds of one call: calls are grouped so that a sample lasts <paramref name="sampleSeconds"/>, after one warm-up sample.
    /// </summary>
    public static double Median(Action call, Func<double> clock, int samples, double sampleSeconds)
    {
        int calls = 1;
        while (true)
        {
            double start = clock();
            for (int i = 0; i < calls; i++) call();
            double seconds = clock() - start;
            if (seconds >= 0.5 * sampleSeconds) break;
            calls = seconds <= 0.01 * sampleSeconds ? calls * 8 : (int)Math.Ceiling(calls * sampleSeconds / seconds);
        }
        double[] taken = new double[samples];
        for (int sample = 0; sample < samples; sample++)
        {
            double start = clock();
            for (int i = 0; i < calls; i++) call();
            taken[sample] = (clock() - start) / calls;
        }
        Array.Sort(taken);
        return taken[samples / 2];
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
