using System.Runtime.Intrinsics;

namespace StreamEm.Benchmarks;

/// <summary>The machine's ceiling, measured beside every figure: independent fused multiply-adds in registers and nothing else.</summary>
internal static class FmaProbe
{
    private const int Iterations = 200_000;
    private static double _sink;

    /// <summary>GFLOP/s of one thread.</summary>
    public static double OneThread()
    {
        double best = 0;
        for (int i = 0; i < 9; i++) best = Math.Max(best, Rate(Clock.Thread));
        return best;
    }

    /// <summary>GFLOP/s of <paramref name="threads"/> threads at once.</summary>
    public static double Threads(int threads)
    {
        if (threads == 1) return OneThread();
        double best = 0;
        for (int i = 0; i < 9; i++)
        {
            double start = Clock.Wall();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ => Loop(4 * Iterations));
            best = Math.Max(best, threads * 4.0 * Flops / (Clock.Wall() - start) * 1e-9);
        }
        return best;
    }

    private static double Flops => 2.0 * Iterations * 12 * (Vector512.IsHardwareAccelerated ? 8 : 4);

    private static double Rate(Func<double> clock)
    {
        double start = clock();
        Loop(Iterations);
        return Flops / (clock() - start) * 1e-9;
    }

    private static void Loop(int iterations)
    {
        if (Vector512.IsHardwareAccelerated) Wide(iterations);
        else Narrow(iterations);
    }

    private static void Wide(int iterations)
    {
        Vector512<double> m = Vector512.Create(0.999999), c = Vector512.Create(1e-6);
        Vector512<double> a0 = c, a1 = c, a2 = c, a3 = c, a4 = c, a5 = c, a6 = c, a7 = c, a8 = c, a9 = c, a10 = c, a11 = c;
        for (int i = 0; i < iterations; i++)
        {
            a0 = Vector512.FusedMultiplyAdd(a0, m, c);
            a1 = Vector512.FusedMultiplyAdd(a1, m, c);
            a2 = Vector512.FusedMultiplyAdd(a2, m, c);
            a3 = Vector512.FusedMultiplyAdd(a3, m, c);
            a4 = Vector512.FusedMultiplyAdd(a4, m, c);
            a5 = Vector512.FusedMultiplyAdd(a5, m, c);
            a6 = Vector512.FusedMultiplyAdd(a6, m, c);
            a7 = Vector512.FusedMultiplyAdd(a7, m, c);
            a8 = Vector512.FusedMultiplyAdd(a8, m, c);
            a9 = Vector512.FusedMultiplyAdd(a9, m, c);
            a10 = Vector512.FusedMultiplyAdd(a10, m, c);
            a11 = Vector512.FusedMultiplyAdd(a11, m, c);
        }
        Volatile.Write(ref _sink, Vector512.Sum(a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11));
    }

    private static void Narrow(int iterations)
    {
        Vector256<double> m = Vector256.Create(0.999999), c = Vector256.Create(1e-6);
        Vector256<double> a0 = c, a1 = c, a2 = c, a3 = c, a4 = c, a5 = c, a6 = c, a7 = c, a8 = c, a9 = c, a10 = c, a11 = c;
        for (int i = 0; i < iterations; i++)
        {
            a0 = Vector256.FusedMultiplyAdd(a0, m, c);
            a1 = Vector256.FusedMultiplyAdd(a1, m, c);
            a2 = Vector256.FusedMultiplyAdd(a2, m, c);
            a3 = Vector256.FusedMultiplyAdd(a3, m, c);
            a4 = Vector256.FusedMultiplyAdd(a4, m, c);
            a5 = Vector256.FusedMultiplyAdd(a5, m, c);
            a6 = Vector256.FusedMultiplyAdd(a6, m, c);
            a7 = Vector256.FusedMultiplyAdd(a7, m, c);
            a8 = Vector256.FusedMultiplyAdd(a8, m, c);
            a9 = Vector256.FusedMultiplyAdd(a9, m, c);
            a10 = Vector256.FusedMultiplyAdd(a10, m, c);
            a11 = Vector256.FusedMultiplyAdd(a11, m, c);
        }
        Volatile.Write(ref _sink, Vector256.Sum(a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11));
    }
}
