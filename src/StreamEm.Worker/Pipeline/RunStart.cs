using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>How a pipeline begins: with a new run, or with the one of the newest checkpoint, restored to where it was.</summary>
internal sealed class RunStart
{
    private RunStart(RunState run) => Run = run;

    /// <summary>The run.</summary>
    public RunState Run { get; }

    /// <summary>Whether it begins now.</summary>
    public bool IsNew { get; private init; } = true;

    /// <summary>
    /// The snapshots of the checkpoint that publishers may lack: those not acknowledged, and the newest of all and of each publisher, for
    /// it may have gone from where it was published.
    /// </summary>
    public IReadOnlyList<OutboxEntry> Unpublished { get; private init; } = [];

    /// <summary>
    /// When the oldest snapshot was made that some publisher may have without the checkpoint knowing; null for a new run.
    /// </summary>
    public DateTimeOffset? UnpublishedSince { get; private init; }

    /// <summary>Starts a run or goes on with one.</summary>
    /// <exception cref="CommandException">The state belongs to another configuration (78), cannot be used (65) or cannot be read
    /// (74).</exception>
    public static RunStart Open(ModelContext context, CheckpointDirectory directory)
    {
        ModelOptions options = context.Options;
        if (directory.LoadNewest() is not { } checkpoint)
        {
            var fresh = new RunState
            {
                Identity = RunIdentity.New(options.Id, options.ConfigHash, context.Time),
                Learner = LearnerStart.Create(options),
                Position = new SourcePosition(),
                Rejections = new RejectionLedger(new RejectionCounts()),
                RejectedTo = OpenSink(context, directory, length: null),
                Latest = null,
            };
            WorkerLog.RunStarted(context.Log, options.Id, fresh.Identity.RunId);
            return new RunStart(fresh);
        }

        RefuseOtherConfiguration(options, checkpoint);
        Learner learner = LearnerStart.Create(options);
        Restore(learner, checkpoint);
        RefuseForeignSnapshots(checkpoint);
        var run = new RunState
        {
            Identity = checkpoint.Identity,
            Learner = learner,
            Position = checkpoint.Position.Copy(),
            Rejections = new RejectionLedger(checkpoint.Rejections),
            RejectedTo = OpenSink(context, directory, checkpoint.RejectedFileLength),
            Latest = checkpoint.Latest,
        };
        WorkerLog.RunResumed(context.Log, options.Id, run.Identity.RunId, learner.Updates, learner.Records);
        return new RunStart(run) { IsNew = false, Unpublished = UnpublishedOf(checkpoint), UnpublishedSince = OldestOf(checkpoint) };
    }

    private static List<OutboxEntry> UnpublishedOf(Checkpoint checkpoint)
    {
        List<OutboxEntry> entries = [.. checkpoint.Outbox];
        if (checkpoint.Latest is { } latest && !entries.Exists(entry => entry.Version == latest.Version))
            entries.Add(new OutboxEntry(latest, isLast: false));
        return entries;
    }

    private static DateTimeOffset OldestOf(Checkpoint checkpoint) =>
        checkpoint.Outbox.Select(entry => SnapshotIdentity.Read(entry.Json.Span)?.CreatedAt).Append(checkpoint.Latest?.Snapshot.CreatedAt)
            .Min() ?? checkpoint.CreatedAt;

    private static RejectionSink OpenSink(ModelContext context, CheckpointDirectory directory, long? length)
    {
        RejectedOptions to = context.Options.Rejected;
        KafkaDeadLetters? topic = to.Kafka is { } kafka ? new KafkaDeadLetters(kafka, context.Options.Id, context.Time, context.Log) : null;
        if (to.File is null && topic is not null) return topic;
        RejectedFile file = RejectedFile.Open(to.File ?? directory.RejectedFile, length, context.Log);
        return topic is null ? file : new RejectionSinks([file, topic]);
    }

    private static void RefuseOtherConfiguration(ModelOptions options, Checkpoint checkpoint)
    {
        if (checkpoint.ConfigHash == options.ConfigHash) return;
        throw new CommandException(ExitCode.Configuration,
            $"The state of model '{options.Id}' was learned with another configuration: its hash is {checkpoint.ConfigHash}, now it is "
                + $"{options.ConfigHash}. " +
            $"Restore the features, model and learning of before, give the model a new id, or delete its folder '{options.Id}' in the "
                + "state directory to learn from the start.");
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
                $"The checkpoint of model '{checkpoint.ModelId}' cannot be restored: {failure.Message} It may be of another release; use "
                    + $"that one, or delete the folder '{checkpoint.ModelId}' in the state directory.",
                failure);
        }

        if (learner.Updates != checkpoint.Updates)
            throw new CommandException(ExitCode.DataCorrupt,
                $"The checkpoint of model '{checkpoint.ModelId}' cannot be restored: it says {checkpoint.Updates} updates, and its state "
                    + $"has {learner.Updates}. Restore another from a backup, or delete the folder '{checkpoint.ModelId}' in the state "
                    + "directory.");
    }

    /// <summary>What is not yet published is published as it is: it must be snapshots of this run, none newer than the state.</summary>
    private static void RefuseForeignSnapshots(Checkpoint checkpoint)
    {
        foreach (OutboxEntry entry in UnpublishedOf(checkpoint))
        {
            string? wrong = null;
            try
            {
                ModelSnapshot snapshot = SnapshotReader.Read(entry.Json);
                if (snapshot.Version != entry.Version || snapshot.RunId != checkpoint.RunId
                    || snapshot.Version > checkpoint.Updates)
                    wrong = $"it is version {snapshot.Version} of run {snapshot.RunId}.";
            }
            catch (InvalidDataException failure)
            {
                wrong = failure.Message;
            }

            if (wrong is not null)
                throw new CommandException(ExitCode.DataCorrupt,
                    $"The checkpoint of model '{checkpoint.ModelId}' holds no snapshot of version {entry.Version} of its run that could "
                        + $"be published: {wrong} Restore another checkpoint from a backup, or delete the folder "
                        + $"'{checkpoint.ModelId}' in the state directory.");
        }
    }
}
