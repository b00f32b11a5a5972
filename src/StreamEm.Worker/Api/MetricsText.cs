using System.Globalization;
using System.Runtime.InteropServices;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Http;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>The worker's numbers in Prometheus' text format.</summary>
internal static class MetricsText
{
    /// <summary>The format's media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>All numbers as they are now.</summary>
    public static string Write(WorkerStatus status, TimeProvider time)
    {
        var text = new PrometheusText();
        IReadOnlyList<ModelPipeline> models = status.Models;
        text.Family("streamem_build_info", "gauge", "The program that runs; always 1.")
            .Sample(1, ("version", ProgramVersion.Version), ("revision", ProgramVersion.Revision ?? ""),
                ("runtime", RuntimeInformation.FrameworkDescription));
        text.PerModel(models, "streamem_source_records_total", "counter", "Records taken from the source and not rejected.",
            model => model.Metrics.Records);
        Progress(text, models);
        text.Family("streamem_records_rejected_total", "counter", "Records that could not be used.");
        foreach (ModelPipeline model in models)
            foreach (RejectionReason reason in Enum.GetValues<RejectionReason>())
                text.Sample(model.Metrics.Rejected(reason), ("model", model.Options.Id), ("reason", SnakeCase.Of(reason)));
        text.PerModel([.. models.Where(model => model.Options.Schema.Where is not null)], "streamem_records_filtered_total", "counter",
            "Records passed over because 'where' is not about them, since the start.", model => model.FilteredOut);
        Unread(text, models);
        Clients(text, models);
        text.PerModel(models, "streamem_model_pending_records", "gauge", "Records taken and not learned from yet.",
            model => model.Metrics.Pending);
        text.PerModel(models, "streamem_source_set_aside", "gauge",
            "Files and folders of the source that cannot be read, while the others are.", model => model.Source?.SetAside.Count ?? 0);
        text.Family("streamem_model_status", "gauge", "1 for the state a model is in.");
        foreach (ModelPipeline model in models) text.Sample(1, ("model", model.Options.Id), ("status", SnakeCase.Of(model.State)));
        text.PerModel(models, "streamem_model_exit_code", "gauge", "Why a model failed, as the exit code it has; 0 while it has not.",
            model => model.End?.Code ?? 0);
        Snapshots(text, models, time);
        Checkpoints(text, models);
        text.Family("streamem_snapshot_published_total", "counter", "Snapshots acknowledged by a publisher.");
        foreach (ModelPipeline model in models)
            foreach ((string publisher, long count) in model.Metrics.Published)
                text.Sample(count, ("model", model.Options.Id), ("sink", publisher));
        Scores(text, [.. models.Where(model => model.Options.Scores.Count > 0 || model.Options.Alarms is not null)]);
        Together(text, [.. models.Where(model => model.Options.ScaleOut is not null)]);
        Keys(text, models);
        return text.ToString();
    }

    private static void Scores(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        if (models.Count == 0) return;
        text.Family("streamem_anomaly_score", "histogram", "Anomaly scores of the records scored since the start.");
        foreach (ModelPipeline model in models) text.Histogram(model.Metrics.Scores, ("model", model.Options.Id));
        text.PerModel(models, "streamem_unscored_records_total", "counter",
            "Records that came before there was a version to score them under, since the start.", model => model.Metrics.Unscored);
        text.Family("streamem_scores_delivered_total", "counter", "Scored records that have arrived, since the start.");
        foreach (ModelPipeline model in models)
            foreach ((string sink, long count) in model.Metrics.Delivered) text.Sample(count, ("model", model.Options.Id), ("sink", sink));
        ModelPipeline[] watched = [.. models.Where(model => model.Options.Alarms is not null)];
        text.PerModel(watched, "streamem_alarms_raised_total", "counter", "Alarms raised, over the whole run.",
            model => model.Metrics.Alarms?.Raised ?? 0);
        text.PerModel(watched, "streamem_alarms_cleared_total", "counter", "Alarms that ended, over the whole run.",
            model => model.Metrics.Alarms?.Cleared ?? 0);
        text.PerModel(watched, "streamem_alarms_active", "gauge", "Keys whose alarm lasts.", model => model.Metrics.Alarms?.Lasting ?? 0);
    }

