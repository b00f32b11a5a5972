using System.Runtime.CompilerServices;
using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources;

/// <summary>
/// Decoded records of one partition in their order, with the position after each, and the records rejected between them. Filled by a
/// <see cref="RecordSource"/>, read by the worker, then cleared and filled again: in steady state nothing is allocated.
/// </summary>
public sealed class RecordBatch
{
    /// <summary>Text of rejected records, in characters, that makes a batch full: a file of rubbish must not fill the memory.</summary>
    private const int MaxRejectedCharacters = 4 << 20;

    private List<RejectedRecord> _rejected = [];
    private readonly List<MovedPartition> _moved = [];
    private long _rejectedCharacters;
    private long[] _offsets, _nextOffsets;
    private OptionalFields[] _unread = [];
    private bool _anyUnread;
    private RecordTrace[] _traces = [];

    /// <summary>Texts beyond which the table is begun anew: a stream of ever new keys must not fill the memory.</summary>
    private const int MaxTexts = 1 << 16;

    /// <summary>Bytes of texts beyond which the table is begun anew.</summary>
    private const long MaxTextBytes = 4 << 20;

    /// <summary>The value of <see cref="Minibatch.Timestamp"/> for a record without one.</summary>
    public const long NoTimestamp = Minibatch.NoTimestamp;

    /// <summary>Room for <paramref name="capacity"/> records of <paramref name="dimension"/> features.</summary>
    /// <param name="dimension">D.</param>
    /// <param name="capacity">The most records it takes.</param>
    /// <param name="textFeatures">The features whose values are numbers of texts (levels).</param>
    public RecordBatch(int dimension, int capacity = 1024, IReadOnlyList<int>? textFeatures = null)
    {
        Capacity = capacity;
        Records = new Minibatch(dimension, capacity, new TextTable(), textFeatures);
        _offsets = new long[capacity];
        _nextOffsets = new long[capacity];
    }

    /// <summary>Room for records of a schema.</summary>
    public RecordBatch(RecordSchema schema, int capacity = 1024)
        : this(schema.Width, capacity,
            [.. Enumerable.Range(0, schema.Width).Where(d => schema.KindOf(d) is FeatureKind.Level or FeatureKind.Terms)])
    {
    }

    /// <summary>The records: features, weights, targets; labels, keys and levels as numbers of texts.</summary>
    public Minibatch Records { get; private set; }

    /// <summary>What labels, keys and levels are numbers of.</summary>
    public TextTable Texts => Records.Texts!;

    /// <summary>Number of features D.</summary>
    public int Dimension => Records.Dimension;

    /// <summary>The most records it can hold.</summary>
    public int Capacity { get; }

    /// <summary>Number of records.</summary>
    public int Count => Records.Count;

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
    /// Whether what the batch says - where it stands now - could not be told from the data and the position before it alone, because it
    /// depended on the moment: a partition has had nothing for a while, or has records again, or is new. Reading again from before it may
    /// find otherwise.
    /// </summary>
    public bool IsDecision { get; set; }

    /// <summary>
    /// What the state is told of other partitions before the first record: those whose name, or whose place, changed without being read.
    /// </summary>
    public IReadOnlyList<MovedPartition> Moved => _moved;

    /// <summary>The records rejected, in their order among the accepted ones.</summary>
    public IReadOnlyList<RejectedRecord> Rejected => _rejected;

    /// <summary>Number of records passed over because the model is not about them (<c>where</c>).</summary>
    public int FilteredOut { get; private set; }

    /// <summary>Characters of the rejected records' texts.</summary>
    internal long RejectedCharacters => _rejectedCharacters;

    /// <summary>D values of a record; NaN = missing.</summary>
    public ReadOnlySpan<double> Row(int row) => Records.Row(row);

    /// <summary>A record's own offset: of a message the topic's; of a text the byte at which its line begins.</summary>
    public long Offset(int row) => _offsets[row];

    /// <summary>The position after a record: where reading goes on when it was the last one used.</summary>
    public long NextOffset(int row) => _nextOffsets[row];

