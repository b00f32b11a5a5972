using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Http;

namespace StreamEm.Worker.Api;

/// <summary><c>POST /v1/models/{id}/records</c>: records for a model with an http source, all of a request or none.</summary>
internal static class RecordsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/models/{id}/records", TakeAsync)
        .WithSummary("Records to learn from, for a model with an http source")
        .WithDescription("Body: {\"records\": [{...}, ...]} as application/json, or one object a line as application/x-ndjson.")
        .Produces<Taken>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(413).ProducesProblem(415)
            .ProducesProblem(429).ProducesProblem(503);

    private static async Task<IResult> TakeAsync(string id, HttpContext context, WorkerStatus status)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Options.Source is not HttpSourceOptions)
            return ErrorAnswer.Of(StatusCodes.Status409Conflict, "Another source", $"Model '{id}' does not take records by HTTP.",
                model.Options.Source.GetType().Name, "source: { http: {} }");
        if (model.Source is not HttpPushSource source)
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not started",
                $"Model '{id}' is restoring its state; try again.");
        if (RequestRecords.FormatOf(context.Request) is not { } format) return RequestRecords.UnknownType(context.Request);
        ReadOnlyMemory<byte> body = await RequestRecords.ReadBodyAsync(context.Request).ConfigureAwait(false);
        return Answer(source.TryPush(body.Span, format), context.Response);
    }

    private static IResult Answer(PushResult result, HttpResponse response)
    {
        switch (result.Status)
        {
            case PushStatus.Taken:
                return Results.Json(new Taken(result.Accepted, result.Rejected), statusCode: StatusCodes.Status202Accepted);
            case PushStatus.Full:
                response.Headers[HeaderNames.RetryAfter] = "1";
                return ErrorAnswer.Of(StatusCodes.Status429TooManyRequests, "No room", result.Detail ?? "");
            case PushStatus.TooMany:
                return ErrorAnswer.Of(StatusCodes.Status413PayloadTooLarge, "Too many records", result.Detail ?? "");
            case PushStatus.Malformed:
                return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not records", result.Detail ?? "",
                    expected: RequestRecords.Expected);
            default:
                return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Stopping", result.Detail ?? "");
        }
    }

    /// <summary>What was taken.</summary>
    /// <param name="Accepted">Records that will be learned from.</param>
    /// <param name="Rejected">Records that cannot be used and go to the rejected file.</param>
    internal sealed record Taken(int Accepted, int Rejected);
}
