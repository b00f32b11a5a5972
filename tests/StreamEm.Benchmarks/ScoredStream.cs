using StreamEm.Core.Alarms;
using StreamEm.Core.Models.Emissions;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;

namespace StreamEm.Benchmarks;

/// <summary>What it costs that every record is scored before it is learned from: the worker end to end, with and without.</summary>
internal sealed class ScoredStream(Report report, Goals goals, bool quick)
{
    private const int Samples = 5;

    private readonly int _lines = quick ? 200_000 : 2_000_000;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Scored stream",
            $"{_lines} lines of CSV, %.6f, (8,8), minibatches of 1024, a fresh run each; lines per second of CPU time of the process, "
                + $"medians of {Samples}, taken in turn. "
                + "Every record is scored under the parameters before it, watched for alarms and counted in the histogram; what is written "
                + "are lines with key, position, densities, responsibilities and so on.",
            "covariance", "without, lines/s", "scored, above 0.99 written", "x", "scored, all written", "x", "bytes a line");
        string folder = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-scored-{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            string data = Path.Combine(folder, "data.csv");
            Ingest.WriteCsv(data, Overlap.Dimension, Overlap.Components, _lines);
            foreach (CovarianceType type in (CovarianceType[])[CovarianceType.Diag, CovarianceType.Full]) Measure(folder, data, type);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Measure(string folder, string data, CovarianceType type)
    {
        string run = Path.Combine(folder, "run"), file = Path.Combine(folder, "scores.ndjson");
        ModelOptions plain = Overlap.Options(data, type, 1024, null), all = Scored(plain, file, null), above = Scored(plain, file, 0.99);
        double[][] seconds = [new double[Samples], new double[Samples], new double[Samples]];
        long bytes = 0;
        for (int sample = 0; sample < Samples; sample++)
        {
            ModelOptions[] ways = [plain, above, all];
            for (int way = 0; way < ways.Length; way++)
            {
                Directory.CreateDirectory(run);
                File.Delete(file);
                TimeSpan start = Environment.CpuUsage.TotalTime;
                Overlap.Drain(run, ways[way], _lines).GetAwaiter().GetResult();
                seconds[way][sample] = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
                if (ways[way] == all) bytes = new FileInfo(file).Length;
                Directory.Delete(run, recursive: true);
            }
        }

        double[] rates = [.. seconds.Select(of => _lines / of.Order().ElementAt(Samples / 2))];
        string kind = type == CovarianceType.Full ? "full" : "diag";
        report.Row(
            kind, Report.Rate(rates[0]), Report.Rate(rates[1]), $"{rates[1] / rates[0]:F2}", Report.Rate(rates[2]),
            $"{rates[2] / rates[0]:F2}", $"{bytes / _lines}");
        goals.AtLeast($"learning with every record scored, {kind} (8,8), of the rate without", rates[1] / rates[0], 0.7);
    }

    private static ModelOptions Scored(ModelOptions options, string file, double? above) => options with
    {
        Scores = [new FileScoreOptions { Path = file, Selection = new ScoreSelection { Above = above } }],
        Alarms = new AlarmOptions(),
    };
}
