using System.Runtime.CompilerServices;

namespace StreamEm.Sources;

/// <summary>
/// Decoded records of one partition in their order, with the position after each, and the records rejected between them. Filled by a
/// <see cref="RecordSource"/>, read by the worker, then cleared and filled again: in steady state nothing is allocated.
/// </summary>
public sealed class RecordBatch
{
    /// <summary>Text of rejected records, in characters, that makes a batch full: a file of rubbish must not fill the memory.</summary>
    private const int MaxRejectedCharacters = 4 << 20;

    private readonly List<RejectedRecord> _rejected = [];
    private long _rejectedCharacters;
    private readonly double[] _values;
    private readonly long[] _nextOffsets;
    private readonly double[] _weights;
    private readonly double[] _targets;
    private readonly string?[] _labels;
    private readonly string?[] _keys;
    private readonly long[] _timestamps;

    /// <summary>Whether any record came with more than its features; before that nothing is written about it.</summary>
    private bool _hasMore;

    /// <summary>The value of <see cref="Timestamp"/> for a record without one.</summary>
    public const long NoTimestamp = long.MinValue;

    /// <summary>Room for <paramref name="capacity"/> records of <paramref name="dimension"/> features.</summary>
    public RecordBatch(int dimension, int capacity = 1024)
    {
        Dimension = dimension;
        Capacity = capacity;
        _values = new double[capacity * dimension];
        _nextOffsets = new long[capacity];
        _weights = new double[capacity];
        _targets = new double[capacity];
        _labels = new string?[capacity];
        _keys = new string?[capacity];
        _timestamps = new long[capacity];
    }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>The most records it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Number of records.</summary>
    public int Count { get; private set; }

    /// <summary>Whether no further record, good or rejected, is to be added.</summary>
    public bool IsFull => Count == Capacity || _rejected.Count >= Capacity || _rejectedCharacters >= MaxRejectedCharacters;

    /// <summary>The name of the partition that all records are from.</summary>
    public string PartitionName { get; private set; } = "";

    /// <summary>The partition's identity at the time of reading; see <see cref="PartitionPosition.Identity"/>.</summary>
    public string? Identity => Start.Identity;

    /// <summary>The partition's position before the first record.</summary>
    public PartitionPosition Start { get; private set; } = new(0);

    /// <summary>The position after everything that was read for this batch, rejected and skipped records included.</summary>
    public long EndOffset { get; set; }

    /// <summary>
    /// Whether what the batch says - where it stands now - could not be told from the data and the position before it alone, because it depended on the
    /// moment: a partition has had nothing for a while, or has records again, or is new. Reading again from before it may find otherwise.
    /// </summary>
    public bool IsDecision { get; set; }

    /// <summary>The records rejected, in their order among the accepted ones.</summary>
    public IReadOnlyList<RejectedRecord> Rejected => _rejected;

    /// <summary>Whether every record is its features alone: weight 1, no target, label, key or time.</summary>
    public bool IsFeaturesOnly => !_hasMore;

    /// <summary>D values of a record; NaN = missing.</summary>
    public ReadOnlySpan<double> Row(int row) => _values.AsSpan(row * Dimension, Dimension);

    /// <summary>All values, row-major, Count x D.</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count * Dimension);

    /// <summary>The position after a record: where reading goes on when it was the last one used.</summary>
    public long NextOffset(int row) => _nextOffsets[row];

    /// <summary>The partition's position after a record: what the state holds when that record was the last one used.</summary>
    public PartitionPosition PositionAfter(int row) => At(_nextOffsets[row], row + 1);

    /// <summary>The partition's position after everything that was read for this batch.</summary>
    public PartitionPosition EndPosition => At(EndOffset, Count);

    /// <summary>Weight of a record; 1 without a weight field.</summary>
    public double Weight(int row) => _hasMore ? _weights[row] : 1;

    /// <summary>Target of a record; NaN without.</summary>
    public double Target(int row) => _hasMore ? _targets[row] : double.NaN;

    /// <summary>Label of a record; null when unlabelled. The same label is the same string object.</summary>
    public string? Label(int row) => _hasMore ? _labels[row] : null;

    /// <summary>Key of a record; null without.</summary>
    public string? Key(int row) => _hasMore ? _keys[row] : null;

    /// <summary>Event time in milliseconds since 1970; <see cref="NoTimestamp"/> without.</summary>
    public long Timestamp(int row) => _hasMore ? _timestamps[row] : NoTimestamp;

    /// <summary>Forgets all records and names the partition of those to come.</summary>
    public void Clear(string partitionName, string? identity = null, long offset = 0) => Clear(partitionName, new PartitionPosition(offset, identity));

    /// <summary>Forgets all records and names the partition of those to come and where it stands.</summary>
    public void Clear(string partitionName, PartitionPosition start)
    {
        Count = 0;
        IsDecision = false;
        _hasMore = false;
        _rejected.Clear();
        _rejectedCharacters = 0;
        PartitionName = partitionName;
        Start = start;
        EndOffset = start.Next;
    }

    /// <summary>Where the decoder writes the D values of the next record; <see cref="Commit(long)"/> takes it.</summary>
    public Span<double> NextRow => _values.AsSpan(Count * Dimension, Dimension);

    /// <summary>Takes the record whose values are in <see cref="NextRow"/> and who has nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(long nextOffset)
    {
        _nextOffsets[Count] = nextOffset;
        if (_hasMore) SetMore(Count, 1, double.NaN, null, null, NoTimestamp);
        Count++;
        EndOffset = nextOffset;
    }

    /// <summary>Takes the record whose values are in <see cref="NextRow"/>.</summary>
    public void Commit(long nextOffset, double weight, double target = double.NaN, string? label = null, string? key = null, long timestamp = NoTimestamp)
    {
        if (!_hasMore)
        {
            for (int row = 0; row < Count; row++) SetMore(row, 1, double.NaN, null, null, NoTimestamp);
            _hasMore = true;
        }
        _nextOffsets[Count] = nextOffset;
        SetMore(Count, weight, target, label, key, timestamp);
        Count++;
        EndOffset = nextOffset;
    }

    private void SetMore(int row, double weight, double target, string? label, string? key, long timestamp)
    {
        _weights[row] = weight;
        _targets[row] = target;
        _labels[row] = label;
        _keys[row] = key;
        _timestamps[row] = timestamp;
    }

    /// <summary>Keeps a rejected record aside.</summary>
    public void Reject(RejectionReason reason, string detail, long offset, long nextOffset, string text)
    {
        _rejected.Add(new RejectedRecord(reason, detail, PartitionName, offset, text, Count));
        _rejectedCharacters += text.Length;
        EndOffset = nextOffset;
    }

    /// <summary>Keeps the message that the last rejected records came in.</summary>
    /// <param name="first">Index of the first of them in <see cref="Rejected"/>.</param>
    /// <param name="original">The message.</param>
    public void KeepOriginal(int first, OriginalMessage original)
    {
        for (int i = first; i < _rejected.Count; i++) _rejected[i] = _rejected[i] with { Original = original };
        _rejectedCharacters += original.Value.Length;
    }

    private PartitionPosition At(long next, int used) =>
        Start.Turn is null ? Start with { Next = next } : Start with { Next = next, Turn = Start.Turn with { Left = Start.Turn.Left - used } };
}
