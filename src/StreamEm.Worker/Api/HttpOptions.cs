namespace StreamEm.Worker.Api;

/// <summary><c>http</c>: where the API listens.</summary>
public sealed record HttpOptions
{
    /// <summary><c>address</c>: host:port; loopback unless a token is configured. Port 0 takes a free one.</summary>
    public string Address { get; init; } = "127.0.0.1:8080";

    /// <summary>
    /// <c>auth_token</c> or <c>auth_token_file</c>: a bearer token that every call but the health checks and metrics must carry.
    /// </summary>
    public string? AuthToken { get; init; }
}
