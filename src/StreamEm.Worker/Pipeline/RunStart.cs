using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>How a pipeline begins: with a new run, or with the one of the newest checkpoint, restored to where it was.</summary>
internal sealed class RunStart
{
    private const string KeysForgotten =
        "What was remembered of the keys is of the old states and forgotten: each key begins a sequence anew.";

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

    /// <summary>Whether it goes on with another configuration than it had.</summary>
    public bool HasChanged { get; private init; }

    /// <summary>What the checkpoint says of the scored stream, and when it was made; empty where it says nothing.</summary>
    public (ReadOnlyMemory<byte> State, DateTimeOffset SavedAt) Scores { get; private init; }

    /// <summary>What publishers are told of the run.</summary>
    public required RunClaim Claim { get; init; }

    /// <summary>Starts a run or goes on with one.</summary>
    /// <param name="context">The model.</param>
    /// <param name="directory">Its checkpoints.</param>
    /// <param name="acceptsModelChange">Whether components may come and go.</param>
    /// <exception cref="CommandException">The state belongs to another configuration (78), cannot be used (65) or cannot be read
    /// (74).</exception>
    public static RunStart Open(ModelContext context, CheckpointDirectory directory, bool acceptsModelChange = false)
    {
        if (directory.LoadNewest() is not { } checkpoint) return New(context, directory, directory.Predecessors);
        ModelOptions options = KeptRecursion.Of(context.Options, checkpoint);
        if (options != context.Options) WorkerLog.RecursionKept(context.Log, options.Id);
        StateBinding? binding = StateBinding.Of(options, checkpoint);
        if (binding?.Refusal(acceptsModelChange) is { } refusal) throw new CommandException(ExitCode.Configuration, refusal);
        bool isOther = checkpoint.ConfigHash != options.ConfigHash;
        if (binding is null && isOther && checkpoint.Updates > 0)
            throw new CommandException(ExitCode.Configuration, UnknownRefusal(options, checkpoint));
        if (checkpoint.Updates == 0 && (IsReadAnew() || !options.Source.HoldsWhatWasRead(
            new SourceContext(options.Schema.Read, checkpoint.Position.Copy(), context.Time))))
        {
            WorkerLog.RunBegunAnew(context.Log, options.Id, checkpoint.Rejections.Read - checkpoint.Rejections.ByReason.Sum());
            return New(context, directory, [.. checkpoint.Predecessors ?? [], checkpoint.RunId], checkpoint.IsPaused == true);
        }
        bool IsReadAnew() => binding is null ? isOther : binding.ReadsOtherRecords;

        IReadOnlyList<ConfigurationChange> changes = binding?.Changes ?? [];
        foreach (ConfigurationChange change in changes)
            WorkerLog.ConfigurationChanged(context.Log, options.Id, change.ToString(), Told(change, checkpoint));
        bool forgetsKeys = options.Model.MaxKeys > 0 && checkpoint.Updates > 0
            && changes.Any(change => change.Effect == ChangeEffect.Components);
        if (forgetsKeys) WorkerLog.ModelWarning(context.Log, options.Id, KeysForgotten);
        Learner learner = StateRestore.Learner(options, checkpoint, binding);
        RefuseForeignSnapshots(checkpoint);
        long known = checkpoint.Incarnation ?? 0;
        if (RunFork.IsNeeded(checkpoint, changes, options.Source)) checkpoint = RunFork.Of(checkpoint, context);
        var run = new RunState
        {
            Identity = checkpoint.Identity with { ConfigHash = options.ConfigHash },
            Configuration = options.Values,
            History = HistoryOf(checkpoint, changes, forgetsKeys, context.Time.GetUtcNow()),
            Predecessors = Predecessors(options, checkpoint.RunId, checkpoint.Predecessors),
            Incarnation = NextIncarnation(known, context.Time),
            IsPaused = checkpoint.IsPaused == true,
            Pinned = checkpoint.Pinned,
            Learner = learner,
            Position = checkpoint.Position.Copy(),
            Rejections = new RejectionLedger(checkpoint.Rejections),
            RejectedTo = OpenSink(context, directory,
                checkpoint.RejectedFileLength is { } length ? new RejectedFileMark(length, checkpoint.RejectedFileIdentity) : null),
            Latest = checkpoint.Latest,
            Chain = SnapshotChain.After(checkpoint.Latest?.Snapshot),
            Candidates = CandidatesOf(options, checkpoint),
            Keyed = KeysOf(context, directory, checkpoint),
        };
        WorkerLog.RunResumed(context.Log, options.Id, run.Identity.RunId, learner.Updates, learner.Records);
        // Whoever takes over the run itself has seen that another copy of its state has gone further.
        if (TakenOver(options).Contains(run.Identity.RunId)) known = long.MaxValue;
        return new RunStart(run)
        {
            Claim = ClaimOf(run, known),
            IsNew = false,
            HasChanged = changes.Count > 0 || isOther,
            Unpublished = UnpublishedOf(checkpoint),
            UnpublishedSince = OldestOf(checkpoint),
            Scores = (checkpoint.Scores, checkpoint.CreatedAt),
        };
    }

