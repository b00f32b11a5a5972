using System.Text.Json;
using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Http;

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
    public IResult? Refusal { get; private init; }

    /// <summary>What a body should be.</summary>
    public const string Expected = """{"records": [{...}, ...]} as application/json, or one object a line as application/x-ndjson""";

    /// <summary>How the request's Content-Type says its records are written; null when it says something else. None is JSON.</summary>
    public static PushFormat? FormatOf(HttpRequest request)
    {
        if (string.IsNullOrEmpty(request.ContentType)) return PushFormat.Json;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)) return null;
        if (type.MediaType.Value is LinesType or "application/ndjson" or "application/jsonl" or "application/x-jsonlines") return PushFormat.Ndjson;
        return type.MediaType == "application/json" || type.Suffix == "json" ? PushFormat.Json : null;
    }

    /// <summary>The answer to a Content-Type that is not read.</summary>
    public static IResult UnknownType(HttpRequest request) => ErrorAnswer.Of(StatusCodes.Status415UnsupportedMediaType,
        "Unknown media type", "The body's Content-Type is not one this call reads.", request.ContentType, Expected);

    /// <summary>The whole body; the server's limit on its size holds.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted).ConfigureAwait(false);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    /// <summary>Reads the records of a body.</summary>
    public static async Task<RequestRecords> ReadAsync(HttpRequest request)
    {
        if (FormatOf(request) is not { } format) return new RequestRecords([], isLines: false) { Refusal = UnknownType(request) };
        ReadOnlyMemory<byte> bytes = await ReadBodyAsync(request).ConfigureAwait(false);
        return format == PushFormat.Ndjson ? new RequestRecords(Lines(bytes), isLines: true) : FromJson(bytes);
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

            return Bad("No records", "The body is JSON without an array 'records'.", document.RootElement.ValueKind.ToString());
        }
        catch (JsonException failure)
        {
            return Bad("Not JSON", failure.Message, null);
        }
    }

    private static RequestRecords Bad(string title, string detail, object? found) =>
        new([], isLines: false) { Refusal = ErrorAnswer.Of(StatusCodes.Status400BadRequest, title, detail, found, Expected) };
}