    /// <summary>Models that several workers learn.</summary>
    private static void Together(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        if (models.Count == 0) return;
        text.PerModel(models, "streamem_reducer_active", "gauge", "1 while this worker folds the statistics of all.",
            model => model.Metrics.IsReducer ? 1 : 0);
        text.PerModel(models, "streamem_assigned_partitions", "gauge", "Partitions of the source that this worker works on.",
            model => model.Metrics.Partitions);
        text.Family("streamem_stats_messages_total", "counter", "Messages of statistics by what became of them here, since the start.");
        foreach (ModelPipeline model in models)
            foreach ((string result, long count) in model.Metrics.Statistics)
                text.Sample(count, ("model", model.Options.Id), ("result", result));
    }

    private static void Keys(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        ModelPipeline[] keyed = [.. models.Where(model => model.Metrics.Keys is not null)];
        if (keyed.Length == 0) return;
        text.PerModel(keyed, "streamem_keys", "gauge", "Keys that have a model of their own.", model => model.Metrics.Keys!.Known);
        text.PerModel(keyed, "streamem_keys_in_memory", "gauge", "Those whose model is in memory.", model => model.Metrics.Keys!.InMemory);
        text.PerModel(keyed, "streamem_keys_memory_bytes", "gauge", "Bytes of the models in memory.", model => model.Metrics.Keys!.Bytes);
        text.PerModel(keyed, "streamem_keys_disk_bytes", "gauge", "Bytes of the log of models.", model => model.Metrics.Keys!.BytesOnDisk);
        text.PerModel(keyed, "streamem_keys_returned_total", "counter", "Models that came back from disk, since the start.",
            model => model.Metrics.Keys!.Returned);
    }

    private static void Clients(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        text.Family("streamem_push_requests_total", "counter", "Requests with records by what became of them, since the start.");
        foreach (ModelPipeline model in models)
        {
            if (model.Source is not HttpPushSource source) continue;
            foreach (PushStatus status in Enum.GetValues<PushStatus>())
                text.Sample(source.Requests(status), ("model", model.Options.Id), ("result", SnakeCase.Of(status)));
        }

        text.PerModel(models, "streamem_model_throttled", "gauge",
            "1 while clients are held back because too many of their records are rejected.", model => model.Rejecting is null ? 0 : 1);
    }

    private static void Unread(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        text.Family("streamem_fields_unread_total", "counter", "Records used without a field that could not be read.");
        foreach (ModelPipeline model in models)
        {
            text.Sample(model.Metrics.UnreadKeys, ("model", model.Options.Id), ("field", "key"));
            text.Sample(model.Metrics.UnreadTimestamps, ("model", model.Options.Id), ("field", "timestamp"));
        }
    }

    private static void Progress(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        (string Model, SourceProgress Source)[] known =
            [.. models.Where(model => model.Source?.Progress is not null).Select(model => (model.Options.Id, model.Source!.Progress!))];
        text.PerPartition(known, "streamem_source_lag_records", "gauge", "Records between the position and the end of the partition's log.",
            partition => partition.Lag);
        text.PerPartition(known, "streamem_source_skipped_records_total", "counter",
            "Records that were gone before they were read (on_gap: skip).", partition => partition.Skipped);
        text.Family("streamem_source_tombstones_total", "counter", "Messages without a value, passed over.");
        foreach ((string model, SourceProgress source) in known) text.Sample(source.Tombstones, ("model", model));
        text.Family("streamem_paused_partitions", "gauge",
            "Partitions not fetched for now, because what was read of them waits to be learned from.");
        foreach ((string model, SourceProgress source) in known) text.Sample(source.Paused, ("model", model));
    }

