using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.OpenApi;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Shown;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>GET /v1/models/{id}/recent</c>: records that the model took lately, with their fields and what the newest version says of each; of
/// those that were scored as they came, how improbable they were then. See <see cref="ShownRecords"/>.
/// </summary>
internal static class RecentEndpoint
{
    private const int DefaultLimit = 200;

    /// <summary>Beyond so many features nobody reads what each has to do with it, and to find out costs a score a feature.</summary>
    private const int MostExplained = 100;

    private static readonly string[] Kinds = ["sample", "alarms", "strangest"];

    public static void Map(IEndpointRouteBuilder routes) => routes.MapRead("/v1/models/{id}/recent", Recent)
        .Called("list_recent", ScoreEndpoint.Tag, "Records taken lately, scored")
        .WithDescription("An even sample of the latest records (1000 at most), those that raised or ended an alarm, or the strangest of "
            + "the last minutes (100 at most), each with its fields. A restart begins anew.")
        .WithParameter("kind", "Which of them; an even sample without.", words: Kinds)
        .WithParameter("limit", "The most of them; 200 without, or 100 where more are not kept.", JsonSchemaType.Integer)
        .Produces<ApiShapes.RecentAnswer>(200, "application/json").ProducesProblems(400, 404, 503)
        .RequireRateLimiting(RequestLimits.Scores);

    private static IResult Recent(string id, HttpContext context, WorkerStatus status, string? kind = null, string? limit = null)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        kind ??= Kinds[0];
        if (!Kinds.Contains(kind, StringComparer.Ordinal))
            return ErrorAnswer.BadParameter("kind", kind, $"one of {string.Join(", ", Kinds)}");
        int most = kind == "sample" ? ShownRecords.MaxSample : ShownRecords.MaxNotable;
        int count = Math.Min(DefaultLimit, most);
        if (limit is not null && !(int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count)
            && count > 0 && count <= most))
            return ErrorAnswer.BadParameter(
                "limit", limit, string.Create(CultureInfo.InvariantCulture, $"a whole number from 1 to {most}"));
        context.Response.Headers.CacheControl = "no-store";
        return Results.Bytes(new Answer(model, kind).Write(count), "application/json");
    }

    /// <summary>What is said of the records of one model.</summary>
    private sealed class Answer(ModelPipeline model, string kind)
    {
        private readonly ShownRecords _shown = model.Shown;
        private readonly ModelSnapshot? _snapshot = model.Feed.Latest?.Snapshot;
        private readonly ArrayBufferWriter<byte> _record = new();
        private readonly ScoreFields _fields = new(model.Options.Schema, ScoreFields.AllOf(model.Options.Schema));

        /// <summary>Whether a record can be scored by itself: there is a version, and the order of rows does not matter.</summary>
        private bool StandAlone => _snapshot?.Model.Order == RowOrder.Any;

        public ReadOnlyMemory<byte> Write(int count)
        {
            if (_snapshot is not null)
                count = Math.Clamp(ScoreEndpoint.MaxScores / Math.Max(1, _snapshot.Model.ScoreLayout.Length), 1, count);
            bool fromSample = kind == "strangest" && !_shown.IsScored;
            KeptRecords kept = kind switch
            {
                "alarms" => _shown.Alarms(count),
                "strangest" when !fromSample => _shown.Strangest(count),
                _ => _shown.Sample(fromSample ? ShownRecords.MaxSample : count),
            };
            var output = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(output))
            {
                json.WriteStartObject();
                json.WriteString("model", model.Options.Id);
                if (_snapshot is not null)
                {
                    json.WriteString("run_id", _snapshot.RunId);
                    json.WriteNumber("version", _snapshot.Version);
                }

                json.WriteString("kind", kind);
                if (kind == "sample" || fromSample) json.WriteNumber("one_in", _shown.Every);
                json.WriteStartArray("records");
                if (StandAlone) WriteScored(json, kept, fromSample ? count : int.MaxValue);
                else if (!fromSample) WriteUnscored(json, kept);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            return output.WrittenMemory;
        }

        /// <summary>Scores the records under the newest version.</summary>
        /// <param name="json">Where they go.</param>
        /// <param name="kept">The records.</param>
        /// <param name="strangest">So many of them, the strangest first; all in their order where it is not less than they are.</param>
        private void WriteScored(Utf8JsonWriter json, KeptRecords kept, int strangest)
        {
            ModelSnapshot snapshot = _snapshot!;
            var format = new ScoreJson
            {
                WithVersion = true,
                Fields = _fields,
                Explains = kind != "sample" && snapshot.Features.Count <= MostExplained,
            };
            format.Begin(snapshot);
            var scores = new RowScores();
            scores.Begin(new ScoreSession(new Scorer(snapshot)));
            scores.Score(kept.Rows);
            double[] pValues = scores.PValues.ToArray();
            IEnumerable<int> rows = Enumerable.Range(0, kept.Count);
            if (strangest < int.MaxValue)
                rows = rows.Where(row => !double.IsNaN(pValues[row])).OrderBy(row => pValues[row]).Take(strangest);
            foreach (int row in rows)
            {
                KeptMark mark = kept.Marks[row];
                ScoredRecord score = scores.Of(row, mark.Record, mark.Alarm, mark.Partition, mark.Offset);
                if (mark.IsScored) score = AsItWas(score, mark);
                format.Write(_record, score);
                Take(json);
            }
        }

        private void WriteUnscored(Utf8JsonWriter json, KeptRecords kept)
        {
            var format = new ScoreJson { Fields = _fields };
            for (int row = 0; row < kept.Count; row++)
            {
                KeptMark mark = kept.Marks[row];
                var record = new ScoredRecord
                {
                    Record = mark.Record,
                    Key = kept.Rows.Texts?.Find(kept.Rows.Key(row)),
                    Timestamp = kept.Rows.Timestamp(row),
                    Partition = mark.Partition,
                    Offset = mark.Offset,
                    LogDensity = double.NaN,
                    Scores = default,
                    Component = -1,
                    Uncertainty = double.NaN,
                    Class = -1,
                    AnomalyScore = double.NaN,
                    PValue = double.NaN,
                    Alarm = mark.Alarm,
                    Rows = kept.Rows,
                    Row = row,
                };
                format.WriteUnscored(_record, AsItWas(record, mark), mark.IsScored);
                Take(json);
            }
        }

        private static ScoredRecord AsItWas(ScoredRecord score, KeptMark mark) => score with
        {
            LogDensity = mark.LogDensity,
            AnomalyScore = mark.AnomalyScore,
            PValue = mark.PValue,
            NoveltyPValue = mark.NoveltyPValue,
        };

        private void Take(Utf8JsonWriter json)
        {
            json.WriteRawValue(_record.WrittenSpan, skipInputValidation: true);
            _record.ResetWrittenCount();
        }
    }
}
