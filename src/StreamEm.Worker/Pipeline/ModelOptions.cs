using StreamEm.Core.Alarms;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Sources;
using StreamEm.Sources.Files;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary><c>on_failure</c>: what ends when a model cannot go on.</summary>
public enum FailurePolicy
{
    /// <summary>The model; the worker ends with its exit code once every other model has ended.</summary>
    StopModel,

    /// <summary>The worker: every model is stopped in order.</summary>
    StopWorker,
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

    /// <summary>
    /// Where <c>learning.recursion</c> is not written, the same with the one that was the default before; null where it is written.
    /// </summary>
    internal ModelOptions? WithFormerRecursion { get; init; }

    /// <summary><c>learning.minibatch.max_wait</c>: a minibatch is cut short after this long; null waits for ever.</summary>
    public TimeSpan? MinibatchMaxWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// <c>learning.initialization.max_wait</c>: the first parameters are found after this long in what there is, once that is
    /// <see cref="LeastRowsToStart"/>; null waits until the buffer is full.
    /// </summary>
    public TimeSpan? InitializationMaxWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// <c>learning.initialization.from</c>: a snapshot to go on from, or parameters to start exactly at; a file, or an address.
    /// </summary>
    public string? InitializeFrom { get; init; }

    /// <summary><c>learning.initialization.from_token</c>: the bearer token of an <c>http</c> address.</summary>
    public string? InitializeFromToken { get; init; }

    /// <summary>The fewest records that say anything of the first parameters: enough to determine them, and at least 10.</summary>
    public int LeastRowsToStart =>
        (int)Math.Clamp(Model.RowsToStart(Schema.Features.Count), 10, Math.Max(10, Learning.Initialization.Buffer));

    /// <summary>Whether the source ends by itself, so that its last records need no clock to be learned from.</summary>
    public bool IsFinite => Source is FileSourceOptions { Follow: false };

    /// <summary><c>checkpoint</c>.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary><c>snapshots</c>.</summary>
    public RetentionOptions Snapshots { get; init; } = new();

    /// <summary><c>publish</c>.</summary>
    public IReadOnlyList<object> Publish { get; init; } = [];

    /// <summary><c>scores</c>: where scored records go.</summary>
    public IReadOnlyList<ScoreSinkOptions> Scores { get; init; } = [];

    /// <summary><c>alarms</c>; null raises none.</summary>
    public AlarmOptions? Alarms { get; init; }

    /// <summary>The models of the keys; null where they have none of their own.</summary>
    /// <param name="directory">Where those are that are not in memory; null keeps all in memory.</param>
    internal KeyedStream? CreateKeyed(string? directory) =>
        PerKey ? new KeyedStream(Id, Model, Schema, Learning, MaxKeys, directory) : null;

    /// <summary>What the model of a key is: a mixture that grows, of at most as many components as the model of all has.</summary>
    internal LatentModelOptions KeyModel => Model.Grown ?? Model;

    /// <summary>Watches for the alarms; of as many keys as have a model of their own. Null raises none.</summary>
    internal AlarmWatch? CreateAlarms() => Alarms is null ? null : new AlarmWatch(
        Alarms with { MaxKeys = PerKey ? Math.Max(Alarms.MaxKeys, MaxKeys) : Alarms.MaxKeys }, Schema.Columns, Learning.Calendar);

    /// <summary><c>candidates</c>; null compares with none.</summary>
    public CandidateOptions? Candidates { get; init; }

    /// <summary><c>per_key</c>: whether every key has a small model of its own beside the model of all.</summary>
    public bool PerKey { get; init; }

    /// <summary><c>max_keys</c>: keys whose own model is in memory; those not met for longest are on disk.</summary>
    public int MaxKeys { get; init; } = 100_000;

    /// <summary>Whether something is known of every key: a model of its own, or where its sequence stands.</summary>
    internal bool KeepsKeys => PerKey || Model is { MaxKeys: > 0 };

    /// <summary>Keys of which it is in memory, where workers keep the others on disk.</summary>
    internal int KeysInMemory => PerKey ? MaxKeys : Model.MaxKeys;

    /// <summary><c>scale_out</c>; null where one worker learns alone.</summary>
    public ScaleOutOptions? ScaleOut { get; init; }

    /// <summary><c>feedback.memory</c>: the last records of which something can be said; null: nothing can.</summary>
    public int? FeedbackMemory { get; init; }

    /// <summary><c>rejected</c>.</summary>
    public RejectedOptions Rejected { get; init; } = new();

    /// <summary>
    /// <c>on_failure</c>: what ends when the model cannot go on; null: the worker when it is its only model, else the model alone.
    /// </summary>
    public FailurePolicy? OnFailure { get; init; }

    /// <summary>
    /// Every value by its path, as canonical text without secrets, defaults included: what a state says of the configuration it was made
    /// with. Empty for options that were not read from a file.
    /// </summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Hash of the secrets among the values; empty without any.</summary>
    internal string SecretsHash { get; init; } = "";

    /// <summary>Whether a model with these options does nothing otherwise than with the others.</summary>
    internal bool IsSame(ModelOptions other) => this == other || (Values.Count > 0 && SecretsHash == other.SecretsHash
        && Values.Count == other.Values.Count && Values.All(pair => other.Values.GetValueOrDefault(pair.Key) == pair.Value));

    /// <summary>Hash of everything that shapes what is learned (schema, model, learning): <c>sha256:...</c>.</summary>
    public string ConfigHash { get; init; } = "";
}
