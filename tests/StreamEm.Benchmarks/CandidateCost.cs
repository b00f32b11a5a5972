using StreamEm.Core.Models.Emissions;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Benchmarks;

/// <summary>What it costs a worker to learn eight candidates beside its model, in CPU time of the process.</summary>
internal sealed class CandidateCost(Report report, Goals goals, bool quick)
{
    private readonly int _lines = quick ? 100_000 : 1_000_000;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Candidates 1..8 beside a model", $"{_lines} lines of CSV, full covariances, K = 4, one version per minibatch of 1024, "
                + "CPU seconds of the process, the lesser of 3.",
            "D", "the model alone", "with candidates", "x");
        string folder = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-candidates-{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            foreach (int dimension in (int[])[2, 8, 16])
            {
                string data = Path.Combine(folder, "data.csv");
                Ingest.WriteCsv(data, dimension, 4, _lines);
                ModelOptions alone = Overlap.Options(data, CovarianceType.Full, 1024, snapshots: null, dimension, components: 4);
                double one = Seconds(folder, alone), all = Seconds(folder, alone with { Candidates = new CandidateOptions() });
                report.Row($"{dimension}", $"{one:F2}", $"{all:F2}", $"{all / one:F2}");
                goals.AtMost($"candidates, D = {dimension}", all / one, 2.5);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private double Seconds(string folder, ModelOptions options)
    {
        double least = double.PositiveInfinity;
        for (int sample = 0; sample < 3; sample++)
        {
            string run = Path.Combine(folder, "run");
            Directory.CreateDirectory(run);
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Overlap.Drain(run, options, _lines).GetAwaiter().GetResult();
            least = Math.Min(least, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
            Directory.Delete(run, recursive: true);
        }
        return least;
    }
}