    private static IReadOnlyList<RunEvent>? HistoryOf(
        Checkpoint checkpoint, IReadOnlyList<ConfigurationChange> changes, bool forgetsKeys, DateTimeOffset now) =>
        RunEvent.Append(checkpoint.History, changes.Where(change => change.Effect != ChangeEffect.None)
            .Select(change => change.ToString()).Concat(forgetsKeys ? [KeysForgotten] : [])
            .Select(text => new RunEvent(now, checkpoint.Updates, text)));

    private static RunStart New(
        ModelContext context, CheckpointDirectory directory, IReadOnlyList<string>? predecessors, bool isPaused = false)
    {
        ModelOptions options = context.Options;
        var run = new RunState
        {
            Identity = RunIdentity.New(options.Id, options.ConfigHash, context.Time),
            Configuration = options.Values,
            Predecessors = Predecessors(options, own: null, predecessors),
            Incarnation = NextIncarnation(0, context.Time),
            IsPaused = isPaused,
            Learner = LearnerStart.Create(options, out SnapshotParent? parent),
            Position = new SourcePosition(),
            Rejections = new RejectionLedger(new RejectionCounts()),
            RejectedTo = OpenSink(context, directory, mark: null),
            Latest = null,
            Chain = new SnapshotChain(parent),
            Candidates = CandidatesOf(options, checkpoint: null),
            Keyed = KeysOf(context, directory, checkpoint: null),
        };
        WorkerLog.RunStarted(context.Log, options.Id, run.Identity.RunId);
        var start = new RunStart(run) { Claim = ClaimOf(run, known: 0) };
        if (run.Learner.Updates == 0) return start;
        // What a snapshot knew is there to be asked from the first second.
        run.MakeSnapshot(context.Time.GetUtcNow());
        WorkerLog.RunContinued(context.Log, options.Id, options.InitializeFrom ?? "", run.Learner.Updates, run.Learner.Records);
        return start;
    }

