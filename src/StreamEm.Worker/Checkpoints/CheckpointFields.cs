using System.Text.Json.Serialization;
using StreamEm.Sources;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// The small fields of a checkpoint, each described here and nowhere else: <see cref="Checkpoint"/> adds the large parts themselves,
/// <see cref="CheckpointHeader"/> their lengths. A file holds these names in snake_case.
/// </summary>
public abstract record CheckpointFields
{
    /// <summary>The model's id.</summary>
    public required string ModelId { get; init; }

    /// <summary>Identity of the run; see <see cref="RunIdentity.RunId"/>.</summary>
    public required string RunId { get; init; }

    /// <summary>Hash of the configuration the state belongs to.</summary>
    public required string ConfigHash { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Which vectors the worker that wrote it computed with, for people: no number depends on it. Null before 0.2.</summary>
    public string? Kernels { get; init; }

    /// <summary>Updates so far: the version of the parameters inside.</summary>
    public required long Updates { get; init; }

    /// <summary>Records learned from so far.</summary>
    public required long Records { get; init; }

    /// <summary>The next record of every partition.</summary>
    [JsonConverter(typeof(SavedPositionConverter))]
    public required SourcePosition Position { get; init; }

    /// <summary>
    /// Of a model that several workers learn together: the offset of the next message of statistics that is not in the state; null else.
    /// </summary>
    public long? StatisticsNext { get; init; }

    /// <summary>
    /// Of the same: how often the statistics were found to end before <see cref="StatisticsNext"/>, because their topic was cut or created
    /// again; null for never.
    /// </summary>
    public int? StatisticsCuts { get; init; }

    /// <summary>Records read and rejected so far.</summary>
    public required RejectionCounts Rejections { get; init; }

    /// <summary>Length in bytes of the rejected file that belongs to this state; null without a file.</summary>
    public long? RejectedFileLength { get; init; }

    /// <summary>Which file that is; see <see cref="RejectedFileMark"/>.</summary>
    public string? RejectedFileIdentity { get; init; }

    /// <summary>
    /// The configuration the state belongs to: canonical texts by path, secrets left out; null in checkpoints of 0.1.0, which did not keep
    /// it.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Configuration { get; init; }

    /// <summary>What a person did to the run, oldest first: changes of the configuration, a rollback, another name.</summary>
    public IReadOnlyList<RunEvent>? History { get; init; }

    /// <summary>Earlier runs of the model that this one takes the place of, oldest first; null for none.</summary>
    public IReadOnlyList<string>? Predecessors { get; init; }

    /// <summary>
    /// The start of the run that wrote it, as a number higher than that of every start before; null in checkpoints of releases that did
    /// not tell starts apart.
    /// </summary>
    public long? Incarnation { get; init; }

    /// <summary>
    /// Whether the start ended in order with it: no version beyond it was shown to anybody. After a kill there may have been some, which
    /// are made again to the byte, unless the configuration is another one. Null in checkpoints of releases that did not tell.
    /// </summary>
    public bool? IsFinal { get; init; }

    /// <summary>Whether no records are taken, because a person asked for it; null where they are.</summary>
    public bool? IsPaused { get; init; }

    /// <summary>Where the models of the keys are; null where keys have none of their own.</summary>
    public KeyLogMark? Keys { get; init; }

    /// <summary>Whose it is.</summary>
    [JsonIgnore]
    public RunIdentity Identity => new(ModelId, RunId, ConfigHash);
}
