using StreamEm.Core.Settings;
using StreamEm.Sources.Registry;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Kinds;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>The keys of <c>schema_registry</c>.</summary>
internal static class RegistryTable
{
    /// <summary>The keys.</summary>
    public static readonly Table<SchemaRegistryOptions> Keys = new(
        () => new SchemaRegistryOptions { Url = [] },
        new TextListField<SchemaRegistryOptions>(
            "url", "The registry, http:// or https://; of several, the next is asked when one does not answer.", o => o.Url,
            (o, v) => o with { Url = v }, new UrlKind())
        { IsRequired = true },
        Text("username", "Who reads.", new OptionalTextKind(), o => o.Username, (o, v) => o with { Username = v }),
        new SecretField<SchemaRegistryOptions>("password", "The password.", o => o.Password, (o, v) => o with { Password = v }),
        new SecretFileField<SchemaRegistryOptions>(
            "password_file", "File that holds the password.", o => o.Password, (o, v) => o with { Password = v }),
        new SecretField<SchemaRegistryOptions>(
            "token", "A bearer token, instead of name and password.", o => o.Token, (o, v) => o with { Token = v }),
        new SecretFileField<SchemaRegistryOptions>(
            "token_file", "File that holds the token.", o => o.Token, (o, v) => o with { Token = v }),
        Pem("ca_file", "Certificates (PEM) of who may have signed the registry's; null: those the machine trusts.", o => o.CaFile,
            (o, v) => o with { CaFile = v }),
        Pem("certificate_file", "The worker's own certificate (PEM).", o => o.CertificateFile, (o, v) => o with { CertificateFile = v }),
        Pem("key_file", "Its private key (PEM); null: in the same file.", o => o.KeyFile, (o, v) => o with { KeyFile = v }));

    private static ValueField<SchemaRegistryOptions> Pem(string key, string description, Func<SchemaRegistryOptions, string?> get,
        Func<SchemaRegistryOptions, string?, SchemaRegistryOptions> set) =>
        Text(key, description, new OptionalTextKind("the path of a file, or null"), get, set);

    private static ValueField<SchemaRegistryOptions> Text(string key, string description, ValueKind<string?> kind,
        Func<SchemaRegistryOptions, string?> get, Func<SchemaRegistryOptions, string?, SchemaRegistryOptions> set) =>
        new(new Setting<SchemaRegistryOptions, string?>(key, kind, get, set, description));
}
