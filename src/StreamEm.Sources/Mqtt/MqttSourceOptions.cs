using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Mqtt;

/// <summary>Which version of the protocol is spoken.</summary>
public enum MqttProtocol
{
    /// <summary>MQTT 5.</summary>
    Mqtt5,

    /// <summary>MQTT 3.1.1.</summary>
    Mqtt311,
}

/// <summary>
/// <c>source.mqtt</c>: records from topics of an MQTT broker, one record a message, with quality of service 1 and a session that outlasts
/// the connection. Where the schema's <c>key</c> is <c>mqtt.topic</c> or <c>mqtt.topic.N</c>, it is the message's topic, or its level N
/// counted from 0, instead of a field of the message.
/// </summary>
public sealed record MqttSourceOptions : SourceOptions
{
    /// <summary><c>server</c>: <c>mqtt://host:port</c> or, with TLS, <c>mqtts://host:port</c>.</summary>
    public required string Server { get; init; }

    /// <summary><c>topics</c>: filters with the wildcards <c>+</c> (a level) and <c>#</c> (all that follow).</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary><c>client_id</c>: whose session it is at the broker; one client at a time has it.</summary>
    public required string ClientId { get; init; }

    /// <summary><c>format</c>: <c>ndjson</c> or <c>csv</c>.</summary>
    public RecordFormat Format { get; init; } = RecordFormat.Ndjson;

    /// <summary><c>columns</c>: the columns of <c>csv</c> messages; null: the schema's fields in its order.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary><c>protocol</c>.</summary>
    public MqttProtocol Protocol { get; init; }

    /// <summary><c>username</c>; null for none.</summary>
    public string? Username { get; init; }

    /// <summary><c>password</c> or <c>password_file</c>; null for none.</summary>
    public string? Password { get; init; }

    /// <summary><c>ca_file</c>: certificates (PEM) of who may have signed the broker's; null: those the machine trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary><c>certificate_file</c>: the client's own certificate (PEM); null for none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary><c>key_file</c>: its private key (PEM).</summary>
    public string? KeyFile { get; init; }

    /// <summary><c>session_expires_after</c>: for how long the broker keeps messages for a worker that is not there (MQTT 5).</summary>
    public TimeSpan SessionExpiresAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary><c>unavailable_after</c>: a broker out of reach for this long ends the source; null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The most messages that may be here without being in a checkpoint. Not part of the YAML.</summary>
    public ushort MostUnacknowledged { get; init; } = 1000;

    /// <summary>How long a drained run waits for another message before it ends. Not part of the YAML.</summary>
    public TimeSpan DrainedAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The broker sends again what no checkpoint held, but not in the same order among what is new.</summary>
    public override bool IsReplayable => false;
}
