using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Pipeline;

/// <summary>Everything a run is at this moment. The learner's thread owns and changes it; a checkpoint is a copy of it.</summary>
internal sealed class RunState
{
    /// <summary>Whose it is.</summary>
    public required RunIdentity Identity { get; init; }

    /// <summary>What the configuration says, as a checkpoint keeps it.</summary>
    public required IReadOnlyDictionary<string, string> Configuration { get; init; }

    /// <summary>What a person did to the run, oldest first; null for nothing.</summary>
    public IReadOnlyList<RunEvent>? History { get; set; }

    /// <summary>Earlier runs of the model that this one takes the place of; null for none.</summary>
    public IReadOnlyList<string>? Predecessors { get; init; }

    /// <summary>Which start of the run this is; see <see cref="CheckpointFields.Incarnation"/>.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Whether nothing more will be learned or shown: <see cref="CheckpointFields.IsFinal"/>.</summary>
    public bool IsFinal { get; set; }

    /// <summary>What learns.</summary>
    public required Learner Learner { get; init; }

    /// <summary>The next record of every partition.</summary>
    public required SourcePosition Position { get; init; }

    /// <summary>What was read and rejected.</summary>
    public required RejectionLedger Rejections { get; init; }

    /// <summary>Where rejected records go.</summary>
    public required RejectionSink RejectedTo { get; init; }

    /// <summary>The newest snapshot, of this process or of the checkpoint; null before the first.</summary>
    public required SnapshotDocument? Latest { get; set; }

    /// <summary>What the versions come from, each from the one before.</summary>
    public required SnapshotChain Chain { get; init; }

    /// <summary>The scored stream; null where nothing is scored.</summary>
    public ScoreStream? Scores { get; set; }

    /// <summary>Models the stream is compared with; null for none.</summary>
    public CandidateRace? Candidates { get; init; }

    /// <summary>The models of the keys; null where they have none of their own.</summary>
    public KeyedStream? Keyed { get; init; }

    /// <summary>Makes the snapshot of the update just done, the newest from now on.</summary>
    /// <param name="now">The time.</param>
    public SnapshotDocument MakeSnapshot(DateTimeOffset now)
    {
        var learned = Learner.CreateSnapshot() ?? throw new InvalidOperationException("An update left no parameters.");
        ModelSnapshot snapshot = Identity.Stamp(learned, now, Position);
        return Latest = Chain.Add(Candidates is null ? snapshot : snapshot with { Candidates = Candidates.Standings() });
    }

    /// <summary>The whole state as a checkpoint.</summary>
    /// <param name="outbox">The snapshots that some publisher has not acknowledged.</param>
    /// <param name="now">The time.</param>
    public Checkpoint Capture(IReadOnlyList<OutboxEntry> outbox, DateTimeOffset now)
    {
        RejectedFileMark? rejected = RejectedTo.Mark;
        using var stream = new MemoryStream();
        using (var state = new BinaryWriter(stream)) Learner.Save(state);
        return new Checkpoint
        {
            ModelId = Identity.ModelId,
            RunId = Identity.RunId,
            ConfigHash = Identity.ConfigHash,
            Configuration = Configuration.Count > 0 ? Configuration : null,
            History = History,
            Predecessors = Predecessors,
            Incarnation = Incarnation,
            IsFinal = IsFinal,
            Keys = Keyed?.Capture(),
            CreatedAt = now,
            Kernels = Core.LinearAlgebra.Kernels.Name,
            Updates = Learner.Updates,
            Records = Learner.Records,
            Position = Position.Copy(),
            Rejections = Rejections.ToCounts(),
            RejectedFileLength = rejected?.Length,
            RejectedFileIdentity = rejected?.Identity,
            Latest = Latest,
            Outbox = outbox,
            Learner = stream.ToArray(),
            Scores = Scores?.Save() ?? default,
            Candidates = Candidates?.Save() ?? default,
        };
    }
}
