using Microsoft.Net.Http.Headers;
using StreamEm.Worker.Dashboard;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>/ui/</c>: the dashboard, files alone. They hold no data and need no token: the page asks for one where the API wants it. Nothing in
/// them may come from elsewhere, nor may anything inline run (<see cref="Policy"/>).
/// </summary>
internal static class DashboardEndpoint
{
    private const string Root = "/ui";

    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Whether a path is of the dashboard's files.</summary>
    public static bool Serves(PathString path) => path.StartsWithSegments(Root, StringComparison.Ordinal);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapRead(Root + "/{**file}", Serve).ExcludeFromDescription();

    private static IResult Serve(HttpContext context, string? file = null)
    {
        // Relative, so that it holds behind a proxy that puts a prefix before the path.
        if (context.Request.Path == Root) return Results.Redirect("ui/");
        if (DashboardFiles.Find(string.IsNullOrEmpty(file) ? DashboardFiles.Page : file) is not { } found)
            return ErrorAnswer.Of(StatusCodes.Status404NotFound, "Unknown file", "The dashboard has no such file; it begins at /ui/.");
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = found.NeverChanges ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        bool compresses = TakesGzip(context.Request);
        if (compresses) headers.ContentEncoding = "gzip";
        var tag = new EntityTagHeaderValue($"\"{found.Tag}{(compresses ? "-gzip" : "")}\"");
        return Results.Bytes(compresses ? found.Compressed : found.Bytes, found.ContentType, entityTag: tag);
    }

    private static bool TakesGzip(HttpRequest request) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out IList<StringWithQualityHeaderValue>? encodings)
        && encodings.Any(encoding => encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && encoding.Quality is not 0);
}
