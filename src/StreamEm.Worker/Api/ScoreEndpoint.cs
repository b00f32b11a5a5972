using System.IO.Pipelines;
using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Http;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>POST /v1/models/{id}/score</c>: records with named fields in any shape that <c>/records</c> takes, scored under the newest snapshot.
/// Fields may be missing. A record that cannot be used gets an error at its place and the others their scores. The answer is written as it
/// is made: what a client does not read is not scored yet.
/// </summary>
internal static class ScoreEndpoint
{
    /// <summary>The group of the calls in the API's document.</summary>
    public const string Tag = "records";

    /// <summary>The most records of one request.</summary>
    public const int MaxRecords = 10_000;

    /// <summary>The most numbers of one answer: records times the scores of one.</summary>
    public const int MaxScores = 1 << 21;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var desks = new ScoreDesks();
        routes.MapPost("/v1/models/{id}/score",
            (string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime) =>
                ScoreAsync(id, context, status, time, lifetime, desks))
            .Called("score", Tag, "Scores records under the newest version")
            .WithDescription("The answer is JSON, one object a line when the request was, or what the Accept header asks for: "
                + "application/json, application/x-ndjson or text/csv. A record that cannot be used has an error at its place.")
            .TakesRecords().AnswersScores().ProducesProblems(400, 404, 408, 413, 415, 422, 503)
            .RequireRateLimiting(RequestLimits.Scores);
    }

    private static async Task<IResult> ScoreAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime, ScoreDesks desks)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Feed.Served is not { } latest) return ErrorAnswer.NoSnapshot(model);
        if (RequestRecords.Refusal(context.Request, out RequestFormat format, out bool isCompressed) is { } refusal) return refusal;
        using RequestBody body = await RequestBody.ReadAsync(context.Request, isCompressed, time, lifetime.ApplicationStopping)
            .ConfigureAwait(false);
        if (body.Refusal is not null) return body.Refusal;
        ScoreDesk desk = desks.Take(latest);
        try
        {
            return Refusal(desk, body.Text.Span, format)
                ?? await AnswerAsync(desk, body.Text, format, context, lifetime).ConfigureAwait(false);
        }
        finally
        {
            desks.Return(desk);
        }
    }

    private static IResult? Refusal(ScoreDesk desk, ReadOnlySpan<byte> body, RequestFormat format)
    {
        if (!desk.Records.TryBegin(body, format, out string? problem))
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not records", problem ?? "", expected: RequestRecords.Expected);
        int most = Math.Min(MaxRecords, MaxScores / Math.Max(1, desk.Width));
        if (desk.Records.Count > most)
        {
            return ErrorAnswer.Of(StatusCodes.Status413PayloadTooLarge, "Too many records", "Split the records over several requests.",
                desk.Records.Count, $"at most {most} records of a model with {desk.Width} scores a record");
        }

        return desk.FindUnusable(body, format) is { } rejections ? RequestRecords.Unusable(rejections, areKept: false) : null;
    }

    private static async Task<IResult> AnswerAsync(
        ScoreDesk desk, ReadOnlyMemory<byte> body, RequestFormat request, HttpContext context, IHostApplicationLifetime lifetime)
    {
        // Who does not read is not waited for when the worker stops.
        using CancellationTokenRegistration stopping = lifetime.ApplicationStopping.Register(context.Abort);
        PipeWriter output = context.Response.BodyWriter;
        string type = AnswerType(context.Request, request);
        context.Response.ContentType = type;
        CancellationToken gone = context.RequestAborted;
        bool isLines = type == RequestRecords.LinesType;
        ScoreFormat format = type == RequestRecords.CsvType
            ? new CsvScoreFormat(output)
            : new JsonScoreFormat(output, isLines, withVersion: true);
        BatchScorer scores = desk.Begin(format);
        bool isMore = true;
        while (isMore)
        {
            isMore = desk.Score(body.Span, scores);
            if (!isMore) format.End();
            FlushResult flushed = await output.FlushAsync(gone).ConfigureAwait(false);
            if (flushed.IsCompleted || flushed.IsCanceled) break;
        }

        return Results.Empty;
    }

    /// <summary>What the client asks for; otherwise lines for lines, and JSON for the rest.</summary>
    private static string AnswerType(HttpRequest request, RequestFormat format)
    {
        const string Json = "application/json";
        if (MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out IList<MediaTypeHeaderValue>? wanted))
        {
            foreach (MediaTypeHeaderValue type in wanted.OrderByDescending(type => type.Quality ?? 1))
            {
                foreach (string known in (string[])[RequestRecords.CsvType, RequestRecords.LinesType, Json])
                    if (type.MediaType.Equals(known, StringComparison.OrdinalIgnoreCase)) return known;
            }
        }

        return format == RequestFormat.Ndjson ? RequestRecords.LinesType : Json;
    }
}
