using Prometheus;

namespace StreamEm.Worker.Telemetry;

/// <summary>
/// What is counted as it happens, in the registry of the metrics library: histograms of the worker's models and requests, and what the
/// library says of the process. One for every worker.
/// </summary>
public sealed class WorkerHistograms
{
    private const string Model = "model";

    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly double[] AnomalyScores = [0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999];

    private static readonly (string Name, string Help, string[] Labels, double[] Buckets)
        CheckpointDuration = ("streamem_checkpoint_duration_seconds", "Time to make a checkpoint durable.", [Model], Seconds),
        BatchRecords = ("streamem_batch_records", "Records of the batches that are taken from the source.", [Model],
            [1, 4, 16, 64, 256, 1024]),
        BatchDuration = ("streamem_batch_duration_seconds",
            "Time of a phase: decode and learn (all that is done) of a batch, estep and mstep of a minibatch, checkpoint, publish (the "
                + "versions that were due).", [Model, "phase"],
            [0.00001, 0.0001, .. Seconds]),
        IngestToSnapshot = ("streamem_ingest_to_snapshot_seconds",
            "From when the oldest record of a version was read to when the version was made.", [Model], [.. Seconds, 30, 60, 300, 1800]),
        StatisticsStaleness = ("streamem_stats_staleness_versions",
            "Of models that several workers learn: versions made since the one a contribution was made under.", [Model],
            [0, 1, 2, 4, 8, 16, 32, 64, 128]),
        AnomalyScore = ("streamem_anomaly_score", "Anomaly scores of the records scored since the start.", [Model], AnomalyScores),
        RequestDuration = ("http_server_request_duration_seconds", "Time to answer HTTP requests.",
            ["http_request_method", "http_route", "http_response_status_code"], Seconds);

    private static readonly string[] Phases = [.. Enum.GetValues<Phase>().Select(SnakeCase.Of)];

    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly Histogram _checkpoints, _batches, _phases, _scores, _requests, _ingest, _staleness;
    private bool _tellsProcess;

    /// <summary>Nothing has happened.</summary>
    public WorkerHistograms()
    {
        MetricFactory factory = Metrics.WithCustomRegistry(_registry);
        (_checkpoints, _batches, _phases) = (Create(CheckpointDuration), Create(BatchRecords), Create(BatchDuration));
        (_scores, _requests) = (Create(AnomalyScore), Create(RequestDuration));
        (_ingest, _staleness) = (Create(IngestToSnapshot), Create(StatisticsStaleness));

        Histogram Create((string Name, string Help, string[] Labels, double[] Buckets) family) => factory.CreateHistogram(family.Name,
            family.Help, family.Labels,
            new HistogramConfiguration { Buckets = family.Buckets, ExemplarBehavior = ExemplarBehavior.NoExemplars() });
    }

    /// <summary>The histograms there are.</summary>
    internal static IReadOnlyList<(string Name, string Help, string[] Labels, double[] Buckets)> Families { get; } =
        [CheckpointDuration, BatchRecords, BatchDuration, IngestToSnapshot, StatisticsStaleness, AnomalyScore, RequestDuration];

    /// <summary>From here on the process is told of too.</summary>
    public void TellProcess()
    {
        if (!Interlocked.Exchange(ref _tellsProcess, true)) DotNetStats.Register(_registry);
    }

    /// <summary>Those of one model.</summary>
    internal ModelHistograms Of(string model) => new(
        _checkpoints.WithLabels(model), _batches.WithLabels(model),
        new PhaseHistograms([.. Phases.Select(phase => _phases.WithLabels(model, phase))]),
        new Lazy<AnomalyScoreHistogram>(() => new AnomalyScoreHistogram(_scores.WithLabels(model), AnomalyScores)),
        _ingest.WithLabels(model), new Lazy<Histogram.Child>(() => _staleness.WithLabels(model)));

    /// <summary>Leaves out a model that is no more.</summary>
    internal void Forget(string model)
    {
        foreach (string phase in Phases) _phases.RemoveLabelled(model, phase);
        foreach (Histogram histogram in (Histogram[])[_checkpoints, _batches, _scores, _ingest, _staleness])
            histogram.RemoveLabelled(model);
    }

    /// <summary>Counts an answered request.</summary>
    internal void Answered(string method, string route, string status, TimeSpan took) =>
        _requests.WithLabels(method, route, status).Observe(took.TotalSeconds);

    /// <summary>Writes all of it in Prometheus' text format.</summary>
    internal Task WriteAsync(Stream output, CancellationToken cancellationToken) =>
        _registry.CollectAndExportAsTextAsync(output, cancellationToken);
}

/// <summary>The histograms of one model.</summary>
/// <param name="Checkpoints">Time to make a checkpoint durable, seconds.</param>
/// <param name="Batches">Records of a batch.</param>
/// <param name="Phases">Time of each phase.</param>
/// <param name="Scores">Anomaly scores; begun by a model that scores.</param>
/// <param name="Ingest">From reading to the version, seconds.</param>
/// <param name="Staleness">Versions since a contribution's; begun by a model that several workers learn.</param>
internal sealed record ModelHistograms(
    Histogram.Child Checkpoints, Histogram.Child Batches, PhaseHistograms Phases, Lazy<AnomalyScoreHistogram> Scores,
    Histogram.Child Ingest, Lazy<Histogram.Child> Staleness);

/// <summary>
/// Anomaly scores batch by batch: counted in their buckets first and handed over bucket by bucket, so that a record costs a comparison or
/// two and the library is called a few times for a thousand of them.
/// </summary>
internal sealed class AnomalyScoreHistogram(Histogram.Child histogram, double[] bounds)
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private readonly double[] _sums = new double[bounds.Length + 1];

    /// <summary>Scores counted so far.</summary>
    public long Count => histogram.Count;

    /// <summary>Counts scores; those that are no number are left out. One thread at a time.</summary>
    public void ObserveAll(ReadOnlySpan<double> scores)
    {
        foreach (double score in scores)
        {
            if (double.IsNaN(score)) continue;
            int bucket = 0;
            foreach (double bound in bounds) bucket += score > bound ? 1 : 0;
            _counts[bucket]++;
            _sums[bucket] += score;
        }

        for (int bucket = 0; bucket < _counts.Length; bucket++)
        {
            if (_counts[bucket] == 0) continue;
            // The mean of numbers in a bucket is in it, but for a rounding at its upper bound.
            double mean = _sums[bucket] / _counts[bucket];
            histogram.Observe(bucket < bounds.Length ? Math.Min(mean, bounds[bucket]) : mean, _counts[bucket]);
            (_counts[bucket], _sums[bucket]) = (0, 0);
        }
    }
}
