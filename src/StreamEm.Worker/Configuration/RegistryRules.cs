using StreamEm.Sources.Decoding;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Registry;
using StreamEm.Worker.Configuration.Binding;

namespace StreamEm.Worker.Configuration;

/// <summary>
/// Rules of topics whose messages name their schema: a registry where one is needed, and nowhere else, reached as is meant.
/// </summary>
internal static class RegistryRules
{
    /// <summary>Reports what is broken or probably not meant.</summary>
    /// <param name="source">The source.</param>
    /// <param name="path">Its place in the configuration: <c>models.0.source.kafka</c>.</param>
    /// <param name="usesKey">Whether a record's key is its message's.</param>
    /// <param name="binder">Takes the problems.</param>
    public static void Check(KafkaSourceOptions source, string path, bool usesKey, Binder binder)
    {
        bool isRegistered = source.Format is RecordFormat.Avro or RecordFormat.JsonSchema || source.KeyFormat != KeyFormat.Text;
        if (source.KeyFormat != KeyFormat.Text && !usesKey)
            binder.Problems.Warn(binder.OriginOf($"{path}.key_format"), "key_format has no effect: the keys are of no use without "
                + $"key: {KafkaFields.Key}");
        if (source.SchemaRegistry is not { } registry) return;
        string at = $"{path}.schema_registry";
        if (!isRegistered)
            binder.Problems.Warn(binder.OriginOf(at),
                "schema_registry has no effect: neither format nor key_format is avro or json_schema");
        if (registry.Token is not null && (registry.Username ?? registry.Password) is not null)
            binder.Problems.Error(binder.OriginOf(at), "schema_registry has a token and a username or password; keep one of them");
        if (registry.Password is not null && registry.Username is null)
            binder.Problems.Error(binder.OriginOf(at), "schema_registry has a password and no username; give both");
        if (registry.KeyFile is not null && registry.CertificateFile is null)
            binder.Problems.Error(binder.OriginOf($"{at}.key_file"), "key_file is without certificate_file; give both");
        List<Uri> plain = [.. registry.Url.Select(url => new Uri(url)).Where(url => url.Scheme == Uri.UriSchemeHttp)];
        if (plain.Count > 0 && (registry.CaFile ?? registry.CertificateFile) is not null)
            binder.Problems.Error(
                binder.OriginOf($"{at}.url"), "url is http:// and certificates are of no use without TLS; expected https://");
        if (plain.Exists(url => !url.IsLoopback) && (registry.Password ?? registry.Token) is not null)
            binder.Problems.Warn(binder.OriginOf($"{at}.url"), "the password or token goes over the network as it is; use https://");
    }
}
