using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace StreamEm.Worker.Api;

/// <summary>
/// Who may call: with a token configured, whoever carries it (health checks, metrics and the files of the dashboard are open); on a
/// loopback address only calls that name that address, so that no web page can reach it through a name of its own; and never a change asked
/// for by a foreign page.
/// </summary>
internal sealed class AccessGuard
{
    private static readonly string[] Open = ["/livez", "/readyz", "/startupz", "/metrics"];

    /// <summary>Whether a path is for whoever watches the process: without a token, and before all limits.</summary>
    public static bool IsOpen(PathString path) => Open.Any(open => path.Equals(open, StringComparison.Ordinal));

    private readonly RequestDelegate _next;
    private readonly byte[]? _tokenHash;
    private readonly string? _loopbackHost;

    public AccessGuard(RequestDelegate next, HttpOptions options)
    {
        _next = next;
        _tokenHash = options.AuthToken is { Length: > 0 } token ? SHA256.HashData(Encoding.UTF8.GetBytes(token)) : null;
        ListenAddress address = ListenAddress.Parse(options.Address);
        _loopbackHost = address.IsLoopback ? address.Host : null;
    }

    public Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (_loopbackHost is not null && !IsLoopbackName(request.Host.Host))
        {
            return ErrorAnswer.Of(StatusCodes.Status421MisdirectedRequest, "Unknown host",
                "The Host header names another host than this loopback address.",
                request.Host.Value, _loopbackHost).ExecuteAsync(context);
        }

        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && IsForeign(request))
        {
            return ErrorAnswer.Of(StatusCodes.Status403Forbidden, "Foreign origin", "The Origin header names another site.",
                request.Headers.Origin.ToString(), request.Host.Value).ExecuteAsync(context);
        }

        if (_tokenHash is null || IsOpen(request.Path) || DashboardEndpoint.Serves(request.Path) || CarriesToken(request))
            return _next(context);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return ErrorAnswer.Of(StatusCodes.Status401Unauthorized, "Token required",
            "This call needs the header 'Authorization: Bearer <http.auth_token>'.").ExecuteAsync(context);
    }

    private bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.Equals(_loopbackHost, StringComparison.OrdinalIgnoreCase) ||
        (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    private static bool IsForeign(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin &&
        !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? site)
            && site.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));

    private bool CarriesToken(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) &&
            CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())), _tokenHash);
    }
}
