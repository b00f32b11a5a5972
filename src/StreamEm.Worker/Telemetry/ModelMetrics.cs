using System.Collections.Concurrent;
using StreamEm.Sources;

namespace StreamEm.Worker.Telemetry;

/// <summary>The numbers of one model that <c>/metrics</c> and the API show. Written by the pipeline, read by any thread.</summary>
public sealed class ModelMetrics
{
    private readonly ModelHistograms _histograms;
    private readonly long[] _rejected = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly ConcurrentDictionary<string, long> _published = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _delivered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _statistics = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _publishFailures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _rebalances = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _checkpointFailures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _fenced = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Role, string Result), long> _transactions = new();
    private readonly long[] _deadLetters = new long[Enum.GetValues<RejectionReason>().Length];
    private volatile AlarmCounts? _alarms;
    private volatile bool _isReducer;
    private volatile int _partitions;
    private volatile SourceProgress? _progress;
    private volatile KeyCounts? _keys;
    private long _unscored, _filteredOut;
    private double _longestCheckpoint, _lastKeyRestore, _standbyLag = double.NaN;
    private long _restoredKeys, _keysMetTwice;
    private long _records, _pending, _unreadKeys, _unreadTimestamps, _checkpointSize, _lastCheckpointMilliseconds;

    /// <summary>The numbers of a model.</summary>
    /// <param name="model">Its id.</param>
    /// <param name="histograms">Where what happens is counted; null: nobody asks for it.</param>
    public ModelMetrics(string model = "", WorkerHistograms? histograms = null) =>
        _histograms = (histograms ?? new WorkerHistograms()).Of(model);

    /// <summary>Records taken from the source and not rejected, over the whole run.</summary>
    public long Records
    {
        get => Volatile.Read(ref _records);
        set => Volatile.Write(ref _records, value);
    }

    /// <summary>Records taken but not learned from yet.</summary>
    public long Pending
    {
        get => Volatile.Read(ref _pending);
        set => Volatile.Write(ref _pending, value);
    }

    /// <summary>Records passed over because the model is not about them, since the start.</summary>
    public long FilteredOut
    {
        get => Volatile.Read(ref _filteredOut);
        set => Volatile.Write(ref _filteredOut, value);
    }

    /// <summary>The keys that have a model of their own; null where none has.</summary>
    public KeyCounts? Keys
    {
        get => _keys;
        set => _keys = value;
    }

    /// <summary>Models of keys that came from the topic of keys since the start, of a model that several workers learn.</summary>
    public long RestoredKeys => Volatile.Read(ref _restoredKeys);

    /// <summary>How long it took the last time, seconds; 0 before.</summary>
    public double LastKeyRestoreSeconds => Volatile.Read(ref _lastKeyRestore);

    /// <summary>Records of the topic of keys that the copies of other workers' keys do not have yet; NaN before they begin.</summary>
    public double StandbyLag
    {
        get => Volatile.Read(ref _standbyLag);
        set => Volatile.Write(ref _standbyLag, value);
    }

    /// <summary>Keys that came in a second partition since the start, and have a model of each.</summary>
    public long KeysMetTwice => Volatile.Read(ref _keysMetTwice);

    /// <summary>Records used without their key, which could not be read, over the whole run.</summary>
    public long UnreadKeys
    {
        get => Volatile.Read(ref _unreadKeys);
        set => Volatile.Write(ref _unreadKeys, value);
    }

    /// <summary>Records used without their time, which could not be read, over the whole run.</summary>
    public long UnreadTimestamps
    {
        get => Volatile.Read(ref _unreadTimestamps);
        set => Volatile.Write(ref _unreadTimestamps, value);
    }

    /// <summary>Bytes of the last checkpoint.</summary>
    public long CheckpointSize => Volatile.Read(ref _checkpointSize);

    /// <summary>The longest it took to make a checkpoint durable, seconds.</summary>
    public double LongestCheckpointSeconds => Volatile.Read(ref _longestCheckpoint);

    /// <summary>Checkpoints that could not be written, by reason: <c>no_space</c>, <c>denied</c>, <c>io</c>.</summary>
    public IReadOnlyDictionary<string, long> CheckpointFailures => _checkpointFailures;

    /// <summary>Times publishing failed or began to fail, by publisher.</summary>
    public IReadOnlyDictionary<string, long> PublishFailures => _publishFailures;

    /// <summary>Partitions given to this worker and taken from it, by how: <c>assigned</c>, <c>revoked</c>, <c>lost</c>.</summary>
    public IReadOnlyDictionary<string, long> Rebalances => _rebalances;

    /// <summary>
    /// Times another took this worker's place without its leave, by what the place was: <c>publisher</c>, <c>contributor</c>,
    /// <c>reducer</c>.
    /// </summary>
    public IReadOnlyDictionary<string, long> Fenced => _fenced;

    /// <summary>Transactions of a model that several workers learn, by who made them and how they ended.</summary>
    internal IReadOnlyDictionary<(string Role, string Result), long> Transactions => _transactions;

    /// <summary>When the last checkpoint became durable, in seconds since 1970; 0 before.</summary>
    public double LastCheckpointSeconds => Volatile.Read(ref _lastCheckpointMilliseconds) / 1000.0;

    /// <summary>Anomaly scores of the records scored since the start.</summary>
    internal AnomalyScoreHistogram Scores => _histograms.Scores.Value;

    /// <summary>Records that came before there was a version to score them under, since the start.</summary>
    public long Unscored => Volatile.Read(ref _unscored);

    /// <summary>Alarms raised, and ended, over the whole run, and how many last; null where none are raised.</summary>
    public (long Raised, long Cleared, int Lasting)? Alarms =>
        _alarms is { } alarms ? (alarms.Raised, alarms.Cleared, alarms.Lasting) : null;

    /// <summary>Scored records that have arrived since the start, by sink.</summary>
    public IReadOnlyDictionary<string, long> Delivered => _delivered;

    /// <summary>Of a model that several workers learn: whether this one folds the statistics.</summary>
    public bool IsReducer
    {
        get => _isReducer;
        set => _isReducer = value;
    }

    /// <summary>Of a model that several workers learn: the partitions that this one works on.</summary>
    public int Partitions
    {
        get => _partitions;
        set => _partitions = value;
    }

    /// <summary>Of a model that several workers learn: how far this one has read its partitions; null while it has none.</summary>
    internal SourceProgress? Progress
    {
        get => _progress;
        set => _progress = value;
    }

    /// <summary>Of a model that several workers learn: how late this one's minibatches came into it.</summary>
    internal RecentLateness Lateness { get; } = new();

    /// <summary>Messages of statistics that this worker took, by what became of them, since the start.</summary>
    public IReadOnlyDictionary<string, long> Statistics => _statistics;

    /// <summary>Snapshots published, by publisher.</summary>
    public IReadOnlyDictionary<string, long> Published => _published;

    /// <summary>Records rejected for one reason, over the whole run.</summary>
    public long Rejected(RejectionReason reason) => Volatile.Read(ref _rejected[(int)reason]);

    /// <summary>Sets the records rejected for one reason.</summary>
    public void SetRejected(RejectionReason reason, long count) => Volatile.Write(ref _rejected[(int)reason], count);

    /// <summary>Sets how many records were read, and of these the rejected ones by reason.</summary>
    public void SetRead(long read, IReadOnlyList<long> rejected)
    {
        Records = read - rejected.Sum();
        for (int reason = 0; reason < rejected.Count; reason++) SetRejected((RejectionReason)reason, rejected[reason]);
    }

    /// <summary>Counts a batch that was learned from.</summary>
    public void BatchLearned(int records, TimeSpan took)
    {
        _histograms.Batches.Observe(records);
        Took(Phase.Learn, took);
    }

    /// <summary>Counts what a phase took. Any thread.</summary>
    public void Took(Phase phase, TimeSpan took) => _histograms.Phases.Observe(phase, took);

    /// <summary>Counts records that could not be scored yet.</summary>
    public void RecordsUnscored(int count) => Interlocked.Add(ref _unscored, count);

    /// <summary>Says where the alarms stand.</summary>
    public void SetAlarms(long raised, long cleared, int lasting)
    {
        if (_alarms is { } known && known.Raised == raised && known.Cleared == cleared && known.Lasting == lasting) return;
        _alarms = new AlarmCounts(raised, cleared, lasting);
    }

    /// <summary>Counts scored records that have arrived.</summary>
    public void ScoresDelivered(string sink, int count) => _delivered.AddOrUpdate(sink, count, (_, before) => before + count);

    /// <summary>Counts a message of statistics.</summary>
    public void StatisticsTaken(string result) => _statistics.AddOrUpdate(result, 1, (_, before) => before + 1);

    /// <summary>Counts models of keys that came from the topic of keys.</summary>
    public void KeysRestored(long keys, TimeSpan took)
    {
        Interlocked.Add(ref _restoredKeys, keys);
        Volatile.Write(ref _lastKeyRestore, took.TotalSeconds);
    }

    /// <summary>Counts a key that came in a second partition.</summary>
    public void KeyMetTwice() => Interlocked.Increment(ref _keysMetTwice);

    /// <summary>Counts a durable checkpoint.</summary>
    public void CheckpointWritten(long size, TimeSpan took, DateTimeOffset when)
    {
        _histograms.Checkpoints.Observe(took.TotalSeconds);
        Took(Phase.Checkpoint, took);
        Volatile.Write(ref _longestCheckpoint, Math.Max(_longestCheckpoint, took.TotalSeconds));
        Volatile.Write(ref _checkpointSize, size);
        Volatile.Write(ref _lastCheckpointMilliseconds, when.ToUnixTimeMilliseconds());
    }

    /// <summary>Counts a checkpoint that could not be written.</summary>
    public void CheckpointFailed(string reason) => _checkpointFailures.AddOrUpdate(reason, 1, (_, before) => before + 1);

    /// <summary>Counts failures to publish; none says that there is a publisher that has not failed.</summary>
    public void PublishFailed(string publisher, int count) => _publishFailures.AddOrUpdate(publisher, count, (_, before) => before + count);

    /// <summary>Counts a change of the partitions this worker has: <c>assigned</c>, <c>revoked</c>, <c>lost</c>.</summary>
    public void Rebalanced(string how)
    {
        _rebalances.AddOrUpdate(how, 1, (_, before) => before + 1);
        if (how == "lost") WasFenced("contributor");
    }

    /// <summary>Counts a transaction.</summary>
    internal void TransactionEnded(string role, string result) => _transactions.AddOrUpdate((role, result), 1, (_, before) => before + 1);

    /// <summary>Counts that another took this worker's place.</summary>
    public void WasFenced(string role) => _fenced.AddOrUpdate(role, 1, (_, before) => before + 1);

    /// <summary>Counts a record sent to the dead-letter topic.</summary>
    public void DeadLettered(RejectionReason reason) => Interlocked.Increment(ref _deadLetters[(int)reason]);

    /// <summary>Records sent to the dead-letter topic for one reason, since the start.</summary>
    public long DeadLetters(RejectionReason reason) => Volatile.Read(ref _deadLetters[(int)reason]);

    /// <summary>Counts a version that was made.</summary>
    /// <param name="took">From when the oldest record of it was read.</param>
    public void VersionMade(TimeSpan took) => _histograms.Ingest.Observe(took.TotalSeconds);

    /// <summary>Counts a contribution.</summary>
    /// <param name="versions">Versions made since the one it was made under.</param>
    public void ContributionTaken(long versions) => _histograms.Staleness.Value.Observe(versions);

    /// <summary>Counts snapshots acknowledged by a publisher.</summary>
    public void SnapshotsPublished(string publisher, int count) => _published.AddOrUpdate(publisher, count, (_, before) => before + count);

    private sealed record AlarmCounts(long Raised, long Cleared, int Lasting);
}
