using System.Diagnostics;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// What a model has when its pipeline starts: a new run, or the one of the newest checkpoint, restored to where it was - position, learner,
/// counts, rejected file and unpublished snapshots.
/// </summary>
internal sealed record ModelRun
{
    /// <summary>Identity of the run.</summary>
    public required string RunId { get; init; }

    /// <summary>What learns.</summary>
    public required Learner Learner { get; init; }

    /// <summary>The next record of every partition.</summary>
    public required SourcePosition Position { get; init; }

    /// <summary>What was read and rejected.</summary>
    public required RejectionLedger Rejections { get; init; }

    /// <summary>Where rejected records go.</summary>
    public required RejectionSink RejectedTo { get; init; }

    /// <summary>The checkpoint it goes on from; null for a new run.</summary>
    public required Checkpoint? From { get; init; }

    /// <summary>When the oldest snapshot was made that some publisher may have without the checkpoint knowing; null for a new run.</summary>
    public DateTimeOffset? UnpublishedSince => From is null
        ? null
        : From.Outbox.Select(entry => SnapshotIdentity.Read(entry.Json.Span)?.CreatedAt).Append(From.Latest?.Snapshot.CreatedAt).Min() ?? From.CreatedAt;

    /// <summary>The snapshots of the checkpoint that publishers may lack: those not acknowledged, and the newest of all and of each publisher, for it may have gone from where it was published.</summary>
    public IReadOnlyList<OutboxEntry> Unpublished { get; private init; } = [];

    /// <summary>Starts a run or goes on with one.</summary>
    /// <exception cref="CommandException">The state belongs to another configuration (78), cannot be used (65) or cannot be read (74).</exception>
    public static ModelRun Start(ModelOptions options, CheckpointDirectory directory, TimeProvider time, ILogger log)
    {
        Checkpoint? checkpoint = directory.LoadNewest();
        if (checkpoint is not null) RefuseOtherConfiguration(options, checkpoint);
        Learner learner = CreateLearner(options);
        if (checkpoint is not null) Restore(learner, checkpoint);

        var run = new ModelRun
        {
            RunId = checkpoint?.RunId ?? Guid.CreateVersion7(time.GetUtcNow()).ToString("D"),
            Learner = learner,
            Position = checkpoint?.Position.Copy() ?? new SourcePosition(),
            Rejections = new RejectionLedger(checkpoint?.Rejections ?? new RejectionCounts()),
            RejectedTo = OpenSink(options, directory, checkpoint, time, log),
            From = checkpoint,
            Unpublished = checkpoint is null ? [] : UnpublishedOf(checkpoint),
        };
        if (checkpoint is null) WorkerLog.RunStarted(log, options.Id, run.RunId);
        else WorkerLog.RunResumed(log, options.Id, run.RunId, learner.Updates, learner.Records);
        return run;
    }

    /// <summary>A learner without state, as configured.</summary>
    /// <exception cref="CommandException">The parameters to start from are missing (66) or of no use (65).</exception>
    public static Learner CreateLearner(ModelOptions options)
    {
        InitialParameters? from = options.InitializeFrom is { } path ? ReadInitialParameters(path) : null;
        try
        {
            return new Learner(options.Model, options.Schema.Features.Count, options.Learning, from);
        }
        catch (ArgumentException failure)
        {
            throw new CommandException(ExitCode.Configuration, $"Model '{options.Id}': {failure.Message}", failure);
        }
    }

    /// <summary>The parameters in a snapshot file.</summary>
    /// <exception cref="CommandException">It is missing (66) or of no use (65).</exception>
    public static InitialParameters ReadInitialParameters(string path)
    {
        try
        {
            return SnapshotReader.ReadInitialParameters(File.ReadAllBytes(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputMissing, $"learning.initialization.from: '{path}' cannot be read: {failure.Message}", failure);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt, $"learning.initialization.from: '{path}' holds no parameters to start at: {failure.Message}", failure);
        }
    }

    /// <summary>The whole state as a checkpoint.</summary>
    /// <param name="options">The model's configuration.</param>
    /// <param name="latest">The newest snapshot.</param>
    /// <param name="outbox">The snapshots that some publisher has not acknowledged.</param>
    /// <param name="now">The time.</param>
    public Checkpoint Capture(ModelOptions options, SnapshotDocument? latest, IReadOnlyList<OutboxEntry> outbox, DateTimeOffset now)
    {
        using var stream = new MemoryStream();
        using (var state = new BinaryWriter(stream)) Learner.Save(state);
        return new Checkpoint
        {
            ModelId = options.Id,
            RunId = RunId,
            ConfigHash = options.ConfigHash,
            CreatedAt = now,
            Updates = Learner.Updates,
            Records = Learner.Records,
            Position = Position.Copy(),
            Rejections = Rejections.ToCounts(),
            RejectedFileLength = RejectedTo.FileLength,
            Latest = latest,
            Outbox = outbox,
            Learner = stream.ToArray(),
        };
    }

    private static List<OutboxEntry> UnpublishedOf(Checkpoint checkpoint)
    {
        List<OutboxEntry> entries = [.. checkpoint.Outbox];
        if (checkpoint.Latest is { } latest && !entries.Exists(entry => entry.Version == latest.Version)) entries.Add(new OutboxEntry(latest, isLast: false));
        return entries;
    }

    private static RejectionSink OpenSink(ModelOptions options, CheckpointDirectory directory, Checkpoint? checkpoint, TimeProvider time, ILogger log)
    {
        RejectedOptions to = options.Rejected;
        KafkaDeadLetters? topic = to.Kafka is { } kafka ? new KafkaDeadLetters(kafka, options.Id, time, log) : null;
        if (to.File is null && topic is not null) return topic;
        RejectedFile file = RejectedFile.Open(to.File ?? directory.RejectedFile, checkpoint?.RejectedFileLength, log);
        return topic is null ? file : new RejectionSinks([file, topic]);
    }

    private static void RefuseOtherConfiguration(ModelOptions options, Checkpoint checkpoint)
    {
        if (checkpoint.ConfigHash == options.ConfigHash) return;
        throw new CommandException(ExitCode.Configuration,
            $"The state of model '{options.Id}' was learned with another configuration: its hash is {checkpoint.ConfigHash}, now it is {options.ConfigHash}. " +
            $"Restore the features, model and learning of before, give the model a new id, or delete its folder '{options.Id}' in the state directory to learn from the start.");
    }

    private static void Restore(Learner learner, Checkpoint checkpoint)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(checkpoint.Learner.ToArray()));
            learner.Load(reader);
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException)
        {
            throw new CommandException(ExitCode.DataCorrupt,
                $"The checkpoint of model '{checkpoint.ModelId}' cannot be restored: {failure.Message} It may be of another release; use that one, or delete the folder '{checkpoint.ModelId}' in the state directory.",
                failure);
        }

        Debug.Assert(learner.Updates == checkpoint.Updates);
    }
}
