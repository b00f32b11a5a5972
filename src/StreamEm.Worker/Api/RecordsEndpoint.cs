using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary><c>POST /v1/models/{id}/records</c>: records for a model with an http source, all of a request or none.</summary>
internal static class RecordsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/models/{id}/records", TakeAsync)
        .Called("send_records", ScoreEndpoint.Tag, "Sends records to learn from to a model with an http source: all or none")
        .TakesRecords().Produces<Taken>(202).ProducesProblems(400, 404, 408, 409, 413, 415, 422, 429, 503);

    private static async Task<IResult> TakeAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Options.Source is not HttpSourceOptions)
            return ErrorAnswer.Of(StatusCodes.Status409Conflict, "Another source", $"Model '{id}' does not take records by HTTP.",
                SourceCatalog.NameOf(model.Options.Source), "source: { http: {} }");
        if (model.End is { State: ModelState.Failed } end)
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Model failed",
                $"Model '{id}' cannot go on and takes no records until the worker is started again: {end.Failure}");
        if (model.Source is not HttpPushSource source)
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not started",
                $"Model '{id}' is restoring its state; try again.");
        if (RequestRecords.Refusal(context.Request, out RequestFormat format, out bool isCompressed) is { } refusal) return refusal;
        using RequestBody body = await RequestBody.ReadAsync(context.Request, isCompressed, time, lifetime.ApplicationStopping)
            .ConfigureAwait(false);
        return body.Refusal ?? Answer(
            source.TryPush(body.Text.Span, format, model.Rejecting is not null, WorkerTraces.OfCaller), context.Response);
    }

    private static IResult Answer(PushResult result, HttpResponse response)
    {
        switch (result.Status)
        {
            case PushStatus.Taken:
                return Results.Json(Taken.Of(result), statusCode: StatusCodes.Status202Accepted);
            case PushStatus.Unusable:
                return RequestRecords.Unusable(result.Rejections!, result.AreKept);
            case PushStatus.Throttled:
                response.Headers[HeaderNames.RetryAfter] = "1";
                return RequestRecords.Refused(StatusCodes.Status429TooManyRequests, "Too many rejected records",
                    "Too large a share of the records sent to this model cannot be used, and some of these cannot either. None was taken; "
                        + "leave those out, or send the same again later.", result.Rejections!);
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
    /// <param name="Filtered">Records that the model is not about, passed over; nothing without <c>where</c>.</param>
    /// <param name="Reasons">How many of these for which reason; nothing when there are none.</param>
    /// <param name="First">The first of these.</param>
    internal sealed record Taken(
        int Accepted, int Rejected, int? Filtered, IReadOnlyDictionary<string, int>? Reasons,
        IReadOnlyList<RequestRecords.RejectedInRequest>? First)
    {
        public static Taken Of(PushResult result) => result.Rejections is { } rejections
            ? new Taken(result.Accepted, result.Rejected, result.FilteredOut, RequestRecords.ReasonsOf(rejections),
                RequestRecords.FirstOf(rejections))
            : new Taken(result.Accepted, result.Rejected, result.FilteredOut, null, null);
    }
}
