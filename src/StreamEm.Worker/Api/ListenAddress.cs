using System.Globalization;
using System.Net;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>http.address</c>: <c>host:port</c> with an IP address, <c>localhost</c> or <c>*</c> as host; port 0 takes a free one.
/// </summary>
/// <param name="Host">As configured, without brackets.</param>
/// <param name="Port">0 to 65535.</param>
public sealed record ListenAddress(string Host, int Port)
{
    /// <summary>The IP address to listen on.</summary>
    public IPAddress Ip => Host switch
    {
        "localhost" => IPAddress.Loopback,
        "*" or "+" => IPAddress.IPv6Any,
        _ => IPAddress.Parse(Host),
    };

    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(Ip);

    /// <summary>Reads an address.</summary>
    /// <exception cref="CommandException">It is none (78).</exception>
    public static ListenAddress Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon].Trim('[', ']');
        bool isHost = host is "localhost" or "*" or "+" || IPAddress.TryParse(host, out _);
        if (isHost && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port <= IPEndPoint.MaxPort)
            return new ListenAddress(host, port);
        throw new CommandException(ExitCode.Configuration,
            $"http.address is '{text}'; expected host:port with an IP address, localhost or * as host, such as 127.0.0.1:8080.");
    }
}
