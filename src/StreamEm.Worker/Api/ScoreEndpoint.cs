using System.Buffers;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Http;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>POST /v1/models/{id}/score</c>: records with named fields, as <c>{"records": [...]}</c> or one JSON object a line, scored under the
/// newest snapshot. Fields may be missing. A record that cannot be used gets an error at its place and the others their scores.
/// </summary>
internal static class ScoreEndpoint
{
    private const int RowsAtOnce = 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var scorers = new ScorerCache();
        routes.MapPost("/v1/models/{id}/score",
            (string id, HttpContext context, WorkerStatus status) => ScoreAsync(id, context, status, scorers))
            .WithSummary("Scores records under the newest snapshot")
            .WithDescription("Body: {\"records\": [{...}, ...]} as application/json, or one object a line as application/x-ndjson.")
            .Produces(200, contentType: "application/json").ProducesProblem(400).ProducesProblem(404).ProducesProblem(413)
                .ProducesProblem(415);
    }

    private static async Task<IResult> ScoreAsync(string id, HttpContext context, WorkerStatus status, ScorerCache scorers)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Feed.Latest is not { } latest) return ErrorAnswer.NoSnapshot(model);
        if (RequestRecords.FormatOf(context.Request) is not { } format) return RequestRecords.UnknownType(context.Request);
        ReadOnlyMemory<byte> body = await RequestRecords.ReadBodyAsync(context.Request).ConfigureAwait(false);
        bool isLines = format == RequestFormat.Ndjson;
        Scorer scorer = scorers.Of(latest);
        RecordSchema schema = ScoreSchema.Of(scorer.Learned);
        var records = new RequestDecoder(schema);
        if (!records.TryFind(body.Span, format, out string? problem))
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not records", problem ?? "", expected: RequestRecords.Expected);
        if (!isLines && !records.AreNamed)
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "No records", "The body is JSON without an array 'records'.",
                expected: RequestRecords.Expected);
        if (records.Count > RequestRecords.MaxRecords)
        {
            return ErrorAnswer.Of(StatusCodes.Status413PayloadTooLarge, "Too many records", "Split the records over several requests.",
                records.Count, $"at most {RequestRecords.MaxRecords} records");
        }

        var output = new ArrayBufferWriter<byte>(64 * 1024);
        var batch = new RecordBatch(schema, Math.Clamp(records.Count, 1, RowsAtOnce));
        using (var scored = new JsonScoreFormat(output, isLines, withVersion: true)) Score(records, body.Span, batch, scorer, scored);
        return Results.Bytes(output.WrittenMemory, isLines ? RequestRecords.LinesType : "application/json");
    }

    private static void Score(RequestDecoder records, ReadOnlySpan<byte> body, RecordBatch batch, Scorer scorer, JsonScoreFormat format)
    {
        var scores = new BatchScorer(new ScoreSession(scorer), format);
        batch.Clear("request");
        format.Begin(scorer.Learned);
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
            (_, cached) => ReferenceEquals(cached.Learned, document.Snapshot) ? cached : new Scorer(document.Snapshot));
    }
}