    /// <summary>What the stream is compared with, where the checkpoint left it if it is of the same candidates.</summary>
    /// <exception cref="CommandException">Their state cannot be used (65).</exception>
    private static CandidateRace? CandidatesOf(ModelOptions options, Checkpoint? checkpoint)
    {
        if (options.Candidates is not { } candidates) return null;
        CandidateRace Begun() => new(candidates, options.Model, options.Schema, options.Learning, options.ConfigHash);
        CandidateRace race = Begun();
        if (checkpoint is null || checkpoint.Candidates.IsEmpty) return race;
        try
        {
            return race.TryRestore(checkpoint.Candidates) ? race : Begun();
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt,
                $"The checkpoint of model '{options.Id}' cannot be restored: {failure.Message} Restore another from a backup, or leave "
                    + "candidates out.", failure);
        }
    }

    /// <summary>The models of the keys, where the checkpoint left them.</summary>
    /// <exception cref="CommandException">Their state cannot be used (65).</exception>
    private static KeyedStream? KeysOf(ModelContext context, CheckpointDirectory directory, Checkpoint? checkpoint)
    {
        ModelOptions options = context.Options;
        if (options.CreateKeyed(directory.Keys) is not { } keyed)
        {
            if (checkpoint?.Keys is { Keys: > 0 } given) WorkerLog.KeysGivenUp(context.Log, options.Id, given.Keys);
            return null;
        }

        try
        {
            if (checkpoint?.Keys is { } mark) keyed.Open(mark);
            return keyed;
        }
        catch (InvalidDataException failure)
        {
            keyed.Dispose();
            throw KeyedStream.Damaged(options.Id, failure);
        }
    }

    private static RunClaim ClaimOf(RunState run, long known) => new(run.Identity.RunId)
    {
        Incarnation = run.Incarnation,
        KnownIncarnation = known,
        Predecessors = run.Predecessors ?? [],
    };

    /// <summary>The time, so that a start can be told from one of another copy of the state; but later than the last, whatever the clock
    /// says.</summary>
    private static long NextIncarnation(long last, TimeProvider time) => Math.Max(last + 1, time.GetUtcNow().ToUnixTimeMilliseconds());

    private static IEnumerable<string> TakenOver(ModelOptions options) =>
        options.Publish.OfType<KafkaPublisherOptions>().Select(publisher => publisher.TakeOver).OfType<string>();

    /// <summary>The runs whose place is taken: those before, and those the configuration says have ended.</summary>
    private static string[]? Predecessors(ModelOptions options, string? own, IReadOnlyList<string>? known)
    {
        string[] all = [.. (known ?? []).Concat(TakenOver(options)).Where(run => run != own).Distinct(StringComparer.Ordinal)];
        return all.Length == 0 ? null : all;
    }

    private static string Told(ConfigurationChange change, Checkpoint checkpoint) => change.Effect switch
    {
        _ when checkpoint.Updates == 0 => "there is no version yet that it could bind",
        ChangeEffect.None => "without effect, for the first parameters are there already",
        ChangeEffect.Components => "the components that stay keep what they have learned",
        _ => "from the next update on",
    };

    private static string UnknownRefusal(ModelOptions options, Checkpoint checkpoint) =>
        $"The state of model '{options.Id}' was learned with another configuration, of which it holds only the hash "
            + $"{checkpoint.ConfigHash}; now it is {options.ConfigHash}. Restore the features, model and learning of before; or forget "
            + $"what was learned: streamem state reset {options.Id}; or give the model a new id, which keeps both.";

    private static List<OutboxEntry> UnpublishedOf(Checkpoint checkpoint)
    {
        List<OutboxEntry> entries = [.. checkpoint.Outbox];
        // While a version is pinned, those after it are not for publishers.
        if (checkpoint.Pinned is null && checkpoint.Latest is { } latest && !entries.Exists(entry => entry.Version == latest.Version))
            entries.Add(new OutboxEntry(latest, isLast: false));
        return entries;
    }

    private static DateTimeOffset OldestOf(Checkpoint checkpoint) =>
        checkpoint.Outbox.Select(entry => SnapshotIdentity.Read(entry.Json.Span)?.CreatedAt).Append(checkpoint.Latest?.Snapshot.CreatedAt)
            .Min() ?? checkpoint.CreatedAt;

    private static RejectionSink OpenSink(ModelContext context, CheckpointDirectory directory, RejectedFileMark? mark)
    {
        RejectedOptions to = context.Options.Rejected;
        KafkaDeadLetters? topic = to.Kafka is { } kafka
            ? new KafkaDeadLetters(kafka, context.Options.Id, context.Time, context.Log, context.Metrics) : null;
        if (to.File is null && topic is not null) return topic;
        RejectedFile file = RejectedFile.Open(to.File ?? directory.RejectedFile, mark, context.Log);
        return topic is null ? file : new RejectionSinks([file, topic]);
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
