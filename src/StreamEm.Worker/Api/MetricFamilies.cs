using System.Globalization;
using System.Runtime.InteropServices;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>The worker's numbers that are read when somebody asks: every family once, for Prometheus and for OTLP.</summary>
internal static class MetricFamilies
{
    private const string Model = "model";

    private static readonly string[] CheckpointFailures = ["denied", "io", "no_space"], Rebalances = ["assigned", "lost", "revoked"];

    /// <summary>All families, in the order they are told.</summary>
    public static IReadOnlyList<MetricFamily<WorkerStatus>> All { get; } =
        [.. OfWorker(), .. OfRuntime(), .. OfSources(), .. OfModels(), .. OfSnapshots(), .. OfCheckpoints(), .. OfScores(), .. OfKeys(),
            .. OfManyWorkers()];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfWorker() =>
    [
        new("streamem_build_info", false, "The program that runs; always 1.", ["version", "revision", "runtime"], _ =>
            [new(1, ProgramVersion.Version, ProgramVersion.Revision ?? "", RuntimeInformation.FrameworkDescription)]),
        new("streamem_config_last_reload_successful", false, "1 while the worker runs by its configuration as it was read last.", [],
            status => [new(status.LastReload.Succeeded ? 1 : 0)]),
        new("streamem_config_last_reload_success_timestamp_seconds", false, "When a configuration was last taken, since 1970.", [],
            status => [new(status.LastReload.LastSuccess.ToUnixTimeSeconds())]),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfRuntime() =>
    [
        new("dotnet_gc_heap_size_bytes", false, "Bytes of the heaps after the last collection.", [],
            _ => [new(GC.GetGCMemoryInfo().HeapSizeBytes)]),
        new("dotnet_gc_allocated_bytes_total", true, "Bytes allocated.", [], _ => [new(GC.GetTotalAllocatedBytes())]),
        new("dotnet_gc_pause_seconds_total", true, "Time all threads were stopped for collections.", [],
            _ => [new(GC.GetTotalPauseDuration().TotalSeconds)]),
        new("dotnet_thread_pool_threads", false, "Threads of the pool.", [], _ => [new(ThreadPool.ThreadCount)]),
        new("dotnet_thread_pool_queue_length", false, "Work that waits for a thread of the pool.", [],
            _ => [new(ThreadPool.PendingWorkItemCount)]),
        new("dotnet_lock_contentions_total", true, "Times a lock was waited for.", [], _ => [new(Monitor.LockContentionCount)]),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfSources() =>
    [
        Of("streamem_source_records_total", true, "Records taken from the source and not rejected.", ["source"],
            model => [new(model.Metrics.Records, SourceCatalog.NameOf(model.Options.Source))]),
        Of("streamem_source_bytes_total", true, "Bytes read from the source, since the start.", ["source"],
            model => model.Source is { } source ? [new(source.Bytes, SourceCatalog.NameOf(model.Options.Source))] : []),
        Gauge("streamem_queue_depth_batches", "Batches read and not learned from yet.", model => model.BatchesWaiting),
        OfPartitions("streamem_source_lag_records", false, "Records between the position and the end of the partition's log.",
            partition => partition.Lag),
        OfPartitions("streamem_source_lag_seconds", false,
            "For how long the next record has been there, as far as the worker has seen; 0 when it is not.",
            partition => partition.LagSeconds),
        OfPartitions("streamem_source_skipped_records_total", true, "Records that were gone before they were read (on_gap: skip).",
            partition => partition.Skipped),
        Of("streamem_source_tombstones_total", true, "Messages without a value, passed over.", [],
            model => model.Progress is { } progress ? [new(progress.Tombstones)] : []),
        Of("streamem_paused_partitions", false,
            "Partitions not fetched for now, because what was read of them waits to be learned from.", [],
            model => model.Progress is { } progress ? [new(progress.Paused)] : []),
        Of("streamem_records_rejected_total", true, "Records that could not be used.", ["reason"], model =>
            Enum.GetValues<RejectionReason>().Select(reason => new MetricSample(model.Metrics.Rejected(reason), SnakeCase.Of(reason)))),
        Of("streamem_dlq_records_total", true, "Records sent to the dead-letter topic, since the start.", ["reason"], model =>
            model.Options.Rejected.Kafka is null ? []
                : Enum.GetValues<RejectionReason>().Select(reason =>
                    new MetricSample(model.Metrics.DeadLetters(reason), SnakeCase.Of(reason)))),
        Of("streamem_records_filtered_total", true, "Records passed over because 'where' is not about them, since the start.", [],
            model => model.Options.Schema.Where is null ? [] : [new(model.FilteredOut)]),
        Of("streamem_fields_unread_total", true, "Records used without a field that could not be read.", ["field"],
            model => [new(model.Metrics.UnreadKeys, "key"), new(model.Metrics.UnreadTimestamps, "timestamp")]),
        Of("streamem_push_requests_total", true, "Requests with records by what became of them, since the start.", ["result"], model =>
            model.Source is HttpPushSource source
                ? Enum.GetValues<PushStatus>().Select(status => new MetricSample(source.Requests(status), SnakeCase.Of(status)))
                : []),
        Gauge("streamem_model_throttled", "1 while clients are held back because too many of their records are rejected.",
            model => model.Rejecting is null ? 0 : 1),
        Gauge("streamem_source_set_aside", "Files and folders of the source that cannot be read, while the others are.",
            model => model.Source?.SetAside.Count ?? 0),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfModels() =>
    [
        Gauge("streamem_model_pending_records", "Records taken and not learned from yet.", model => model.Metrics.Pending),
        Of("streamem_model_status", false, "1 for the state a model is in, 0 for the others.", ["status"], model =>
        {
            ModelState state = model.State;
            return Enum.GetValues<ModelState>().Select(one => new MetricSample(one == state ? 1 : 0, SnakeCase.Of(one)));
        }),
        Gauge("streamem_model_exit_code", "Why a model failed, as the exit code it has; 0 while it has not.",
            model => model.End?.Code ?? 0),
        Gauge("streamem_model_ready", "1 while nothing keeps a model from its work.", model => model.Obstacle is null ? 1 : 0),
        Gauge("streamem_model_pinned_version", "The version that is served whatever is learned; 0 where that is the newest.",
            model => model.Feed.Pinned?.Version ?? 0),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfSnapshots() =>
    [
        OfLatest("streamem_model_version", false, "Version of the newest snapshot.", latest => latest.Version),
        OfLatest("streamem_model_updates_total", true, "Updates of the parameters.", latest => latest.Snapshot.Training.Updates),
        OfLatest("streamem_model_records_total", true, "Records learned from.", latest => latest.Snapshot.Training.Records),
        OfLatest("streamem_model_unlearned_records_total", true,
            "Records taken and not learned from: without weight or value, impossible under the model, or held back.",
            latest => latest.Snapshot.Training.Unlearned),
        OfLatest("streamem_model_bounded_records_total", true, "Records held back because they were too far from every component.",
            latest => latest.Snapshot.Training.Bounded),
        OfLatest("streamem_model_degenerate", false, "1 while no record of the last minibatch could be used, or most were held back.",
            latest => latest.Snapshot.Training.Status == TrainingReport.Ok ? 0 : 1),
        OfLatest("streamem_model_created_timestamp_seconds", false, "When the newest snapshot was made, since 1970.",
            latest => latest.Snapshot.CreatedAt.ToUnixTimeMilliseconds() / 1000.0),
        new("streamem_model_age_seconds", false, "Age of the newest snapshot.", [Model], status => status.Models
            .Where(model => model.Feed.Latest is not null)
            .Select(model => new MetricSample(model.AgeOf(model.Feed.Latest!).TotalSeconds, model.Options.Id))),
        OfLatest("streamem_model_step_size_ratio", false, "Step size gamma of the last update.",
            latest => latest.Snapshot.Training.LastStepSize),
        OfLatest("streamem_model_log_likelihood_nats", false,
            "Mean log-likelihood per record of the last minibatch, before its update.",
            latest => latest.Snapshot.Training.MeanLogLikelihood),
        OfLatest("streamem_model_effective_samples", false, "Records the parameters stand for.",
            latest => latest.Snapshot.Training.EffectiveRecords),
        OfLatest("streamem_model_degenerate_components", false, "Components whose status is not ok.",
            latest => latest.Snapshot.ComponentStatus.Count(status => status != "ok")),
        Of("streamem_snapshot_published_total", true, "Snapshots acknowledged by a publisher.", ["sink"],
            model => model.Metrics.Published.Select(sink => new MetricSample(sink.Value, sink.Key))),
        Of("streamem_snapshot_publish_failures_total", true, "Times a publisher failed or began to fail, since the start.", ["sink"],
            model => model.Metrics.PublishFailures.Select(sink => new MetricSample(sink.Value, sink.Key))),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfCheckpoints() =>
    [
        Gauge("streamem_checkpoint_size_bytes", "Size of the last checkpoint.", model => model.Metrics.CheckpointSize),
        Gauge("streamem_checkpoint_last_success_timestamp_seconds", "When the last checkpoint became durable, since 1970.",
            model => model.Metrics.LastCheckpointSeconds),
        Of("streamem_checkpoint_failures_total", true, "Checkpoints that could not be written, since the start.", ["reason"], model =>
            CheckpointFailures.Select(reason => new MetricSample(model.Metrics.CheckpointFailures.GetValueOrDefault(reason), reason))),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfScores() =>
    [
        Of("streamem_unscored_records_total", true,
            "Records that came before there was a version to score them under, since the start.", [],
            model => model.Options.Scores.Count > 0 || model.Options.Alarms is not null ? [new(model.Metrics.Unscored)] : []),
        Of("streamem_scores_delivered_total", true, "Scored records that have arrived, since the start.", ["sink"],
            model => model.Metrics.Delivered.Select(sink => new MetricSample(sink.Value, sink.Key))),
        OfAlarms("streamem_alarms_raised_total", true, "Alarms raised, over the whole run.", alarms => alarms.Raised),
        OfAlarms("streamem_alarms_cleared_total", true, "Alarms that ended, over the whole run.", alarms => alarms.Cleared),
        OfAlarms("streamem_alarms_active", false, "Keys whose alarm lasts.", alarms => alarms.Lasting),
    ];

    /// <summary>Models that several workers learn.</summary>
    private static IEnumerable<MetricFamily<WorkerStatus>> OfManyWorkers() =>
    [
        Of("streamem_reducer_active", false, "1 while this worker folds the statistics of all.", [],
            model => model.Options.ScaleOut is null ? [] : [new(model.Metrics.IsReducer ? 1 : 0)]),
        Of("streamem_assigned_partitions", false, "Partitions of the source that this worker works on.", [],
            model => model.Options.ScaleOut is null ? [] : [new(model.Metrics.Partitions)]),
        Of("streamem_rebalances_total", true, "Changes of the partitions that this worker works on, since the start.", ["type"],
            model => model.Options.ScaleOut is null
                ? [] : Rebalances.Select(type => new MetricSample(model.Metrics.Rebalances.GetValueOrDefault(type), type))),
        Of("streamem_fenced_total", true,
            "Times another took this worker's place without its leave, since the start: as the one that publishes, works on partitions or "
                + "folds.", ["role"],
            model => RolesOf(model.Options).Select(role => new MetricSample(model.Metrics.Fenced.GetValueOrDefault(role), role))),
        Of("streamem_stats_messages_total", true, "Messages of statistics by what became of them here, since the start.", ["result"],
            model => model.Options.ScaleOut is null
                ? [] : model.Metrics.Statistics.Select(result => new MetricSample(result.Value, result.Key))),
        Of("streamem_transactions_total", true, "Transactions of Kafka by who made them and how they ended, since the start.",
            ["role", "result"], model => model.Metrics.Transactions.Select(
                ended => new MetricSample(ended.Value, ended.Key.Role, ended.Key.Result))),
    ];

    private static IEnumerable<MetricFamily<WorkerStatus>> OfKeys() =>
    [
        OfKeys("streamem_keys", false, "Keys that have a model of their own.", keys => keys.Known),
        OfKeys("streamem_keys_in_memory", false, "Those whose model is in memory.", keys => keys.InMemory),
        OfKeys("streamem_keys_memory_bytes", false, "Bytes of the models in memory.", keys => keys.Bytes),
        OfKeys("streamem_keys_disk_bytes", false, "Bytes of the log of models.", keys => keys.BytesOnDisk),
        OfKeys("streamem_keys_returned_total", true, "Models that came back from disk, since the start.", keys => keys.Returned),
        OfSharedKeys("streamem_keys_restored_total", true, "Models of keys that came from the topic of keys, since the start.",
            metrics => metrics.RestoredKeys),
        OfSharedKeys("streamem_keys_restore_seconds", false, "How long it took the last time that partitions came to this worker.",
            metrics => metrics.LastKeyRestoreSeconds),
        OfSharedKeys("streamem_keys_met_twice_total", true,
            "Keys that came in a second partition of this worker, and have a model of each, since the start.",
            metrics => metrics.KeysMetTwice),
        OfSharedKeys("streamem_keys_standby_lag_records", false,
            "Records of the topic of keys that the copies of other workers' keys do not have yet.", metrics => metrics.StandbyLag),
    ];

    private static IEnumerable<string> RolesOf(ModelOptions options)
    {
        if (options.Publish.Any(publisher => publisher is KafkaPublisherOptions)) yield return "publisher";
        if (options.ScaleOut is null) yield break;
        yield return "contributor";
        yield return "reducer";
    }

    private static MetricFamily<WorkerStatus> OfKeys(string name, bool isCounter, string help, Func<KeyCounts, double> value) =>
        Of(name, isCounter, help, [], model => model.Metrics.Keys is { } keys ? [new(value(keys))] : []);

    private static MetricFamily<WorkerStatus> OfSharedKeys(
        string name, bool isCounter, string help, Func<ModelMetrics, double> value) =>
        Of(name, isCounter, help, [], model => model.Options is { KeepsKeys: true, ScaleOut: not null } ? [new(value(model.Metrics))] : []);

    private static MetricFamily<WorkerStatus> Gauge(string name, string help, Func<ModelPipeline, double> value) =>
        Of(name, false, help, [], model => [new(value(model))]);

    private static MetricFamily<WorkerStatus> OfLatest(string name, bool isCounter, string help, Func<SnapshotDocument, double> value) =>
        Of(name, isCounter, help, [], model => model.Feed.Latest is { } latest ? [new(value(latest))] : []);

    private static MetricFamily<WorkerStatus> OfAlarms(
        string name, bool isCounter, string help, Func<(long Raised, long Cleared, int Lasting), double> value) =>
        Of(name, isCounter, help, [], model => model.Options.Alarms is null ? [] : [new(value(model.Metrics.Alarms ?? default))]);

    private static MetricFamily<WorkerStatus> OfPartitions(
        string name, bool isCounter, string help, Func<PartitionProgress, double> value) =>
        Of(name, isCounter, help, ["topic", "partition"], model => (model.Progress?.Partitions ?? []).Select(partition =>
            new MetricSample(value(partition), partition.Topic, partition.PartitionNumber.ToString(CultureInfo.InvariantCulture))));

    /// <summary>A family with the model as its first label.</summary>
    private static MetricFamily<WorkerStatus> Of(
        string name, bool isCounter, string help, string[] labels, Func<ModelPipeline, IEnumerable<MetricSample>> read) =>
        new(name, isCounter, help, [Model, .. labels], status => status.Models.SelectMany(model => read(model)
            .Where(sample => double.IsFinite(sample.Value))
            .Select(sample => sample with { Labels = [model.Options.Id, .. sample.Labels] })));
}
