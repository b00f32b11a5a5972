using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>
/// TLS with an authority of our own and SASL PLAIN, as <c>properties</c> hand them to the client, against a broker that asks for both.
/// </summary>
public sealed class KafkaSecurityTests(KafkaSecurityTests.SecureBroker secure) : IClassFixture<KafkaSecurityTests.SecureBroker>
{
    [Fact]
    public async Task Sasl_RightPasswordAndAuthority_Reads()
    {
        secure.Broker.NeedsOwnBroker();
        await using KafkaReading reading = await new KafkaReading(secure.Options("127.0.0.1", secure.Sasl()), once: true).DrainAsync();

        Assert.Equal(["0:1", "0:2", "0:3"], reading.Rows);
    }

    [Fact]
    public async Task Sasl_WrongPassword_IsDenied()
    {
        secure.Broker.NeedsOwnBroker();
        await using var reading = new KafkaReading(secure.Options("127.0.0.1", secure.Sasl("not-the-password")));

        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);

        Assert.Equal(SourceFailure.Denied, failure.Failure);
        Assert.DoesNotContain("not-the-password", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_UnknownAuthority_IsNotTrusted()
    {
        secure.Broker.NeedsOwnBroker();
        Dictionary<string, string> properties = secure.Tls();
        properties["ssl.ca.location"] = secure.OtherAuthority;
        await using var reading =
            new KafkaReading(secure.Options("127.0.0.1", properties) with { UnavailableAfter = TimeSpan.FromSeconds(3) });

        SourceException failure = await Assert.ThrowsAsync<SourceException>(reading.DrainAsync);

        Assert.Equal(SourceFailure.Unavailable, failure.Failure);
    }

    [Theory]
    [InlineData("https", SourceFailure.Unavailable)]
    [InlineData("none", null)]
    public async Task Tls_CertificateOfAnotherName_IsTrustedOnlyOnRequest(string identification, SourceFailure? expected)
    {
        secure.Broker.NeedsOwnBroker();
        Dictionary<string, string> properties = secure.Tls();
        properties["ssl.endpoint.identification.algorithm"] = identification;
        KafkaSourceOptions options = secure.Options("localhost", properties) with { UnavailableAfter = TimeSpan.FromSeconds(3) };

        await using var reading = new KafkaReading(options, once: expected is null);
        SourceFailure? found = null;
        try
        {
            await reading.DrainAsync();
        }
        catch (SourceException failure)
        {
            found = failure.Failure;
        }

        Assert.Equal(expected, found);
        Assert.Equal(expected is null ? 3 : 0, reading.Rows.Count);
    }

    /// <summary>A broker with a TLS and a SASL listener, and a topic with three records.</summary>
    public sealed class SecureBroker : IAsyncLifetime
    {
        private const string Password = "as/sert=ed\"";
        private readonly TemporaryFolder _folder = new();
        private int _port;
        private string _topic = "";

        public SecureBroker()
        {
            OtherAuthority = WriteAuthority("other").Path;
            (Authority, X509Certificate2 signer) = WriteAuthority("authority");
            using (signer) WriteKeyStore(signer);
            Broker = new KafkaBroker { Settings = SettingsFor };
        }

        public KafkaBroker Broker { get; }

        public string Authority { get; }

        public string OtherAuthority { get; }

        private string KeyStore => _folder.File("broker.pem");

        public async ValueTask InitializeAsync()
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KAFKA_HOME"))) return;
            await Broker.InitializeAsync();
            if (!Broker.IsOurs) return;
            _topic = await Broker.CreateTopicAsync(1);
            Broker.Fill(_topic, 0, 1, 3);
        }

        public async ValueTask DisposeAsync()
        {
            await Broker.DisposeAsync();
            _folder.Dispose();
        }

        /// <summary>A source on the listener that fits the properties.</summary>
        public KafkaSourceOptions Options(string host, Dictionary<string, string> properties) => KafkaReading.Options(Broker, _topic) with
        {
            Brokers = [string.Create(CultureInfo.InvariantCulture, $"{host}:{_port + (properties["security.protocol"] == "SSL" ? 2 : 3)}")],
            Properties = properties,
        };

        public Dictionary<string, string> Tls() => new() { ["security.protocol"] = "SSL", ["ssl.ca.location"] = Authority };

        public Dictionary<string, string> Sasl(string password = Password) => new()
        {
            ["security.protocol"] = "SASL_SSL",
            ["ssl.ca.location"] = Authority,
            ["sasl.mechanism"] = "PLAIN",
            ["sasl.username"] = "streamem",
            ["sasl.password"] = password,
        };

        private IEnumerable<string> SettingsFor(int port)
        {
            _port = port;
            string controller = string.Create(CultureInfo.InvariantCulture, $"CONTROLLER://127.0.0.1:{port + 1},");
            string Listeners(bool withController) => string.Create(CultureInfo.InvariantCulture,
                $"PLAINTEXT://127.0.0.1:{port},{(withController ? controller : "")}TLS://127.0.0.1:{port + 2},SASL://127.0.0.1:{port + 3}");
            return
            [
                $"listeners={Listeners(withController: true)}",
                $"advertised.listeners={Listeners(withController: false)}",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,SASL:SASL_SSL",
                "ssl.keystore.type=PEM",
                $"ssl.keystore.location={KeyStore}",
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
                    + $"user_streamem=\"{Password.Replace("\"", "\\\\\"", StringComparison.Ordinal)}\";",
            ];
        }

        private (string Path, X509Certificate2 Certificate) WriteAuthority(string name)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions
                .Add(new X509BasicConstraintsExtension(
                    certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
            X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
            string path = _folder.File(name + ".pem");
            File.WriteAllText(path, certificate.ExportCertificatePem());
            return (path, certificate);
        }

        /// <summary>The broker's key and certificate, which names its address and no host.</summary>
        private void WriteKeyStore(X509Certificate2 signer)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=broker", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            using X509Certificate2 certificate =
                request.Create(signer, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100), [1]);
            File.WriteAllText(KeyStore,
                $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n{signer.ExportCertificatePem()}\n");
        }
    }
}
