using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources;
using StreamEm.Sources.Files;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Benchmarks;

/// <summary>
/// The worker's own pipeline from a file to the last checkpoint: decoding on one thread, learning on another, publishing on a third.
/// </summary>
internal sealed class Overlap(Report report, bool quick)
{
    /// <summary>The shape.</summary>
    public const int Dimension = 8, Components = 8;

    private readonly int _lines = quick ? 200_000 : 2_000_000;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Worker end to end",
            $"{_lines} lines of CSV, %.6f, (8,8), a fresh run each: initialisation, learning, a version per minibatch and the last "
                + "checkpoint; wall time, " +
            "best and median of 5. Busy: CPU time of the process over wall time.",
            "covariance", "minibatch", "versions published", "best, lines/s", "median, lines/s", "busy");
        string folder = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-overlap-{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            string data = Path.Combine(folder, "data.csv");
            Ingest.WriteCsv(data, Dimension, Components, _lines);
            foreach (CovarianceType type in (CovarianceType[])[CovarianceType.Diag, CovarianceType.Full])
                foreach ((int minibatch, bool publish) in (ReadOnlySpan<(int, bool)>)[(1024, false), (1024, true), (16384, true)])
                    Measure(folder, data, type, minibatch, publish);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Measure(string folder, string data, CovarianceType type, int minibatch, bool publish)
    {
        double[] seconds = new double[5];
        double busy = 0;
        for (int sample = 0; sample < seconds.Length; sample++)
        {
            string run = Path.Combine(folder, "run");
            Directory.CreateDirectory(run);
            TimeSpan before = Environment.CpuUsage.TotalTime;
            double start = Clock.Wall();
            Drain(run, Options(data, type, minibatch, publish ? Path.Combine(run, "snapshots.ndjson") : null), _lines)
                .GetAwaiter().GetResult();
            seconds[sample] = Clock.Wall() - start;
            busy += (Environment.CpuUsage.TotalTime - before).TotalSeconds / seconds[sample] / seconds.Length;
            Directory.Delete(run, recursive: true);
        }
        Array.Sort(seconds);
        report.Row(
            type == CovarianceType.Full ? "full" : "diag", minibatch.ToString(CultureInfo.InvariantCulture), publish ? "all" : "none",
            Report.Rate(_lines / seconds[0]), Report.Rate(_lines / seconds[2]), $"{busy:F2}");
    }

    /// <summary>Runs a fresh pipeline to its end.</summary>
    public static async Task Drain(string run, ModelOptions options, int lines)
    {
        await using var pipeline = new ModelPipeline(options, new PipelineEnvironment
        {
            StateDirectory = run,
            OpenSource = (model, position) =>
                new FileSource((FileSourceOptions)model.Source, new SourceContext(model.Schema, position, TimeProvider.System)),
            CreatePublisher = (model, entry) => PublisherCatalog.Create(model, entry, TimeProvider.System, NullLogger.Instance),
            Time = TimeProvider.System,
            Log = NullLogger.Instance,
        });
        await pipeline.StartAsync(CancellationToken.None);
        PipelineEnd end = await pipeline.Completion;
        if (end.State != ModelState.Finished || pipeline.Metrics.Records != lines)
            throw new InvalidOperationException(
                $"The pipeline ended {end.State} after {pipeline.Metrics.Records} of {lines} records. {end.Failure}");
    }

    /// <summary>A model of the shape over a file.</summary>
    public static ModelOptions Options(
        string data, CovarianceType type, int minibatch, string? snapshots, int dimension = Dimension, int components = Components) => new()
        {
            Id = "bench",
            Source = new FileSourceOptions { Path = [data] },
            Schema = Ingest.Schema(dimension),
            Model = ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = type }, components),
            Learning = new LearningOptions { MinibatchSize = minibatch, Initialization = new InitializationOptions { NInit = 1 } },
            Publish = snapshots is null ? [] : [new FilePublisherOptions { Path = snapshots }],
            ConfigHash = "sha256:bench",
        };
}
