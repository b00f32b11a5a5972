using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace StreamEm.Sources.Registry;

/// <summary>What a registry answered.</summary>
/// <param name="Json">The object it answered; null when it has not what it was asked for.</param>
/// <param name="Failure">Why no registry answered; null when one did.</param>
internal sealed record RegistryAnswer(JsonElement? Json, string? Failure);

/// <summary>
/// Asks a schema registry over HTTP: the paths of Confluent's, which others have too (Karapace, Apicurio, Redpanda). Of several addresses
/// the one that answered last is asked first. Redirects are not followed: they would take the password to where nobody said.
/// </summary>
internal sealed class RegistryConnection : IDisposable
{
    /// <summary>How long an answer may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The numbers of the errors "subject", "version" and "schema not found".</summary>
    private static readonly int[] NotFound = [40401, 40402, 40403];

    private const int MaxAnswerBytes = 8 << 20;

    private readonly SchemaRegistryOptions _options;
    private readonly HttpClient _client;
    private readonly Uri[] _addresses;
    private int _last;

    /// <summary>Asks nobody yet.</summary>
    /// <exception cref="SourceException">A file of certificates cannot be read.</exception>
    public RegistryConnection(SchemaRegistryOptions options)
    {
        _options = options;
        _addresses = [.. options.Url.Select(url => new Uri(url.EndsWith('/') ? url : $"{url}/"))];
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = Patience,
        };
        try
        {
            Secure(handler.SslOptions);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            handler.Dispose();
            throw new SourceException(SourceFailure.Configuration,
                $"The certificates of schema_registry cannot be used: {failure.Message} Expected PEM files: ca_file, certificate_file, "
                    + "key_file.", failure);
        }
        _client = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MaxAnswerBytes };
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.schemaregistry.v1+json, application/json");
        if (options.Token is { } token)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        else if (options.Username is not null || options.Password is not null)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}")));
    }

    /// <summary>Asks for what is at a path.</summary>
    /// <exception cref="SourceException">The registry denies access.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped.</exception>
    public async Task<RegistryAnswer> GetAsync(string path, CancellationToken stop)
    {
        var failures = new List<string>();
        for (int i = 0; i < _addresses.Length; i++)
        {
            int at = (_last + i) % _addresses.Length;
            var address = new Uri(_addresses[at], path);
            try
            {
                using HttpResponseMessage response = await _client.GetAsync(address, stop).ConfigureAwait(false);
                RefuseDenied(response, _addresses[at]);
                byte[] body = await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
                if (Read(response, body) is { } answer)
                {
                    _last = at;
                    return answer;
                }
                failures.Add($"{_addresses[at]} answers {(int)response.StatusCode} to {path}, which no schema registry does");
            }
            catch (HttpRequestException failure)
            {
                failures.Add($"{_addresses[at]}: {Innermost(failure)}");
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                failures.Add($"{_addresses[at]} does not answer within {Patience.TotalSeconds:0} s");
            }
        }
        return new RegistryAnswer(null, string.Join("; ", failures));
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static string Innermost(Exception failure) => failure.GetBaseException().Message.TrimEnd('.');

    /// <summary>What an answer says; null for one that is not a registry's.</summary>
    private static RegistryAnswer? Read(HttpResponseMessage response, byte[] body)
    {
        if (!response.IsSuccessStatusCode && response.StatusCode != HttpStatusCode.NotFound) return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind != JsonValueKind.Object) return null;
            if (response.IsSuccessStatusCode) return new RegistryAnswer(json.RootElement.Clone(), null);
            return json.RootElement.TryGetProperty("error_code", out JsonElement code) && code.TryGetInt32(out int number)
                && NotFound.Contains(number) ? new RegistryAnswer(null, null) : null;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private void RefuseDenied(HttpResponseMessage response, Uri address)
    {
        if (response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)) return;
        string said = _options.Token is not null ? "token_file"
            : _options.Username is not null || _options.Password is not null ? "username, password_file" : "no username and no token_file";
        throw new SourceException(SourceFailure.Denied,
            $"The schema registry {address} refuses access ({(int)response.StatusCode}). Check schema_registry ({said}) and the registry's "
                + "rights: reading schemas by their number, and subjects.");
    }

    private void Secure(SslClientAuthenticationOptions tls)
    {
        tls.EnabledSslProtocols = SslProtocols.None;
        if (_options.CaFile is { } ca)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(ca);
            tls.CertificateChainPolicy = policy;
        }
        if (_options.CertificateFile is not { } own) return;
        tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(own, _options.KeyFile ?? own)];
    }
}
