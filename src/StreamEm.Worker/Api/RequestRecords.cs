using Microsoft.Net.Http.Headers;
using StreamEm.Sources.Http;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>
/// What the headers of a request say of its body, for every call that takes records: <c>application/json</c>,
/// <c>application/x-ndjson</c> or <c>text/csv</c>, in UTF-8, plain or gzip.
/// </summary>
internal static class RequestRecords
{
    /// <summary>The media type of one JSON object a line.</summary>
    public const string LinesType = "application/x-ndjson";

    /// <summary>The media type of CSV.</summary>
    public const string CsvType = "text/csv";

    /// <summary>What a body should be.</summary>
    public const string Expected =
        """{"records": [{...}, ...]}, an array or one object as application/json, one object a line as application/x-ndjson, or text/csv """
            + "with a header line; UTF-8, plain or with Content-Encoding: gzip";

    private static readonly string[] LinesTypes = [LinesType, "application/ndjson", "application/jsonl", "application/x-jsonlines"];
    private static readonly string[] Charsets = ["utf-8", "utf8", "us-ascii"];
    private static readonly string[] Gzip = ["gzip", "x-gzip"];

    /// <summary>Reads the headers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="format">How its records are written; without a Content-Type as JSON.</param>
    /// <param name="isCompressed">Whether the body is gzip.</param>
    /// <returns>The answer to a body that is not read; null when it is.</returns>
    public static IResult? Refusal(HttpRequest request, out RequestFormat format, out bool isCompressed)
    {
        format = RequestFormat.Json;
        string coding = request.Headers.ContentEncoding.ToString();
        isCompressed = Is(coding, Gzip);
        if (!isCompressed && !Is(coding, "", "identity"))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = "gzip";
            return Unsupported("The body's Content-Encoding is not one this call reads.", coding);
        }

        if (string.IsNullOrEmpty(request.ContentType)) return null;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type) || FormatOf(type) is not { } found)
            return Unsupported("The body's Content-Type is not one this call reads.", request.ContentType);
        format = found;
        if (type.Charset.HasValue && !Is(HeaderUtilities.RemoveQuotes(type.Charset).ToString(), Charsets))
            return Unsupported("The body's charset is not one this call reads.", request.ContentType);
        bool lacksHeader = type.Parameters.Any(parameter =>
            parameter.Name.Equals("header", StringComparison.OrdinalIgnoreCase) && Is(parameter.Value.ToString(), "absent"));
        return found == RequestFormat.Csv && lacksHeader
            ? Unsupported("CSV is read with a header line only, which names the columns.", request.ContentType)
            : null;
    }

    /// <summary>The answer to a body whose records cannot be used, none of them.</summary>
    public static IResult Unusable(RequestRejections rejections, bool areKept) => Refused(
        StatusCodes.Status422UnprocessableEntity, "No usable record",
        areKept
            ? "None of the records can be used; they are kept aside with the rejected ones."
            : "None of the records can be used; they are not kept.", rejections);

    /// <summary>An error answer that says how many records cannot be used, for which reasons, and the first of them.</summary>
    public static IResult Refused(int status, string title, string detail, RequestRejections rejections) =>
        ErrorAnswer.With(status, title, detail, new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["accepted"] = 0,
            ["rejected"] = rejections.Count,
            ["reasons"] = ReasonsOf(rejections),
            ["first"] = FirstOf(rejections),
        });

    /// <summary>How many records for which reason.</summary>
    public static IReadOnlyDictionary<string, int> ReasonsOf(RequestRejections rejections) =>
        rejections.Reasons.ToDictionary(pair => SnakeCase.Of(pair.Key), pair => pair.Value, StringComparer.Ordinal);

    /// <summary>The first records that cannot be used.</summary>
    public static IReadOnlyList<RejectedInRequest> FirstOf(RequestRejections rejections) =>
        [.. rejections.First.Select(one => new RejectedInRequest(one.Record, SnakeCase.Of(one.Reason), one.Detail))];

    private static RequestFormat? FormatOf(MediaTypeHeaderValue type)
    {
        string name = type.MediaType.ToString();
        if (Is(name, LinesTypes)) return RequestFormat.Ndjson;
        if (Is(name, CsvType)) return RequestFormat.Csv;
        bool isJson = Is(name, "application/json", "text/json") || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);
        return isJson ? RequestFormat.Json : null;
    }

    private static IResult Unsupported(string what, string? found) =>
        ErrorAnswer.Of(StatusCodes.Status415UnsupportedMediaType, "Unknown media type", what, found, Expected);

    private static bool Is(string text, params string[] words) => words.Contains(text.Trim(), StringComparer.OrdinalIgnoreCase);

    /// <summary>One record of a request that cannot be used.</summary>
    /// <param name="Record">Its number in the request, from 0.</param>
    /// <param name="Reason">From the closed list.</param>
    /// <param name="Detail">What was found and expected.</param>
    internal sealed record RejectedInRequest(int Record, string Reason, string Detail);
}
