using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>
/// Where to listen: <c>host:port</c> with an IP address, <c>[IPv6]:port</c>, or <c>localhost:port</c>; port 0 takes a free one.
/// </summary>
public sealed class AddressKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => "address:port such as 127.0.0.1:8080, [::1]:8080 or localhost:8080";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return text is not null && Split(text, out _, out _);
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;

    /// <summary>Whether only this machine can reach the address.</summary>
    public static bool IsLoopback(string address) => Split(address, out IPAddress? ip, out _) && (ip is null || IPAddress.IsLoopback(ip));

    /// <summary>
    /// Where a client on this machine reaches what listens on the address: an address that stands for all becomes loopback.
    /// </summary>
    public static Uri ClientUri(string address)
    {
        Split(address, out IPAddress? ip, out int port);
        if (ip is null) return new UriBuilder("http", "localhost", port).Uri;
        if (ip.Equals(IPAddress.Any)) ip = IPAddress.Loopback;
        if (ip.Equals(IPAddress.IPv6Any)) ip = IPAddress.IPv6Loopback;
        return new UriBuilder("http", ip.ToString(), port).Uri;
    }

    /// <summary>Splits an address; <paramref name="ip"/> is null for <c>localhost</c>.</summary>
    private static bool Split(string text, out IPAddress? ip, out int port)
    {
        ip = null;
        port = 0;
        int colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port > IPEndPoint.MaxPort)
            return false;
        string host = text[..colon];
        if (host == "localhost") return true;
        bool isBracketed = host is ['[', .., ']'];
        if (isBracketed) host = host[1..^1];
        return isBracketed == host.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(host, out ip);
    }
}
