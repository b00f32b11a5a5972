namespace StreamEm.Benchmarks;

/// <summary>
/// How cost grows: rows per second against N (memory too), D, K and cores, through the learner that a stream goes through.
/// </summary>
internal sealed class Growth(Report report, bool quick)
{
    /// <summary>Writes all four tables.</summary>
    public void Run()
    {
        new GrowthWithRows(report, quick).Run();
        int size = quick ? 20_000 : 100_000;
        report.Table("Growth with D", "K = 8, one iteration, one thread; per-row cost beside D^2 for full and D for diag.", "D",
            "full, rows/s", "ns per row and D^2", "diag, rows/s", "ns per row and D");
        foreach (int d in (int[])[2, 4, 8, 16, 32, 64])
        {
            (double full, double diagonal) = (Rate(d, 8, size, true, 1), Rate(d, 8, size, false, 1));
            report.Row($"{d}", Report.Rate(full), $"{1e9 / full / d / d:F2}", Report.Rate(diagonal), $"{1e9 / diagonal / d:F2}");
        }
        report.Table("Growth with K", "D = 8, one iteration, one thread.", "K", "full, rows/s", "ns per row and component", "diag, rows/s",
            "ns per row and component");
        foreach (int k in (int[])[1, 2, 4, 8, 16, 32, 64])
        {
            (double full, double diagonal) = (Rate(8, k, size, true, 1), Rate(8, k, size, false, 1));
            report.Row($"{k}", Report.Rate(full), $"{1e9 / full / k:F2}", Report.Rate(diagonal), $"{1e9 / diagonal / k:F2}");
        }
        report.Table("Growth with cores", "Full (16,16), one iteration, wall time; the same bytes whatever the number of threads.",
            "threads", "rows/s", "FMA probe, GFLOP/s");
        for (int threads = 1; threads <= Environment.ProcessorCount; threads *= 2)
            report.Row($"{threads}", Report.Rate(Rate(16, 16, size, true, threads)), $"{FmaProbe.Threads(threads):F1}");
    }

    private static double Rate(int dimension, int components, int rows, bool full, int threads)
    {
        var data = new SyntheticMixture(dimension, components);
        return new Iteration(data, full).Rate(data.Draw(rows), threads, 5, 0.05);
    }
}
