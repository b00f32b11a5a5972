using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace StreamEm.Worker.Api;

/// <summary>The records of a request's body: <c>{"records": [...]}</c> as <c>application/json</c>, or one object a line as <c>application/x-ndjson</c>.</summary>
internal sealed class RequestRecords
{
    /// <summary>The media type of one JSON object a line.</summary>
    public const string LinesType = "application/x-ndjson";

    /// <summary>The most records one request may have scored.</summary>
    public const int MaxRecords = 10_000;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = ApiJson.MaxDepth };

    private RequestRecords(IReadOnlyList<ReadOnlyMemory<byte>> records, bool isLines)
    {
        Records = records;
        IsLines = isLines;
    }

    /// <summary>The records, each one JSON text.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Records { get; }

    /// <summary>How many there are.</summary>
    public int Count => Records.Count;

    /// <summary>Whether they came one a line.</summary>
    public bool IsLines { get; }

    /// <summary>What is wrong with the request; null when nothing is.</summary>
    public IResult? Problem { get; private init; }

    /// <summary>Reads the body.</summary>
    public static async Task<RequestRecords> ReadAsync(HttpRequest request)
    {
        MediaTypeHeaderValue? type = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? parsed) ? parsed : null;
        bool isLines = type?.MediaType.Value is LinesType or "application/ndjson" or "application/jsonl";
        if (!isLines && type is not null && type.MediaType != "application/json" && type.SubTypeWithoutSuffix != "json")
        {
            return Bad(StatusCodes.Status415UnsupportedMediaType, "Unknown media type", "The body's Content-Type is not one this call reads.",
                request.ContentType, $"application/json or {LinesType}");
        }

        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted).ConfigureAwait(false);
        ReadOnlyMemory<byte> bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        return isLines ? new RequestRecords(Lines(bytes), isLines: true) : FromJson(bytes);
    }

    private static List<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> bytes)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        while (!bytes.IsEmpty)
        {
            int end = bytes.Span.IndexOf((byte)'\n');
            ReadOnlyMemory<byte> line = end < 0 ? bytes : bytes[..end];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) >= 0) lines.Add(line);
            bytes = end < 0 ? default : bytes[(end + 1)..];
        }

        return lines;
    }

    private static RequestRecords FromJson(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("records", out JsonElement records) &&
                records.ValueKind == JsonValueKind.Array)
            {
                return new RequestRecords([.. records.EnumerateArray().Select(record => new ReadOnlyMemory<byte>(JsonSerializer.SerializeToUtf8Bytes(record)))], isLines: false);
            }

            return Bad(StatusCodes.Status400BadRequest, "No records", "The body is JSON without an array 'records'.",
                document.RootElement.ValueKind.ToString(), """{"records": [{"<feature>": <number>, ...}, ...]}""");
        }
        catch (JsonException failure)
        {
            return Bad(StatusCodes.Status400BadRequest, "Not JSON", failure.Message, null, """{"records": [...]}, or one object a line with Content-Type: application/x-ndjson""");
        }
    }

    private static RequestRecords Bad(int status, string title, string detail, object? found, object expected) =>
        new([], isLines: false) { Problem = Problems.Of(status, title, detail, found, expected) };
}
