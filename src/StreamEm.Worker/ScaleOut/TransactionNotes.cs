using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>Where it is told how transactions end.</summary>
internal static class TransactionNotes
{
    /// <summary>Counts one, and logs it when it was not committed.</summary>
    /// <param name="context">The model.</param>
    /// <param name="role">Who made it: <c>contributor</c> or <c>reducer</c>.</param>
    /// <param name="end">How it ended.</param>
    public static void Tell(ModelContext context, string role, TransactionEnd end)
    {
        string result = SnakeCase.Of(end);
        context.Metrics.TransactionEnded(role, result);
        if (end == TransactionEnd.Fenced) context.Metrics.WasFenced(role);
        if (end != TransactionEnd.Committed) WorkerLog.TransactionNotCommitted(context.Log, context.Options.Id, role, result);
    }
}