    private static void Snapshots(PrometheusText text, IReadOnlyList<ModelPipeline> models, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        text.PerSnapshot(models, "streamem_model_version", "gauge", "Version of the newest snapshot.", latest => latest.Version);
        text.PerSnapshot(models, "streamem_model_updates_total", "counter", "Updates of the parameters.",
            latest => latest.Snapshot.Training.Updates);
        text.PerSnapshot(models, "streamem_model_records_total", "counter", "Records learned from.",
            latest => latest.Snapshot.Training.Records);
        text.PerSnapshot(models, "streamem_model_unlearned_records_total", "counter",
            "Records taken and not learned from: without weight or value, impossible under the model, or held back.",
            latest => latest.Snapshot.Training.Unlearned);
        text.PerSnapshot(models, "streamem_model_bounded_records_total", "counter",
            "Records held back because they were too far from every component.", latest => latest.Snapshot.Training.Bounded);
        text.PerSnapshot(models, "streamem_model_degenerate", "gauge",
            "1 while no record of the last minibatch could be used, or most were held back.",
            latest => latest.Snapshot.Training.Status == TrainingReport.Ok ? 0 : 1);
        text.PerSnapshot(models, "streamem_model_age_seconds", "gauge", "Age of the newest snapshot.",
            latest => Math.Max(0, (now - latest.Snapshot.CreatedAt).TotalSeconds));
        text.PerSnapshot(models, "streamem_model_step_size_ratio", "gauge", "Step size gamma of the last update.",
            latest => latest.Snapshot.Training.LastStepSize);
        text.PerSnapshot(models, "streamem_model_log_likelihood_nats", "gauge",
            "Mean log-likelihood per record of the last minibatch, before its update.",
            latest => latest.Snapshot.Training.MeanLogLikelihood);
        text.PerSnapshot(models, "streamem_model_effective_samples", "gauge", "Records the parameters stand for.",
            latest => latest.Snapshot.Training.EffectiveRecords);
        text.PerSnapshot(models, "streamem_model_degenerate_components", "gauge", "Components whose status is not ok.",
            latest => latest.Snapshot.ComponentStatus.Count(status => status != "ok"));
    }

    private static void Checkpoints(PrometheusText text, IReadOnlyList<ModelPipeline> models)
    {
        text.Family("streamem_checkpoint_duration_seconds", "histogram", "Time to make a checkpoint durable.");
        foreach (ModelPipeline model in models) text.Histogram(model.Metrics.CheckpointSeconds, ("model", model.Options.Id));
        text.PerModel(models, "streamem_checkpoint_size_bytes", "gauge", "Size of the last checkpoint.",
            model => model.Metrics.CheckpointSize);
        text.PerModel(models, "streamem_checkpoint_last_success_timestamp_seconds", "gauge",
            "When the last checkpoint became durable, since 1970.", model => model.Metrics.LastCheckpointSeconds);
        text.PerModel(models, "streamem_checkpoint_failures_total", "counter", "Checkpoints that could not be written.",
            model => model.Metrics.CheckpointFailures);
    }

    private static void PerModel(this PrometheusText text, IReadOnlyList<ModelPipeline> models, string name, string type, string help,
        Func<ModelPipeline, double> value)
    {
        text.Family(name, type, help);
        foreach (ModelPipeline model in models) text.Sample(value(model), ("model", model.Options.Id));
    }

    private static void PerPartition(
        this PrometheusText text, (string Model, SourceProgress Source)[] sources, string name, string type, string help,
        Func<PartitionProgress, double> value)
    {
        text.Family(name, type, help);
        foreach ((string model, SourceProgress source) in sources)
            foreach (PartitionProgress partition in source.Partitions)
                text.Sample(value(partition), ("model", model), ("topic", partition.Topic),
                    ("partition", partition.PartitionNumber.ToString(CultureInfo.InvariantCulture)));
    }

    private static void PerSnapshot(this PrometheusText text, IReadOnlyList<ModelPipeline> models, string name, string type, string help,
        Func<SnapshotDocument, double> value)
    {
        text.Family(name, type, help);
        foreach (ModelPipeline model in models)
            if (model.Feed.Latest is { } latest && double.IsFinite(value(latest))) text.Sample(value(latest), ("model", model.Options.Id));
    }
}
