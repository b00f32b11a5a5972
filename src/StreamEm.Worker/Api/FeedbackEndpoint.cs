using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>POST /v1/models/{id}/feedback</c>: one of the last records was normal, or abnormal. Answered once a checkpoint holds it.
/// </summary>
internal static class FeedbackEndpoint
{
    private const string Expected =
        """{"record": 118} or {"key": "device", "timestamp": "2026-11-20T08:00:00Z"}, with "verdict": "normal" or "abnormal" and, if the """
            + """threshold of the alarms shall move, "move_threshold": true""";

    private static readonly string[] Known = ["record", "key", "timestamp", "verdict", "move_threshold"];

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/models/{id}/feedback", TakeAsync)
        .Called("give_feedback", ScoreEndpoint.Tag, "Says of one of the last records that it was normal or abnormal")
        .WithDescription("The record is named by its number, or by its time and, where it has one, its key. Learning moves where the "
            + "mixture grows; the answer comes when the state that knows of it is kept.")
        .TakesObject<ApiShapes.Feedback>()
        .Produces<WordTaken>().ProducesProblems(400, 404, 408, 409, 413, 429, 503);

    private static async Task<IResult> TakeAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (model.Options.FeedbackMemory is not { } memory)
            return ErrorAnswer.Of(StatusCodes.Status409Conflict, "No feedback", $"Model '{id}' remembers no records to say anything of.",
                "feedback: null", "feedback: {} in the model's configuration");
        using RequestBody body = await RequestBody.ReadAsync(context.Request, isCompressed: false, time, lifetime.ApplicationStopping)
            .ConfigureAwait(false);
        if (body.Refusal is not null) return body.Refusal;
        if (Read(body.Text, model.Options.Schema.TimestampUnit, out Word? word) is { } problem)
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not feedback", problem, expected: Expected);
        WordResult result = await model.JudgeAsync(word!).WaitAsync(context.RequestAborted).ConfigureAwait(false);
        if (result.Outcome == WordOutcome.TooMany) context.Response.Headers[HeaderNames.RetryAfter] = "1";
        return Answer(result, id, memory, model);
    }

    private static IResult Answer(WordResult result, string id, int memory, ModelPipeline model) => result.Outcome switch
    {
        WordOutcome.Kept => Results.Ok(result.Taken),
        WordOutcome.NotKept => ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not kept yet",
            "It was taken, and the state that knows of it could not be written: the disk is full. The next checkpoint holds it; after a "
                + "crash before that, say it again."),
        WordOutcome.Unknown => ErrorAnswer.Of(StatusCodes.Status404NotFound, "Unknown record", string.Create(CultureInfo.InvariantCulture,
            $"No such record is among the last {memory} that were scored; feedback.memory says how many are remembered.")),
        WordOutcome.TooMany => ErrorAnswer.Of(StatusCodes.Status429TooManyRequests, "Too many wait", string.Create(
            CultureInfo.InvariantCulture, $"{AskedOfLearner.Most} words wait to be taken; send this one again later.")),
        _ => ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not learning", $"Model '{id}' is not learning.",
            ModelSummary.Of(model).Status, "a model that learns"),
    };

    /// <summary>Reads what is said; returns what is wrong with it, null for nothing.</summary>
    private static string? Read(ReadOnlyMemory<byte> body, TimestampUnit unit, out Word? word)
    {
        word = null;
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = ApiJson.MaxDepth });
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? Read(json.RootElement, unit, out word)
                : "The body is no JSON object.";
        }
        catch (JsonException)
        {
            return "The body is not JSON.";
        }
    }

    private static string? Read(JsonElement root, TimestampUnit unit, out Word? word)
    {
        word = null;
        var said = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty member in root.EnumerateObject())
        {
            if (!Known.Contains(member.Name)) return $"The body has a member that is none of {string.Join(", ", Known)}.";
            if (!said.TryAdd(member.Name, member.Value)) return $"'{member.Name}' is there twice.";
        }

        string? verdict = said.TryGetValue("verdict", out JsonElement given) && given.ValueKind == JsonValueKind.String
            ? given.GetString()
            : null;
        if (verdict is not ("normal" or "abnormal")) return "'verdict' is neither \"normal\" nor \"abnormal\".";
        bool moves = said.TryGetValue("move_threshold", out JsonElement move) && move.ValueKind == JsonValueKind.True;
        if (!moves && move.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.False))
            return "'move_threshold' is neither true nor false.";
        if (NameOf(said, unit, out RecordName name) is { } problem) return problem;
        word = new Word(name, verdict == "normal", moves);
        return null;
    }

    private static string? NameOf(Dictionary<string, JsonElement> said, TimestampUnit unit, out RecordName name)
    {
        name = new RecordName(null, null, Minibatch.NoTimestamp);
        bool hasNumber = said.TryGetValue("record", out JsonElement number), hasTime = said.TryGetValue("timestamp", out JsonElement when);
        if (hasNumber == hasTime) return "The record is not named: give either 'record', or 'timestamp' and its 'key' if it has one.";
        if (hasNumber)
        {
            if (said.ContainsKey("key")) return "The record is named by 'record'; 'key' goes with 'timestamp'.";
            if (number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out long record) || record < 0)
                return "'record' is no whole number from 0 on.";
            name = new RecordName(record, null, Minibatch.NoTimestamp);
            return null;
        }

        string? key = said.TryGetValue("key", out JsonElement named) ? TextOf(named) : null;
        if (key is null && named.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
            return "'key' is neither a text nor a number.";
        if (TextOf(when) is not { Length: > 0 } text || !Timestamps.TryParse(Encoding.UTF8.GetBytes(text), unit, out long at))
            return "'timestamp' is no time: an ISO 8601 text, or a number as the records have it.";
        name = new RecordName(null, key, at);
        return null;
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
