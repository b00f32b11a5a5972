using StreamEm.Core;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;

namespace StreamEm.Benchmarks;

/// <summary>How cost grows: rows per second against N (memory too), D, K and cores, through the learner that a stream goes through.</summary>
internal sealed class Growth(Report report, bool quick)
{
    private const int Block = 4096;

    /// <summary>Writes all four tables.</summary>
    public void Run()
    {
        report.Table(
            "Growth with N", "Learner, diag (8,8), minibatches of 4096, one thread; rows are drawn on the fly and their drawing is not timed.",
            "rows", "rows/s", "managed memory, MB", "allocated per row, bytes");
        foreach (long rows in quick ? (long[])[10_000, 100_000, 1_000_000] : [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]) Rows(rows);

        int size = quick ? 20_000 : 100_000;
        report.Table("Growth with D", "K = 8, one iteration, one thread; per-row cost beside D^2 for full and D for diag.", "D", "full, rows/s", "ns per row and D^2", "diag, rows/s", "ns per row and D");
        foreach (int d in (int[])[2, 4, 8, 16, 32, 64])
        {
            (double full, double diagonal) = (Rate(d, 8, size, true, 1), Rate(d, 8, size, false, 1));
            report.Row($"{d}", Report.Rate(full), $"{1e9 / full / d / d:F2}", Report.Rate(diagonal), $"{1e9 / diagonal / d:F2}");
        }
        report.Table("Growth with K", "D = 8, one iteration, one thread.", "K", "full, rows/s", "ns per row and component", "diag, rows/s", "ns per row and component");
        foreach (int k in (int[])[1, 2, 4, 8, 16, 32, 64])
        {
            (double full, double diagonal) = (Rate(8, k, size, true, 1), Rate(8, k, size, false, 1));
            report.Row($"{k}", Report.Rate(full), $"{1e9 / full / k:F2}", Report.Rate(diagonal), $"{1e9 / diagonal / k:F2}");
        }
        report.Table("Growth with cores", "Full (16,16), one iteration, wall time; the same bytes whatever the number of threads.", "threads", "rows/s", "FMA probe, GFLOP/s");
        for (int threads = 1; threads <= Environment.ProcessorCount; threads *= 2)
            report.Row($"{threads}", Report.Rate(Rate(16, 16, size, true, threads)), $"{FmaProbe.Threads(threads):F1}");
    }

    private static double Rate(int dimension, int components, int rows, bool full, int threads)
    {
        var data = new SyntheticMixture(dimension, components);
        return new Iteration(data, full).Rate(data.Draw(rows), threads, 5, 0.05);
    }

    private void Rows(long rows)
    {
        var data = new SyntheticMixture(8, 8);
        var learner = new Learner(
            new GaussianMixtureOptions { Components = 8, CovarianceType = CovarianceType.Diag }, 8, new LearningOptions { MinibatchSize = Block }, threads: 1);
        var batch = new Minibatch(8, Block);
        double seconds = 0;
        long allocated = 0, memory = 0;
        for (long done = 0; done < rows; done += batch.Count)
        {
            data.Refill(batch, (int)Math.Min(Block, rows - done));
            long before = GC.GetAllocatedBytesForCurrentThread();
            double start = Clock.Thread();
            for (int row = 0, count; row < batch.Count; row += count)
            {
                count = Math.Min(learner.Room, batch.Count - row);
                learner.AddRange(batch.Values.Slice(row * batch.Dimension, count * batch.Dimension));
                while (learner.TryUpdate()) { }
            }
            seconds += Clock.Thread() - start;
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            memory = Math.Max(memory, GC.GetTotalMemory(forceFullCollection: false));
        }
        report.Row($"{rows:E0}", Report.Rate(rows / seconds), $"{memory / 1e6:F1}", $"{(double)allocated / rows:F2}");
    }
}
