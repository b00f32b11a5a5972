namespace StreamEm.Sources.Registry;

/// <summary><c>schema_registry</c>: where the schemas are that messages name by number.</summary>
public sealed record SchemaRegistryOptions
{
    /// <summary><c>url</c>: <c>http://</c> or <c>https://</c>; of several, the next one is asked when one does not answer.</summary>
    public required IReadOnlyList<string> Url { get; init; }

    /// <summary><c>username</c>; null for none.</summary>
    public string? Username { get; init; }

    /// <summary><c>password</c> or <c>password_file</c>; null for none.</summary>
    public string? Password { get; init; }

    /// <summary><c>token</c> or <c>token_file</c>: a bearer token, instead of a name and a password.</summary>
    public string? Token { get; init; }

    /// <summary><c>ca_file</c>: certificates (PEM) of who may have signed the registry's; null: those the machine trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary><c>certificate_file</c>: the client's own certificate (PEM); null for none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary><c>key_file</c>: its private key (PEM); null: in the same file.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>What the keys of messages are written in.</summary>
public enum KeyFormat
{
    /// <summary><c>text</c>: UTF-8 as it is.</summary>
    Text,

    /// <summary><c>avro</c>: with the number of a schema in front.</summary>
    Avro,

    /// <summary><c>json_schema</c>: JSON with the number of a schema in front.</summary>
    JsonSchema,
}
