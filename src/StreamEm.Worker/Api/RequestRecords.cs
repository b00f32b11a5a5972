using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Http;

namespace StreamEm.Worker.Api;

/// <summary>
/// The records of a request's body: <c>{"records": [...]}</c> as <c>application/json</c>, or one object a line as
/// <c>application/x-ndjson</c>.
/// </summary>
internal static class RequestRecords
{
    /// <summary>The media type of one JSON object a line.</summary>
    public const string LinesType = "application/x-ndjson";

    /// <summary>The most records one request may have scored.</summary>
    public const int MaxRecords = 10_000;

    /// <summary>What a body should be.</summary>
    public const string Expected = """{"records": [{...}, ...]} as application/json, or one object a line as application/x-ndjson""";

    /// <summary>How the request's Content-Type says its records are written; null when it says something else. None is JSON.</summary>
    public static RequestFormat? FormatOf(HttpRequest request)
    {
        if (string.IsNullOrEmpty(request.ContentType)) return RequestFormat.Json;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)) return null;
        if (type.MediaType.Value is LinesType or "application/ndjson" or "application/jsonl" or "application/x-jsonlines")
            return RequestFormat.Ndjson;
        return type.MediaType == "application/json" || type.Suffix == "json" ? RequestFormat.Json : null;
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
}
