using StreamEm.Worker.Rejections;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>Tells of records used without a field that could not be read; of the first in the log too.</summary>
internal static class UnreadFields
{
    /// <summary>Tells what there is of them.</summary>
    public static void Tell(ModelContext context, RejectionLedger counts)
    {
        (ModelMetrics metrics, string id) = (context.Metrics, context.Options.Id);
        if (counts.UnreadKeys > 0 && metrics.UnreadKeys == 0) WorkerLog.FirstUnread(context.Log, id, "key", counts.UnreadKeys);
        if (counts.UnreadTimestamps > 0 && metrics.UnreadTimestamps == 0)
            WorkerLog.FirstUnread(context.Log, id, "timestamp", counts.UnreadTimestamps);
        metrics.UnreadKeys = counts.UnreadKeys;
        metrics.UnreadTimestamps = counts.UnreadTimestamps;
    }
}
