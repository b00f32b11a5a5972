using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A directory with a configuration for the real executable that learns from a topic.</summary>
internal sealed class KafkaRun : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private const string Clouds = """
        features: [a, b]
        model: { type: gaussian_mixture, components: 3 }
        learning: { minibatch: { size: 32, max_wait: null }, initialization: { buffer: 256, n_init: 1 } }
        """;

    public KafkaRun(KafkaBroker broker, string topic, string publish = "- file: { path: out/snapshots.ndjson }", string source = "",
        string idleAfter = "null", string rejected = "file: out/rejected.ndjson", string checkpoint = "every_updates: 7, every: 1s",
        string model = Clouds) =>
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: state
            models:
              - id: clouds
                source: { kafka: { brokers: ["{{broker.Address.Replace(",", "\", \"", StringComparison.Ordinal)}}"], topics: [{{topic}}], idle_after: {{idleAfter}}{{source}} } }
            {{string.Join('\n', model.Split('\n').Select(line => "    " + line))}}
                checkpoint: { {{checkpoint}} }
                publish:
                  {{publish}}
                rejected: { {{rejected}}, stop_above_ratio: 0.5 }
            """);

    /// <summary>Sequences through a hidden Markov model that learns a lag behind.</summary>
    public static KafkaRun OfSequences(KafkaBroker broker, string topic, int maxKeys, int lag) => new(
        broker, topic, model: $$"""
        features: [a]
        key: device
        model: { type: hidden_markov, states: 2, max_keys: {{maxKeys}}, sequences: { lag: {{lag}} } }
        learning: { minibatch: { size: 128, max_wait: null }, initialization: { buffer: 256, n_init: 1 } }
        """);

    public string Path => _directory.Path;

    public string Snapshots => _directory["out/snapshots.ndjson"];

    public string Rejected => _directory["out/rejected.ndjson"];

    public WorkerProcess Start(params string[] arguments) => WorkerProcess.Start(Path, ["run", "-c", "streamem.yaml", .. arguments]);

    /// <summary>Bytes published so far.</summary>
    public long PublishedBytes() => File.Exists(Snapshots) ? new FileInfo(Snapshots).Length : 0;

    public string NewestCheckpoint() => Directory.GetFiles(_directory["state/clouds"], "*.sem").Max(StringComparer.Ordinal)!;

    /// <summary>The newest checkpoint; null before there is one.</summary>
    public Checkpoint? Kept() =>
        Directory.Exists(_directory["state/clouds"]) && Directory.EnumerateFiles(_directory["state/clouds"], "*.sem").Any()
        ? CheckpointFile.Decode(File.ReadAllBytes(NewestCheckpoint()))
        : null;

    /// <summary>Runs until so many versions are learned and published, and stops in order.</summary>
    public async Task FinishAsync(long versions, TimeSpan? deadline = null)
    {
        using WorkerProcess process = Start();
        await process.Address();
        try
        {
            await Eventually.True(() => process.HasExited || (PublishedBytes() > 0 && PublishedLog.LastVersion(Snapshots) >= versions),
                $"version {versions}", deadline);
        }
        catch (TimeoutException late)
        {
            Assert.Fail($"{late.Message} There are {PublishedBytes()} bytes of versions.\n{process.Output}\n{process.Errors}");
        }

        process.Terminate();
        Assert.True(await process.Exit() == 0, $"{process.Output}\n{process.Errors}");
        Assert.Equal(versions, PublishedLog.LastVersion(Snapshots));
    }

    /// <summary>Runs to the end of what is in the topic.</summary>
    public async Task DrainAsync()
    {
        (int code, string output, string errors) = await WorkerProcess.Run(Path, "run", "-c", "streamem.yaml", "--once");
        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
    }

    public void Dispose() => _directory.Dispose();
}
