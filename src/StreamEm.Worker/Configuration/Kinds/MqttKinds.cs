using System.Diagnostics.CodeAnalysis;
using StreamEm.Core.Settings;
using StreamEm.Sources.Mqtt;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>A filter of MQTT topics.</summary>
public sealed class MqttFilterKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => "a topic or a filter: levels between slashes, + for any level, # at the end for all that follow";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return MqttTopics.IsFilter(text);
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}

/// <summary>Where an MQTT broker is: <c>mqtt://host:port</c>, or <c>mqtts://host:port</c> with TLS.</summary>
public sealed class MqttServerKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => "mqtt://host:port, or mqtts://host:port with TLS";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? server) && (server.Scheme is "mqtt" or "mqtts") && server.Host.Length > 0
            && (server.PathAndQuery is "" or "/") && server.UserInfo.Length == 0;
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}
