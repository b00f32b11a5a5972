using System.Collections.Concurrent;
using StreamEm.Sources;

namespace StreamEm.Worker.Telemetry;

/// <summary>The numbers of one model that <c>/metrics</c> and the API show. Written by the pipeline, read by any thread.</summary>
public sealed class ModelMetrics
{
    private readonly long[] _rejected = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly ConcurrentDictionary<string, long> _published = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _delivered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _statistics = new(StringComparer.Ordinal);
    private volatile AlarmCounts? _alarms;
    private volatile bool _isReducer;
    private volatile int _partitions;
    private volatile KeyCounts? _keys;
    private long _unscored, _filteredOut;
    private long _records, _pending, _unreadKeys, _unreadTimestamps, _checkpointFailures, _checkpointSize, _lastCheckpointMilliseconds;

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

    /// <summary>Time to make a checkpoint durable.</summary>
    public Histogram CheckpointSeconds { get; } = Histogram.OfSeconds();

    /// <summary>Bytes of the last checkpoint.</summary>
    public long CheckpointSize => Volatile.Read(ref _checkpointSize);

    /// <summary>Checkpoints that could not be written.</summary>
    public long CheckpointFailures => Volatile.Read(ref _checkpointFailures);

    /// <summary>When the last checkpoint became durable, in seconds since 1970; 0 before.</summary>
    public double LastCheckpointSeconds => Volatile.Read(ref _lastCheckpointMilliseconds) / 1000.0;

    /// <summary>Anomaly scores of the records scored since the start.</summary>
    public Histogram Scores { get; } = new(0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999);

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

    /// <summary>Messages of statistics that this worker took, by what became of them, since the start.</summary>
    public IReadOnlyDictionary<string, long> Statistics => _statistics;

    /// <summary>Snapshots published, by publisher.</summary>
    public IReadOnlyDictionary<string, long> Published => _published;

    /// <summary>Records rejected for one reason, over the whole run.</summary>
    public long Rejected(RejectionReason reason) => Volatile.Read(ref _rejected[(int)reason]);

    /// <summary>Sets the records rejected for one reason.</summary>
    public void SetRejected(RejectionReason reason, long count) => Volatile.Write(ref _rejected[(int)reason], count);

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

    /// <summary>Counts a durable checkpoint.</summary>
    public void CheckpointWritten(long size, TimeSpan took, DateTimeOffset when)
    {
        CheckpointSeconds.Observe(took.TotalSeconds);
        Volatile.Write(ref _checkpointSize, size);
        Volatile.Write(ref _lastCheckpointMilliseconds, when.ToUnixTimeMilliseconds());
    }

    /// <summary>Counts a checkpoint that could not be written.</summary>
    public void CheckpointFailed() => Interlocked.Increment(ref _checkpointFailures);

    /// <summary>Counts snapshots acknowledged by a publisher.</summary>
    public void SnapshotsPublished(string publisher, int count) => _published.AddOrUpdate(publisher, count, (_, before) => before + count);

    private sealed record AlarmCounts(long Raised, long Cleared, int Lasting);
}
