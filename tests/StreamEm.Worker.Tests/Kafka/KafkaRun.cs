using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A directory with a configuration for the real executable that learns from a topic.</summary>
internal sealed class KafkaRun : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public KafkaRun(KafkaBroker broker, string topic, string publish = "- file: { path: out/snapshots.ndjson }", string source = "") =>
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: state
            models:
              - id: clouds
                source: { kafka: { brokers: ["{{broker.Address.Replace(",", "\", \"", StringComparison.Ordinal)}}"], topics: [{{topic}}], idle_after: null{{source}} } }
                features: [a, b]
                model: { type: gaussian_mixture, components: 3 }
                learning:
                  minibatch: { size: 32 }
                  initialization: { buffer: 256, n_init: 1 }
                checkpoint: { every_updates: 7, every: 1s }
                publish:
                  {{publish}}
                rejected: { file: out/rejected.ndjson, stop_above_ratio: 0.5 }
            """);

    public string Path => _directory.Path;

    public string Snapshots => _directory["out/snapshots.ndjson"];

    public string Rejected => _directory["out/rejected.ndjson"];

    public WorkerProcess Start(params string[] arguments) => WorkerProcess.Start(Path, ["run", "-c", "streamem.yaml", .. arguments]);

    /// <summary>Bytes published so far.</summary>
    public long PublishedBytes() => File.Exists(Snapshots) ? new FileInfo(Snapshots).Length : 0;

    public void Dispose() => _directory.Dispose();
}