    /// <summary>The partition's position after a record: what the state holds when that record was the last one used.</summary>
    public PartitionPosition PositionAfter(int row) => At(_nextOffsets[row], row + 1);

    /// <summary>The partition's position after everything that was read for this batch.</summary>
    public PartitionPosition EndPosition => At(EndOffset, Count);

    /// <summary>Label of a record; null when unlabelled.</summary>
    public string? Label(int row) => Texts.Find(Records.Label(row));

    /// <summary>Key of a record; null without.</summary>
    public string? Key(int row) => Texts.Find(Records.Key(row));

    /// <summary>Whether some record came with a trace.</summary>
    public bool HasTraces { get; private set; }

    /// <summary>The trace that a record came with.</summary>
    public RecordTrace Trace(int row) => HasTraces ? _traces[row] : default;

    /// <summary>Number of records whose field could not be read, of <paramref name="count"/> from <paramref name="first"/> on.</summary>
    public int CountUnread(OptionalFields field, int first, int count)
    {
        if (!_anyUnread) return 0;
        int unread = 0;
        foreach (OptionalFields fields in _unread.AsSpan(first, count))
            if ((fields & field) != OptionalFields.None) unread++;
        return unread;
    }

    /// <summary>Forgets all records and names the partition of those to come.</summary>
    public void Clear(string partitionName, string? identity = null, long offset = 0) =>
        Clear(partitionName, new PartitionPosition(offset, identity));

    /// <summary>Forgets all records and names the partition of those to come and where it stands.</summary>
    public void Clear(string partitionName, PartitionPosition start)
    {
        Records.Clear();
        if (Texts.Count > MaxTexts || Texts.Bytes > MaxTextBytes) Records.Texts = new TextTable();
        IsDecision = false;
        _moved.Clear();
        if (_anyUnread) Array.Clear(_unread);
        _anyUnread = false;
        if (HasTraces) Array.Clear(_traces);
        HasTraces = false;
        _rejected.Clear();
        _rejectedCharacters = 0;
        FilteredOut = 0;
        PartitionName = partitionName;
        Start = start;
        EndOffset = start.Next;
    }

    /// <summary>Where the decoder writes the D values of the next record; <see cref="Commit(long)"/> takes it.</summary>
    public Span<double> NextRow => Records.NextRow;

    /// <summary>Takes the record whose values are in <see cref="NextRow"/> and who has nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(long nextOffset)
    {
        _offsets[Records.Count] = EndOffset;
        _nextOffsets[Records.Count] = nextOffset;
        Records.Commit();
        EndOffset = nextOffset;
    }

    /// <summary>Takes the record whose values are in <see cref="NextRow"/>; label and key are numbers in <see cref="Texts"/>.</summary>
    public void Commit(
        long nextOffset, double weight, int label = Minibatch.Unlabelled, int key = Minibatch.NoKey,
        long timestamp = NoTimestamp, OptionalFields unread = OptionalFields.None)
    {
        if (unread != OptionalFields.None) SetUnread(unread);
        _offsets[Records.Count] = EndOffset;
        _nextOffsets[Records.Count] = nextOffset;
        Records.Commit(weight, label, key: key, timestamp: timestamp);
        EndOffset = nextOffset;
    }

    /// <summary>The record taken last is the last of its sequence.</summary>
    public void EndSequence() => Records.EndSequence();

    /// <summary>Passes over a record that the model is not about.</summary>
    public void FilterOut(long nextOffset)
    {
        FilteredOut++;
        EndOffset = nextOffset;
    }

    /// <summary>Takes a record of another batch, at its position there.</summary>
    internal void Take(RecordBatch other, int row)
    {
        _offsets[Records.Count] = other._offsets[row];
        _nextOffsets[Records.Count] = other.NextOffset(row);
        if (other._anyUnread && other._unread[row] is var unread and not OptionalFields.None) SetUnread(unread);
        Records.Append(other.Records, row, 1);
        KeepTrace(Count - 1, other.Trace(row));
        EndOffset = other.NextOffset(row);
    }

