using System.Buffers;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Snapshots;

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
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Feed.Latest is not { } latest) return ErrorAnswer.NoSnapshot(model);
        RequestRecords body = await RequestRecords.ReadAsync(context.Request).ConfigureAwait(false);
        if (body.Refusal is { } refusal) return refusal;
        if (body.Count > RequestRecords.MaxRecords)
        {
            return ErrorAnswer.Of(StatusCodes.Status413PayloadTooLarge, "Too many records", "Split the records over several requests.",
                body.Count, $"at most {RequestRecords.MaxRecords} records");
        }

        var output = new ArrayBufferWriter<byte>(64 * 1024);
        using (var format = new JsonScoreFormat(output, body.IsLines, withVersion: true)) Score(body, scorers.Of(latest), format);
        return Results.Bytes(output.WrittenMemory, body.IsLines ? RequestRecords.LinesType : "application/json");
    }

    private static void Score(RequestRecords body, Scorer scorer, JsonScoreFormat format)
    {
        var schema = ScoreSchema.Of(scorer.Learned);
        var decoder = new NdjsonDecoder(schema);
        var batch = new RecordBatch(schema, Math.Clamp(body.Count, 1, RowsAtOnce));
        var scores = new BatchScorer(new ScoreSession(scorer), format);
        batch.Clear("request");
        format.Begin(scorer.Learned);
        foreach (ReadOnlyMemory<byte> record in body.Records)
        {
            decoder.DecodeMessage(record.Span, 0, 0, batch, RecordDefaults.None);
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
