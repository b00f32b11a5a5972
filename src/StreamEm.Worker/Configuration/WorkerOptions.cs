using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Sources;

namespace StreamEm.Worker.Configuration;

/// <summary>The whole configuration file, checked and with every default in place.</summary>
public sealed record WorkerOptions
{
    /// <summary><c>http</c>.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary><c>state_directory</c>: the only directory the worker owns.</summary>
    public string StateDirectory { get; init; } = "./state";

    /// <summary><c>models</c>.</summary>
    public IReadOnlyList<ModelOptions> Models { get; init; } = [];
}

/// <summary><c>http</c>: where the API listens.</summary>
public sealed record HttpOptions
{
    /// <summary><c>address</c>: host:port; loopback unless a token is configured. Port 0 takes a free one.</summary>
    public string Address { get; init; } = "127.0.0.1:8080";

    /// <summary><c>auth_token</c> or <c>auth_token_file</c>: a bearer token that every call but the health checks and metrics must carry.</summary>
    public string? AuthToken { get; init; }
}

/// <summary>One entry of <c>models</c>.</summary>
public sealed record ModelOptions
{
    /// <summary><c>id</c>: ^[a-z0-9][a-z0-9._-]{0,63}$.</summary>
    public required string Id { get; init; }

    /// <summary><c>source</c>: an options record of the sources' catalogue.</summary>
    public required SourceOptions Source { get; init; }

    /// <summary><c>features, label, weight, key, timestamp, target, missing</c>.</summary>
    public required RecordSchema Schema { get; init; }

    /// <summary><c>model</c>: an options record of the model catalogue.</summary>
    public required LatentModelOptions Model { get; init; }

    /// <summary><c>learning</c>.</summary>
    public LearningOptions Learning { get; init; } = new();

    /// <summary><c>learning.minibatch.max_wait</c>: a minibatch is cut short after this long; null waits for ever.</summary>
    public TimeSpan? MinibatchMaxWait { get; init; }

    /// <summary><c>learning.initialization.from</c>: a snapshot file to start exactly at.</summary>
    public string? InitializeFrom { get; init; }

    /// <summary><c>checkpoint</c>.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary><c>publish</c>.</summary>
    public IReadOnlyList<object> Publish { get; init; } = [];

    /// <summary><c>rejected</c>.</summary>
    public RejectedOptions Rejected { get; init; } = new();

    /// <summary>Hash of everything that shapes what is learned (schema, model, learning): <c>sha256:...</c>.</summary>
    public string ConfigHash { get; init; } = "";
}

/// <summary><c>checkpoint</c>: when the state is written.</summary>
public sealed record CheckpointOptions
{
    /// <summary><c>every_updates</c>.</summary>
    public int EveryUpdates { get; init; } = 50;

    /// <summary><c>every</c>.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>keep</c>.</summary>
    public int Keep { get; init; } = 3;
}

/// <summary><c>publish: - file</c>: one snapshot a line.</summary>
public sealed record FilePublisherOptions
{
    /// <summary><c>path</c>.</summary>
    public required string Path { get; init; }

    /// <summary><c>every_updates</c>: only versions divisible by it (and the last one of a drained run).</summary>
    public int EveryUpdates { get; init; } = 1;
}

/// <summary><c>publish: - kafka</c>: snapshots to a compacted topic, the key is the model's id.</summary>
public sealed record KafkaPublisherOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topic</c>.</summary>
    public required string Topic { get; init; }

    /// <summary><c>every_updates</c>: only versions divisible by it (and the last one of a drained run).</summary>
    public int EveryUpdates { get; init; } = 1;

    /// <summary><c>every</c>: at most one snapshot in this time, the newest; null publishes each.</summary>
    public TimeSpan? Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>unavailable_after</c>: brokers out of reach for this long end the worker (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>properties</c>: handed to the Kafka client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary><c>rejected.kafka</c>: a dead-letter topic, which gets rejected records as they came, with headers that say where from and why.</summary>
public sealed record DeadLetterOptions
{
    /// <summary><c>brokers</c>: host:port of some of the cluster's brokers.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary><c>topic</c>.</summary>
    public required string Topic { get; init; }

    /// <summary><c>unavailable_after</c>: brokers out of reach for this long end the worker (69); null waits for ever.</summary>
    public TimeSpan? UnavailableAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>properties</c>: handed to the Kafka client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary><c>rejected</c>: where records that cannot be used are kept.</summary>
public sealed record RejectedOptions
{
    /// <summary>
    /// <c>file</c>; null keeps them in <c>rejected.ndjson</c> beside the checkpoints, unless they go to a topic (<c>fit</c>, which has no checkpoints, only counts them).
    /// </summary>
    public string? File { get; init; }

    /// <summary><c>kafka</c>: a dead-letter topic, besides or instead of the file; null for none.</summary>
    public DeadLetterOptions? Kafka { get; init; }

    /// <summary><c>stop_above_ratio</c>: the worker stops (65) when more than this share of the records is rejected.</summary>
    public double StopAboveRatio { get; init; } = 0.05;
}
