using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace StreamEm.Sources.Tests.Mqtt;

/// <summary>
/// A broker for tests: a real Mosquitto where it is installed (Debian: apt-get install mosquitto), else the library's own in this process.
/// </summary>
public sealed class MqttBroker : IAsyncLifetime
{
    private static int _names;

    private readonly string _directory = Directory.CreateTempSubdirectory("streamem-mqtt-").FullName;
    private Process? _mosquitto;
    private MqttServer? _server;

    /// <summary>Lines of Mosquitto's configuration beside its listener; the port is put for <c>PORT</c>.</summary>
    internal string Settings { get; init; } = "allow_anonymous true";

    public int Port { get; private set; }

    /// <summary>mqtt://host:port.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"mqtt://127.0.0.1:{Port}");

    /// <summary>Where Mosquitto is; null where it is not installed.</summary>
    public static string? Mosquitto { get; } = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/local/sbin"
        .Split(':').Select(folder => Path.Combine(folder, "mosquitto")).FirstOrDefault(File.Exists);

    /// <summary>Whether it is a real one, which keeps sessions through its own restarts.</summary>
    public bool IsReal => Mosquitto is not null;

    public static string Missing => "mosquitto is not installed (Debian: apt-get install mosquitto).";

    /// <summary>A name that no other test uses.</summary>
    public static string NewName() =>
        string.Create(CultureInfo.InvariantCulture, $"t{Environment.ProcessId}-{Interlocked.Increment(ref _names)}");

    public async ValueTask InitializeAsync()
    {
        Port = FreePort();
        if (IsReal) await StartAsync();
        else
        {
            _server = new MqttServerFactory().CreateMqttServer(new MqttServerOptionsBuilder().WithDefaultEndpoint()
                .WithDefaultEndpointBoundIPAddress(IPAddress.Loopback).WithDefaultEndpointPort(Port).WithPersistentSessions().Build());
            await _server.StartAsync();
        }
    }

    /// <summary>Starts Mosquitto, on the port and the state it had.</summary>
    public async Task StartAsync()
    {
        string configuration = Path.Combine(_directory, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture,
            $"listener {Port} 127.0.0.1\npersistence true\npersistence_location {_directory}/\n"
                + $"autosave_interval 1\nmax_queued_messages 0\nuser root\n{Settings}\n"));
        _mosquitto = Process.Start(new ProcessStartInfo(Mosquitto!, ["-c", configuration])
        { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        _mosquitto.ErrorDataReceived += (_, _) => { };
        _mosquitto.OutputDataReceived += (_, _) => { };
        _mosquitto.BeginErrorReadLine();
        _mosquitto.BeginOutputReadLine();
        await Eventually.Succeeds<SocketException>(async () =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
        }, "mosquitto to listen");
    }

    /// <summary>Stops Mosquitto: in order, so that it keeps its sessions.</summary>
    public async Task StopAsync()
    {
        using Process term = Process.Start("kill", [_mosquitto!.Id.ToString(CultureInfo.InvariantCulture)]);
        await term.WaitForExitAsync();
        await _mosquitto.WaitForExitAsync();
        _mosquitto.Dispose();
        _mosquitto = null;
    }

    /// <summary>Has the broker keep messages of a topic for a client that has not come yet.</summary>
    public async Task Subscribe(string clientId, string topic)
    {
        using IMqttClient client = await Connect(clientId);
        await client.SubscribeAsync(new MqttTopicFilterBuilder().WithTopic(topic).WithAtLeastOnceQoS().Build());
        await client.DisconnectAsync();
    }

    /// <summary>Publishes messages, one after another, each acknowledged.</summary>
    public async Task Publish(string topic, IEnumerable<string> payloads, bool isRetained = false, int quality = 1)
    {
        using IMqttClient client = await Connect(NewName());
        foreach (string payload in payloads)
            await client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithRetainFlag(isRetained)
                .WithQualityOfServiceLevel((MqttQualityOfServiceLevel)quality).Build());
        await client.DisconnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_mosquitto is not null) await StopAsync();
        if (_server is not null) await _server.StopAsync();
        _server?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<IMqttClient> Connect(string clientId)
    {
        IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", Port).WithTlsOptions(tls => tls.UseTls(false))
            .WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(clientId).WithCleanStart(false)
            .WithSessionExpiryInterval(3600).Build());
        return client;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
