using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// The model as a fold over the statistics topic: state, offset and message give the next state, and nothing else does. Whoever folds the
/// same messages from the same state has the same state, to the byte, so that a reducer may be replaced anywhere.
/// </summary>
internal sealed class Reduction
{
    private readonly ModelOptions _options;
    private readonly ScaleOutOptions _scale;
    private readonly RunIdentity _identity;
    private readonly Learner _learner;
    private readonly RangeLedger _ranges;
    private readonly SnapshotChain _chain;
    private readonly long[] _rejected = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly long[] _verdicts = new long[Enum.GetValues<Verdict>().Length];
    private readonly List<SnapshotDocument> _made = [];
    private SnapshotDocument? _latest;
    private IReadOnlyList<RunEvent>? _history;
    private long _read, _unpublished;

    private Reduction(ModelOptions options, RunIdentity identity, Learner learner, SourcePosition position, SnapshotDocument? latest)
    {
        (_options, _scale, _identity, _learner, _latest) = (options, options.ScaleOut!, identity, learner, latest);
        _ranges = new RangeLedger(position);
        _chain = SnapshotChain.After(latest?.Snapshot);
    }

    /// <summary>The offset of the next message to fold.</summary>
    public long Next { get; private set; }

    /// <summary>How often the log was found to end before that.</summary>
    public int Cuts { get; private set; }

    /// <summary>The run.</summary>
    public string RunId => _identity.RunId;

    /// <summary>The version of the parameters.</summary>
    public long Version => _learner.Updates;

    /// <summary>Messages by what became of them, since this process began to fold.</summary>
    public long this[Verdict verdict] => _verdicts[(int)verdict];

    /// <summary>Messages folded since the last <see cref="Capture"/>.</summary>
    public long Unpublished => _unpublished;

    /// <summary>A new run.</summary>
    /// <param name="options">The model, with <c>scale_out</c>.</param>
    /// <param name="learner">Its first parameters, with which nothing was learned yet.</param>
    /// <param name="next">The offset of the first message that can be of it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="starts">Where its partitions begin; null where each begins with its first record.</param>
    public static Reduction Begin(ModelOptions options, Learner learner, long next, TimeProvider time, SourcePosition? starts = null) =>
        new(options, RunIdentity.New(options.Id, options.ConfigHash, time), learner, starts?.Copy() ?? new SourcePosition(), latest: null)
        {
            Next = next,
        };

    /// <summary>Goes on from a state.</summary>
    /// <exception cref="Failures.CommandException">It is of another configuration (78), or cannot be used (65).</exception>
    public static Reduction Restore(ModelOptions options, Checkpoint state)
    {
        SharedConfiguration.Require(options, state);
        var reduction = new Reduction(options, state.Identity with { ConfigHash = options.ConfigHash },
            StateRestore.Learner(options, state, binding: null), state.Position.Copy(), state.Latest)
        {
            _history = RunEvent.Append(state.History, SharedConfiguration.ChangesOf(options, state)
                .Select(change => new RunEvent(state.CreatedAt, state.Updates, change.ToString()))),
            Next = state.StatisticsNext ?? 0,
            Cuts = state.StatisticsCuts ?? 0,
            _read = state.Rejections.Read,
        };
        for (int reason = 0; reason < Math.Min(reduction._rejected.Length, state.Rejections.ByReason.Count); reason++)
            reduction._rejected[reason] = state.Rejections.ByReason[reason];
        return reduction;
    }

    /// <summary>
    /// Goes on at the end of a log that was cut before the next message, or is another one. What is lost of it, or passed over, leaves
    /// gaps, as if it had never been sent; everybody has to hear of that.
    /// </summary>
    public void PassCut(long end)
    {
        (Next, Cuts) = (end, Cuts + 1);
        _unpublished++;
    }

