using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Data;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Files;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Benchmarks;

/// <summary>Many rows scored at once: by the scorer beside the E-step that it is, and by <c>POST /score</c> beside the scorer.</summary>
internal sealed class BatchScoring(Report report, Goals goals, bool quick)
{
    private const int Rows = 1000, Samples = 7;

    private readonly int _lines = quick ? 20_000 : 100_000;
    private readonly double _sampleSeconds = quick ? 0.05 : 0.3;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "Scoring many rows",
            $"(8,8), {Rows} rows a call, nanoseconds a row. E-step: log-densities and responsibilities of rows that are standardised. "
                + "Scorer: from the user's units, with anomaly scores. POST /score: the same rows as a JSON array through the API on this "
                + "machine, the client's time in it; CPU of the whole process beside it.",
            "covariance", "E-step", "scorer", "x", "POST /score", "x scorer", "CPU", "x scorer", "bytes in", "bytes out");
        foreach (CovarianceType type in (CovarianceType[])[CovarianceType.Diag, CovarianceType.Full])
            MeasureAsync(type).GetAwaiter().GetResult();
    }

    private async Task MeasureAsync(CovarianceType type)
    {
        string folder = Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"streamem-batch-{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        try
        {
            string data = Path.Combine(folder, "data.csv");
            Ingest.WriteCsv(data, Overlap.Dimension, Overlap.Components, _lines);
            ModelOptions options = Overlap.Options(data, type, 1024, null);
            await using var pipeline = new ModelPipeline(options, new PipelineEnvironment
            {
                StateDirectory = folder,
                OpenSource = (model, position) =>
                    new FileSource((FileSourceOptions)model.Source, new SourceContext(model.Schema, position, TimeProvider.System)),
                CreatePublisher = (model, entry) => PublisherCatalog.Create(model, entry, TimeProvider.System, NullLogger.Instance),
                Time = TimeProvider.System,
                Log = NullLogger.Instance,
            });
            await pipeline.StartAsync(CancellationToken.None);
            await pipeline.Completion;
            await using var server = new ApiServer(
                new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System,
                NullLoggerProvider.Instance);
            await server.StartAsync(NullLogger.Instance, CancellationToken.None);
            using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
            Measure(type, pipeline.Feed.Latest!.Snapshot, client);
            await server.StopAsync(CancellationToken.None);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Measure(CovarianceType type, ModelSnapshot snapshot, HttpClient client)
    {
        Minibatch rows = new SyntheticMixture(Overlap.Dimension, Overlap.Components).Draw(Rows);
        byte[] content = Encoding.UTF8.GetBytes(Body(rows));
        double dense = DenseStep(type, rows), scorer = ScorerSeconds(snapshot, rows);
        int answered = 0;
        byte[] Post()
        {
            using var request = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using HttpResponseMessage answer = client.PostAsync("/v1/models/bench/score", request).GetAwaiter().GetResult();
            return answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        }
        double wall = Clock.Median(() => answered = Post().Length, Clock.Wall, Samples, _sampleSeconds);
        double cpu = Clock.Median(() => Post(), () => Environment.CpuUsage.TotalTime.TotalSeconds, Samples, _sampleSeconds);
        string kind = type == CovarianceType.Full ? "full" : "diag";
        report.Row(kind, Each(dense), Each(scorer), $"{scorer / dense:F2}", Each(wall), $"{wall / scorer:F1}", Each(cpu),
            $"{cpu / scorer:F1}", $"{content.Length / Rows}", $"{answered / Rows}");
        goals.AtMost($"scoring a batch {kind} (8,8), of the E-step's time", scorer / dense, 1.1);
        goals.AtMost($"POST /score of {Rows} rows {kind} (8,8), of the scorer's time", wall / scorer, 3);
    }

    private static string Each(double seconds) => $"{seconds / Rows * 1e9:F0}";

    private double DenseStep(CovarianceType type, Minibatch rows)
    {
        var iteration = new Iteration(new SyntheticMixture(Overlap.Dimension, Overlap.Components), type == CovarianceType.Full);
        var eStep = iteration.Model.Prepare(iteration.Parameters);
        var workspace = eStep.CreateWorkspace();
        double[] densities = new double[Rows], scores = new double[Rows * Overlap.Components];
        return Clock.Median(() => eStep.Score(rows, 0, Rows, densities, scores, workspace), Clock.Thread, Samples, _sampleSeconds);
    }

    private double ScorerSeconds(ModelSnapshot snapshot, Minibatch rows)
    {
        var scorer = new Scorer(snapshot);
        double[] densities = new double[Rows], scores = new double[Rows * scorer.Layout.Length], anomalies = new double[Rows];
        return Clock.Median(() => scorer.Score(rows, densities, scores, anomalies), Clock.Thread, Samples, _sampleSeconds);
    }

    private static string Body(Minibatch rows)
    {
        var text = new StringBuilder("[");
        for (int row = 0; row < rows.Count; row++)
        {
            text.Append(row == 0 ? "{" : ",{");
            for (int d = 0; d < Overlap.Dimension; d++)
                text.Append(CultureInfo.InvariantCulture, $"{(d == 0 ? "" : ",")}\"x{d}\":{rows.Row(row)[d]:F6}");
            text.Append('}');
        }
        return text.Append(']').ToString();
    }
}
