using System.Buffers;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Http;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>POST /v1/models/{id}/score</c>: records with named fields, as <c>{"records": [...]}</c> or one JSON object a line, scored under the newest
/// snapshot. Fields may be missing. A record that cannot be used gets an error at its place and the others their scores.
/// </summary>
internal static class ScoreEndpoint
{
    private const int RowsAtOnce = 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var scorers = new ScorerCache();
        routes.MapPost("/v1/models/{id}/score", (string id, HttpContext context, WorkerStatus status) => ScoreAsync(id, context, status, scorers))
            .WithSummary("Scores records under the newest snapshot")
            .WithDescription("Body: {\"records\": [{...}, ...]} as application/json, or one object a line as application/x-ndjson.")
            .Produces(200, contentType: "application/json").ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(415);
    }

    private static async Task<IResult> ScoreAsync(string id, HttpContext context, WorkerStatus status, ScorerCache scorers)
    {
        if (status.Find(id) is not { } model) return Problems.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Feed.Latest is not { } latest) return Problems.NoSnapshot(model);
        if (RequestRecords.FormatOf(context.Request) is not { } format) return RequestRecords.UnknownType(context.Request);
        ReadOnlyMemory<byte> body = await RequestRecords.ReadBodyAsync(context.Request).ConfigureAwait(false);
        bool isLines = format == RequestFormat.Ndjson;
        var records = new RequestDecoder(new RecordSchema { Features = latest.Snapshot.Features, AllowMissing = true });
        if (!records.TryFind(body.Span, format, out string? problem))
            return Problems.Of(StatusCodes.Status400BadRequest, "Not records", problem ?? "", expected: RequestRecords.Expected);
        if (!isLines && !records.AreNamed)
            return Problems.Of(StatusCodes.Status400BadRequest, "No records", "The body is JSON without an array 'records'.", expected: RequestRecords.Expected);
        if (records.Count > RequestRecords.MaxRecords)
        {
            return Problems.Of(StatusCodes.Status413PayloadTooLarge, "Too many records", "Split the records over several requests.",
                records.Count, $"at most {RequestRecords.MaxRecords} records");
        }

        var output = new ArrayBufferWriter<byte>(64 * 1024);
        using (var scored = new JsonScoreFormat(output, isLines, withVersion: true)) Score(records, body.Span, scorers.Of(latest), scored);
        return Results.Bytes(output.WrittenMemory, isLines ? RequestRecords.LinesType : "application/json");
    }

    private static void Score(RequestDecoder records, ReadOnlySpan<byte> body, Scorer scorer, JsonScoreFormat format)
    {
        var batch = new RecordBatch(scorer.Dimension, Math.Clamp(records.Count, 1, RowsAtOnce));
        var scores = new BatchScorer(scorer, format);
        batch.Clear("request");
        format.Begin(scorer.Snapshot);
        for (int i = 0; i < records.Count; i++)
        {
            records.Decode(body, i, i, batch);
            if (!batch.IsFull) continue;
            scores.Score(batch);
            batch.Clear("request");
        }

        scores.Score(batch);
        format.End();
    }

    /// <summary>The scorer of the newest snapshot, prepared once.</summary>
    private sealed class ScorerCache
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Scorer> _newest = new(StringComparer.Ordinal);

        public Scorer Of(SnapshotDocument document) => _newest.AddOrUpdate(
            document.Snapshot.ModelId,
            _ => new Scorer(document.Snapshot),
            (_, cached) => ReferenceEquals(cached.Snapshot, document.Snapshot) ? cached : new Scorer(document.Snapshot));
    }
}
