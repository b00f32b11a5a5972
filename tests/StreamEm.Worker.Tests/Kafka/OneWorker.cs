using Microsoft.Extensions.Logging;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A worker of a model that several may learn, alone and in this process.</summary>
internal static class OneWorker
{
    /// <summary>Runs it until so many records are in the model, and stops it.</summary>
    public static async Task<Checkpoint> RunAsync(ModelOptions model, string directory, int records, ModelMetrics metrics, ILogger log,
        Func<StatisticsWriter, StatisticsWriter> wrap)
    {
        using var feed = new SnapshotFeed();
        var context = new ModelContext(model, metrics, new ShownRecords(model.Schema, TimeProvider.System), TimeProvider.System, log);
        using var worker = new ScaledModel(context, feed, new CheckpointDirectory(directory, model.Id, keep: 3, log)) { Wrap = wrap };
        using var stop = new CancellationTokenSource();
        Task<PipelineEnd> running = Task.Factory.StartNew(
            () => worker.Run(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var topics = new ScaleOutTopics(model, TimeProvider.System);
        Checkpoint? state = null;
        try
        {
            await Eventually.True(
                () => running.IsCompleted || (feed.Latest is not null
                    && (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= records), $"{records} records");
        }
        finally
        {
            await stop.CancelAsync();
        }

        PipelineEnd end = await running;
        Assert.True(end.Code == 0, end.Failure);
        return state!;
    }
}