    /// <summary>Takes the message at an offset; those below <see cref="Next"/> are in the model.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="bytes">Its bytes; null for none.</param>
    /// <param name="now">When a snapshot is made of it; no number depends on it.</param>
    public Verdict Take(long offset, byte[]? bytes, DateTimeOffset now)
    {
        if (offset < Next) return Verdict.Duplicate;
        Next = offset + 1;
        _unpublished++;
        Verdict verdict = Fold(bytes, now);
        _verdicts[(int)verdict]++;
        return verdict;
    }

    /// <summary>The snapshots made since the last call, in their order.</summary>
    public IReadOnlyList<SnapshotDocument> TakeSnapshots()
    {
        SnapshotDocument[] made = [.. _made];
        _made.Clear();
        return made;
    }

    /// <summary>The state, as the model topic has it.</summary>
    public Checkpoint Capture(DateTimeOffset now)
    {
        _unpublished = 0;
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream)) _learner.Save(writer);
        return new Checkpoint
        {
            ModelId = _identity.ModelId,
            RunId = _identity.RunId,
            ConfigHash = _identity.ConfigHash,
            CreatedAt = now,
            Updates = _learner.Updates,
            Records = _learner.Records,
            Position = _ranges.Position.Copy(),
            StatisticsNext = Next,
            StatisticsCuts = Cuts > 0 ? Cuts : null,
            Rejections = new RejectionCounts { Read = _read, ByReason = [.. _rejected] },
            Configuration = _options.Values.Count > 0 ? _options.Values : null,
            History = _history,
            Latest = _latest,
            Outbox = [],
            Learner = stream.ToArray(),
        };
    }

    private Verdict Fold(byte[]? bytes, DateTimeOffset now)
    {
        StatisticsMessage message;
        try
        {
            message = StatisticsMessage.Decode(bytes ?? []);
        }
        catch (InvalidDataException)
        {
            return Verdict.Corrupt;
        }

        if (message.ModelId != _identity.ModelId || message.RunId != _identity.RunId) return Verdict.WrongRun;
        switch (_ranges.FitOf(message.Range, message.Begins))
        {
            case RangeFit.Duplicate: return Verdict.Duplicate;
            case RangeFit.Overlap: return Verdict.Overlap;
            case RangeFit.Gap: return Verdict.Gap;
            default: break;
        }

        // A topic that was deleted and made again has other records under the same positions.
        if (_ranges[message.Range.Partition]?.Identity is { } known && message.Identity is { } other && known != other)
            return Verdict.WrongRun;
        long tau = _learner.Updates - message.BaseVersion;
        LastStaleness = tau;
        double damping = Staleness.For(_ranges.Count, _scale.InFlight, Batch).DampingAt(tau, message.IsAgain);
        if (tau < 0 || damping == 0) return Verdict.StaleRejected;
        if (message.Contribution is { } contribution)
        {
            try
            {
                _learner.Fold(contribution, damping);
            }
            catch (InvalidDataException)
            {
                return Verdict.Corrupt;
            }

            if (_learner.Updates % _scale.SnapshotEveryUpdates == 0) MakeSnapshot(message.Range, now);
        }

        _ranges.Advance(message.Range, message.Identity);
        _read += message.Read;
        for (int reason = 0; reason < message.Rejected.Count; reason++) _rejected[reason] += message.Rejected[reason];
        return damping < 1 ? Verdict.StaleDamped : Verdict.Accepted;
    }

    /// <summary>Versions made since the one that the last contribution of this run was made under; null before the first.</summary>
    public long? LastStaleness { get; private set; }

    /// <summary>Messages that are folded at most before the state is published.</summary>
    public const int Batch = 16;

    private void MakeSnapshot(RecordRange last, DateTimeOffset now)
    {
        SourcePosition position = _ranges.Position.Copy();
        position.Set(last.Partition, new PartitionPosition(last.To));
        _made.Add(_latest = _chain.Add(_identity.Stamp(_learner.CreateSnapshot()!, now, position)));
    }
}
