using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>A line of the log for everything that somebody asked the worker to do: what, of what, by whom, and what came of it.</summary>
internal sealed class AuditLog(HttpOptions options, ILogger log)
{
    /// <summary>Tells of a request.</summary>
    public void Tell(HttpContext context, string action, string subject, string result) => WorkerLog.Administration(
        log, action, subject, context.Connection.RemoteIpAddress?.ToString() ?? "unknown",
        string.IsNullOrEmpty(options.AuthToken) ? "no token, loopback" : "token", result);
}
