using System.Text.Json;
using StreamEm.Sources.Tests.Mqtt;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Mqtt;

/// <summary>The real executable on a real Mosquitto, killed while messages come.</summary>
public sealed class KilledMqttWorkerTests : IDisposable
{
    private const int Messages = 1500, Kills = 4;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Killed_WhileMessagesCome_LosesNone()
    {
        Assert.SkipUnless(MqttBroker.Mosquitto is not null, MqttBroker.Missing);
        await using var broker = new MqttBroker();
        await broker.InitializeAsync();
        // What cannot be used is kept aside as it came, up to what the state knows: the file tells what was taken, message by message.
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            models:
              - id: m
                source: { mqtt: { server: "{{broker.Address}}", topics: [plant/+/m], client_id: m } }
                features: [x]
                model: { type: gaussian_mixture, components: 1 }
                checkpoint: { every: 1h }
                rejected: { file: rejected.ndjson, stop_above_ratio: 1 }
            """);
        await broker.Subscribe("m", "plant/+/m");
        Task publishing = broker.Publish("plant/a/m", Enumerable.Range(0, Messages).Select(number => $"{{\"x\": \"number {number}\"}}"));
        for (int kill = 1; kill <= Kills; kill++)
        {
            using WorkerProcess process = WorkerProcess.Start(_directory.Path, "run", "-c", "streamem.yaml");
            int some = kill * Messages / (Kills + 1);
            await Eventually.True(() => process.HasExited || Read() >= some, $"{some} messages to be in the state");
            Assert.False(process.HasExited, process.Output + process.Errors);
            process.Kill();
            await process.Exit();
        }

        await Eventually.Within(publishing);
        (int code, string output, string errors) = await WorkerProcess.Run(_directory.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.True(code == ExitCode.Ok, output + errors);
        string[] numbers = [.. (await File.ReadAllLinesAsync(_directory["rejected.ndjson"]))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!)];
        Assert.Equal(Messages, numbers.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(numbers.Length, Read());
        // At most what was on its way to be acknowledged at each kill.
        Assert.True(numbers.Length - Messages <= Kills * 1000, $"{numbers.Length - Messages} twice");
    }

    private long Read() => new StateDirectory(_directory["state"]).NewestOf("m")?.Rejections.Read ?? 0;
}