    /// <summary>Whether all records of another batch can be added, good and rejected ones.</summary>
    internal bool HasRoomFor(RecordBatch other) =>
        Count + other.Count < Capacity && _rejected.Count + other._rejected.Count < Capacity
            && _rejectedCharacters + other._rejectedCharacters < MaxRejectedCharacters
            && Texts.Bytes + other.Texts.Bytes < MaxTextBytes;

    /// <summary>Gives the records positions one after another, rejected ones at their place among the others.</summary>
    /// <param name="first">That of the first.</param>
    internal void Number(long first)
    {
        Start = new PartitionPosition(first);
        long next = first;
        int rejected = 0;
        for (int row = 0; row <= Count; row++)
        {
            for (; rejected < _rejected.Count && _rejected[rejected].BeforeRow <= row; rejected++)
                _rejected[rejected] = _rejected[rejected] with { Offset = next++ };
            if (row < Count) (_offsets[row], _nextOffsets[row]) = (next, ++next);
        }
        EndOffset = next;
    }

    /// <summary>Keeps a rejected record aside.</summary>
    public void Reject(RejectionReason reason, string detail, long offset, long nextOffset, string text)
    {
        _rejected.Add(new RejectedRecord(reason, detail, PartitionName, offset, text, Count));
        _rejectedCharacters += text.Length;
        EndOffset = nextOffset;
    }

    /// <summary>Takes the records, good and rejected, of another batch of the same shape and gives it its own.</summary>
    internal void Exchange(RecordBatch other)
    {
        if (other.Capacity != Capacity || other.Dimension != Dimension)
            throw new ArgumentException(
                $"The batch holds {other.Capacity} records of {other.Dimension} features; expected {Capacity} of {Dimension}.",
                nameof(other));
        (Records, other.Records) = (other.Records, Records);
        (_offsets, other._offsets) = (other._offsets, _offsets);
        (_nextOffsets, other._nextOffsets) = (other._nextOffsets, _nextOffsets);
        (_unread, other._unread) = (other._unread, _unread);
        (_anyUnread, other._anyUnread) = (other._anyUnread, _anyUnread);
        (_traces, other._traces) = (other._traces, _traces);
        (HasTraces, other.HasTraces) = (other.HasTraces, HasTraces);
        (_rejected, other._rejected) = (other._rejected, _rejected);
        (_rejectedCharacters, other._rejectedCharacters) = (other._rejectedCharacters, _rejectedCharacters);
        (FilteredOut, other.FilteredOut) = (other.FilteredOut, FilteredOut);
        (EndOffset, other.EndOffset) = (other.EndOffset, EndOffset);
    }

    /// <summary>Says what is now known of the partition that the batch is of, without its offsets.</summary>
    internal void Place(PartitionPosition start) => Start = start;

    /// <summary>Tells the state of another partition.</summary>
    internal void Move(MovedPartition moved) => _moved.Add(moved);

    /// <summary>Keeps the message that the last rejected records came in.</summary>
    /// <param name="first">Index of the first of them in <see cref="Rejected"/>.</param>
    /// <param name="original">The message.</param>
    public void KeepOriginal(int first, OriginalMessage original)
    {
        for (int i = first; i < _rejected.Count; i++) _rejected[i] = _rejected[i] with { Original = original };
        _rejectedCharacters += original.Value.Length;
    }

    /// <summary>Keeps the trace that the last records came with.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="trace">The trace; nothing is done for none.</param>
    public void KeepTrace(int first, RecordTrace trace)
    {
        if (trace.IsNone || first == Count) return;
        if (_traces.Length == 0) _traces = new RecordTrace[Capacity];
        HasTraces = true;
        _traces.AsSpan(first, Count - first).Fill(trace);
    }

    private void SetUnread(OptionalFields fields)
    {
        if (_unread.Length == 0) _unread = new OptionalFields[Capacity];
        _unread[Records.Count] = fields;
        _anyUnread = true;
    }

    private PartitionPosition At(long next, int used) =>
        Start.Turn is null
            ? Start with { Next = next }
            : Start with { Next = next, Turn = Start.Turn with { Left = Start.Turn.Left - used } };
}
