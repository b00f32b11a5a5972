using Confluent.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Api;

/// <summary><c>GET /v1/models/{id}/workers</c>: who learns a model that several workers learn, and how far it is.</summary>
internal static class WorkersEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapRead("/v1/models/{id}/workers", WorkersAsync)
            .Called("list_workers", "models", "The workers that learn a model together, their partitions, and what is not learned yet")
            .Produces<SharedWork>().ProducesProblems(404, 409, 503);

    private static async Task<IResult> WorkersAsync(string id, HttpContext context, WorkerStatus status)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Options.ScaleOut is null)
            return ErrorAnswer.Of(StatusCodes.Status409Conflict, "One worker", $"Model '{id}' is learned by this worker alone.",
                "no scale_out", "scale_out in the model's configuration");
        try
        {
            if (await model.DescribeWorkAsync(context.RequestAborted).ConfigureAwait(false) is { } work) return Results.Ok(work);
        }
        catch (Exception failure) when (failure is KafkaException or CommandException or ObjectDisposedException)
        {
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "The brokers do not say",
                $"Who learns model '{id}' is asked of the brokers: {failure.Message}", expected: "an answer within 3 s");
        }

        return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not learning", $"Model '{id}' does not learn here.",
            ModelSummary.Of(model).Status, "a model that learns");
    }
}
