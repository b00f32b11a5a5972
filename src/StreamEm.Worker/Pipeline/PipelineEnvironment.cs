using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>What a pipeline gets from the process round it.</summary>
public sealed record PipelineEnvironment
{
    /// <summary>The directory that holds a directory of checkpoints per model; already locked.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Opens the source of a model at a position.</summary>
    public required Func<ModelOptions, SourcePosition, RecordSource> OpenSource { get; init; }

    /// <summary>Makes a publisher from one entry of a model's <c>publish</c>.</summary>
    public required Func<PublishedModel, object, SnapshotPublisher> CreatePublisher { get; init; }

    /// <summary>Makes a sink from one entry of a model's <c>scores</c>; null as the catalogue says.</summary>
    internal Func<ScoreSinkOptions, ScoreSink>? CreateScoreSink { get; init; }

    /// <summary>Makes what runs a model that several workers learn together; told its feed and its folder.</summary>
    internal Func<ModelContext, SnapshotFeed, CheckpointDirectory, Replica>? CreateReplica { get; init; }

    /// <summary>Whether components may come and go where the configuration has another number of them than the state.</summary>
    public bool AcceptsModelChange { get; init; }

    /// <summary>The most that the last records of a model take in memory, which can be replayed.</summary>
    public long ReplayBytes { get; init; } = 16 << 20;

    /// <summary>Where what happens is counted.</summary>
    public WorkerHistograms Histograms { get; init; } = new();

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where events are told.</summary>
    public required ILogger Log { get; init; }
}
