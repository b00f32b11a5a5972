using StreamEm.Sources.Decoding;
using StreamEm.Sources.Mqtt;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules that only MQTT knows: sessions of their own, files of certificates, and which part of a message can be a key.</summary>
internal sealed class MqttRules(WorkerOptions options, Binder binder)
{
    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check()
    {
        var sessions = new Dictionary<(string, string), string>();
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelOptions model = options.Models[i];
            if (model.Source is not MqttSourceOptions source) continue;
            string path = ConfigPath.Join("models", i), at = $"{path}.source.mqtt";
            foreach ((string role, string reason) in MqttTopics.Refusals(model.Schema.Read))
                binder.Problems.Error(binder.OriginOf($"{path}.{role}"), $"{role}: {reason.TrimEnd('.')}");
            if (MqttSource.Refusal(source, model.Schema.Read) is { } refusal)
                binder.Problems.Error(binder.OriginOf(source.Format == RecordFormat.Csv ? $"{at}.columns" : at), refusal.TrimEnd('.'));
            if (!sessions.TryAdd((source.Server, source.ClientId), model.Id))
                binder.Problems.Error(binder.OriginOf($"{at}.client_id"),
                    $"client_id '{source.ClientId}' is that of model '{sessions[(source.Server, source.ClientId)]}' too, and the broker "
                        + "gives a session to one of them only; expected another");
            bool isPlain = source.Server.StartsWith("mqtt://", StringComparison.Ordinal);
            if (isPlain && (source.CaFile ?? source.CertificateFile) is not null)
                binder.Problems.Error(binder.OriginOf($"{at}.server"),
                    "server is mqtt:// and certificates are of no use without TLS; expected mqtts://");
            if (isPlain && source.Password is not null && !IsLoopback(source.Server))
                binder.Problems.Warn(binder.OriginOf($"{at}.server"), "the password goes over the network as it is; use mqtts://");
            if (source.KeyFile is not null && source.CertificateFile is null)
                binder.Problems.Error(binder.OriginOf($"{at}.key_file"), "key_file is without certificate_file; give both");
        }
    }

    private static bool IsLoopback(string server) => Uri.TryCreate(server, UriKind.Absolute, out Uri? uri) && uri.IsLoopback;
}
