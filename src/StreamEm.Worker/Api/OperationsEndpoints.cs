using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>What runs a container asks: alive, ready, started, metrics, version.</summary>
internal static class OperationsEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        // A failed model ends the process; while it answers it lives. Nothing outside the process is asked: a restart would not mend that.
        routes.MapGet("/livez", () => Results.Text("ok\n")).WithSummary("Whether the process lives").Produces<string>(200, "text/plain");
        routes.MapGet("/startupz", (WorkerStatus status) => Answer(status.HasStarted, status))
            .WithSummary("Whether every model has restored its state").Produces<ReadinessAnswer>().Produces<ReadinessAnswer>(503);
        routes.MapGet("/readyz", (WorkerStatus status) => Answer(status.Obstacles.Count == 0, status))
            .WithSummary("Whether the worker does its work").Produces<ReadinessAnswer>().Produces<ReadinessAnswer>(503);
        routes.MapGet("/version", () => Results.Text(ProgramVersion.Json(), "application/json")).WithSummary("The program's version")
            .Produces<Dictionary<string, string>>();
        routes.MapGet("/metrics",
            (WorkerStatus status, TimeProvider time) => Results.Text(MetricsText.Write(status, time), MetricsText.ContentType))
            .WithSummary("Numbers for Prometheus").Produces<string>(200, "text/plain");
    }

    private static IResult Answer(bool isGood, WorkerStatus status) => Results.Json(
        new ReadinessAnswer(!isGood ? "unavailable" : status.IsFinished ? "finished" : "ok",
            [.. status.Obstacles.Select(obstacle => obstacle.Text)]),
        statusCode: isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    /// <summary>The answer of a readiness check.</summary>
    /// <param name="Status">ok, finished when every source has ended and all of it is learned, or unavailable.</param>
    /// <param name="Reasons">Why it is unavailable.</param>
    internal sealed record ReadinessAnswer(string Status, IReadOnlyList<string> Reasons);
}
