using StreamEm.Core.Learning;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary><c>GET /v1/models/{id}/keys</c>: the keys that have a model of their own, and what one has learned.</summary>
internal static class KeysEndpoint
{
    private const string Tag = "keys";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/v1/models/{id}/keys", Counts)
            .Called("count_keys", Tag, "How many keys have a model of their own")
            .Produces<KeyCounts>().ProducesProblems(404, 409);
        routes.MapRead("/v1/models/{id}/keys/{**key}", KeyAsync)
            .Called("get_key", Tag, "What the model of a key has learned")
            .WithParameter("key", "The key; slashes in it stay as they are.", keepsSlashes: true)
            .Produces<KeySummary>().ProducesProblems(404, 409, 503);
    }

    private static IResult Counts(string id, WorkerStatus status)
    {
        if (Refusal(id, status, out ModelPipeline? model) is { } refusal) return refusal;
        return Results.Ok(model!.Metrics.Keys ?? new KeyCounts(0, 0, 0, 0, 0));
    }

    private static async Task<IResult> KeyAsync(string id, HttpContext context, WorkerStatus status, string key = "")
    {
        if (Refusal(id, status, out ModelPipeline? model) is { } refusal) return refusal;
        KeyAnswer answer = await model!.DescribeKeyAsync(key).WaitAsync(context.RequestAborted).ConfigureAwait(false);
        if (!answer.IsAnswered)
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not learning",
                $"Model '{id}' does not learn, or too many ask it; keys are asked of the model while it runs.",
                ModelSummary.Of(model).Status, "a model that learns");
        if (answer.Key is { } known) return Results.Ok(known);
        return answer.Partitions is { } partitions
            ? ErrorAnswer.Of(StatusCodes.Status404NotFound, "Not a key of this worker",
                $"No record of model '{id}' in the partitions that this worker has had this key; other workers have the rest.", key,
                partitions.Count == 0 ? "a worker that has a partition" : $"a key of {string.Join(", ", partitions)}")
            : ErrorAnswer.Of(StatusCodes.Status404NotFound, "Unknown key", $"No record of model '{id}' had this key.", key);
    }

    private static IResult? Refusal(string id, WorkerStatus status, out ModelPipeline? model)
    {
        model = status.Find(id);
        if (model is null) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        return model.Options.PerKey
            ? null
            : ErrorAnswer.Of(StatusCodes.Status409Conflict, "No models per key", $"The keys of model '{id}' have no models of their own.",
                "per_key: false", "per_key: true in the model's configuration");
    }
}
