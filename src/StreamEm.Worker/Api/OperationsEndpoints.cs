using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>What runs a container asks: alive, ready, started, metrics, version.</summary>
internal static class OperationsEndpoints
{
    /// <summary>The group of the calls in the API's document.</summary>
    public const string Tag = "operations";

    public static void Map(IEndpointRouteBuilder routes)
    {
        // While the process answers it lives. Nothing outside it is asked, nor a failed model: a restart would not mend the others.
        routes.MapRead("/livez", () => Results.Text("ok\n")).Called("livez", Tag, "Whether the process lives")
            .Produces<string>(200, "text/plain");
        routes.MapRead("/startupz", (WorkerStatus status) => Answer(status.HasStarted, status.Obstacles))
            .Called("startupz", Tag, "Whether every model has restored its state")
            .Produces<ReadinessAnswer>().Produces<ReadinessAnswer>(503);
        routes.MapRead("/readyz", Ready).Called("readyz", Tag, "Whether every model does its work")
            .WithParameter("model", "The model that is asked for; all without.")
            .Produces<ReadinessAnswer>().ProducesProblem(404).Produces<ReadinessAnswer>(503);
        routes.MapRead("/version", () => Results.Text(ProgramVersion.Json(), "application/json"))
            .Called("version", Tag, "The program's version").Produces<Dictionary<string, string>>();
        MetricsEndpoint.Map(routes);
    }

    private static IResult Ready(WorkerStatus status, string? model = null)
    {
        if (model is null) return Answer(status.Obstacles.Count == 0, status.Obstacles, status.IsFinished);
        if (status.Find(model) is not { } found) return ErrorAnswer.UnknownModel(model, status.Models.Select(known => known.Options.Id));
        IReadOnlyList<Obstacle> obstacles = status.ObstaclesOf([found]);
        return Answer(obstacles.Count == 0, obstacles, found.State == ModelState.Finished);
    }

    private static IResult Answer(bool isGood, IReadOnlyList<Obstacle> obstacles, bool isFinished = false) => Results.Json(
        new ReadinessAnswer(!isGood ? "unavailable" : isFinished ? "finished" : "ok", [.. obstacles.Select(obstacle => obstacle.Text)]),
        statusCode: isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    /// <summary>The answer of a readiness check.</summary>
    /// <param name="Status">ok, finished when every source has ended and all of it is learned, or unavailable.</param>
    /// <param name="Reasons">Why it is unavailable.</param>
    internal sealed record ReadinessAnswer(string Status, IReadOnlyList<string> Reasons);
}
