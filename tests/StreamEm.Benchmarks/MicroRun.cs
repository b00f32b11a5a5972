using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Perfolizer.Horology;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Benchmarks;

/// <summary>Runs <see cref="MicroBenchmarks"/> inside this process: nothing is generated, restored or written.</summary>
internal static class MicroRun
{
    /// <summary>With BenchmarkDotNet's own options and its own output.</summary>
    public static void Switch(string[] args) =>
        BenchmarkSwitcher.FromTypes([typeof(MicroBenchmarks)])
            .Run(args.Length > 0 ? args : ["--filter", "*"], Config(ConsoleLogger.Default, 9));

    /// <summary>All of them, as a table of the report.</summary>
    public static void Run(Report report, bool quick)
    {
        report.Table("Micro-benchmarks", "BenchmarkDotNet, every kernel alone on one block of 256 rows in cache.", "kernel", "(D,K)",
            "ns per row", "standard deviation", "allocated, bytes");
        Summary summary = BenchmarkRunner.Run<MicroBenchmarks>(Config(NullLogger.Instance, quick ? 3 : 9));
        foreach (BenchmarkReport result in summary.Reports)
        {
            if (result.ResultStatistics is not { } statistics)
                throw new InvalidOperationException($"{result.BenchmarkCase.DisplayInfo} gave no result; run with --micro to see why.");
            double perRow = 1.0 / RowBlock.Capacity;
            report.Row(
                result.BenchmarkCase.Descriptor.WorkloadMethod.Name, $"{result.BenchmarkCase.Parameters["Shape"]}",
                $"{statistics.Mean * perRow:F2}",
                $"{statistics.StandardDeviation * perRow:F2}", $"{result.GcStats.GetBytesAllocatedPerOperation(result.BenchmarkCase)}");
        }
    }

    private static ManualConfig Config(ILogger logger, int iterations) => ManualConfig.CreateEmpty()
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(logger)
        .AddJob(Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(iterations)
            .WithIterationTime(TimeInterval.FromMilliseconds(100)))
        .WithOptions(ConfigOptions.DisableLogFile);
}
