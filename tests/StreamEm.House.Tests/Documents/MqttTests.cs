using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>The recipe of <c>docs/clients.md</c> on a real MQTT broker, where one is installed.</summary>
public sealed class MqttTests
{
    private const string Broker = "/usr/sbin/mosquitto", Publisher = "/usr/bin/mosquitto_pub", Page = "docs/clients.md";

    [Fact]
    public async Task Recipe_OnARealBroker_LearnsWhatIsPublished()
    {
        Assert.SkipUnless(File.Exists(Broker) && File.Exists(Publisher), "mosquitto and mosquitto-clients are not installed.");
        string recipe = Markdown.Snippets(Page).Single(step => step.Text.StartsWith("mosquitto_sub ", StringComparison.Ordinal)).Text
            .Split(" # ")[0];
        using var folder = new TemporaryFolder();
        int port = FreePort();
        folder.Write("mosquitto.conf", $"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type all\n");
        folder.Write("streamem.yaml", """
            http: { address: "127.0.0.1:0" }
            models:
              - id: sensors
                source: { stdin: { format: ndjson } }
                features: [temperature]
                model: { type: gaussian_mixture, components: 1 }
                learning: { minibatch: { size: 50 }, initialization: { buffer: 100 } }
                publish: [ { file: { path: versions.ndjson } } ]
            """);
        string records = string.Join('\n', Enumerable.Range(0, 300).Select(i => $"{{\"temperature\": {20 + i % 7}}}"));
        folder.Write("records", records + "\n");
        // The broker is there when a message comes back; then the pipe, then the records, and the end of the subscription ends the worker.
        string script = $"""
            set -e
            {Broker} -c mosquitto.conf >broker.log 2>&1 &
            trap 'kill $(jobs -p) 2>/dev/null' EXIT
            until mosquitto_pub -h 127.0.0.1 -p {port} -t ready -m 1 -r 2>/dev/null; do sleep 0.05; done
            ({recipe.Replace("-h broker", $"-h 127.0.0.1 -p {port} -C 300 -q 1", StringComparison.Ordinal)}) >worker.log 2>&1 &
            until grep -q "Received SUBSCRIBE" broker.log; do sleep 0.05; done
            mosquitto_pub -h 127.0.0.1 -p {port} -t sensors/boiler -q 1 -l < records
            wait %2
            """;
        folder.Write("run.sh", script);
        using Process process = Process.Start(new ProcessStartInfo("/bin/bash", ["run.sh"])
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
            Environment = { ["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}" },
        })!;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        string log = File.ReadAllText(Path.Combine(folder.Path, "worker.log"));
        Assert.True(process.ExitCode == 0, log);
        Assert.Contains("\"version\":6,", File.ReadAllText(Path.Combine(folder.Path, "versions.ndjson")), StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
