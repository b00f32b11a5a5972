using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Http;

/// <summary>
/// The records of requests that wait to be learned from, bounded in number and bytes. Small requests share a batch, so that a record costs
/// what a record holds. Its owner's lock guards it, but for <see cref="WaitAsync"/>.
/// </summary>
/// <param name="schema">Of the records.</param>
/// <param name="capacity">The most records.</param>
/// <param name="capacityBytes">The most bytes, as <see cref="BytesOf"/> counts them.</param>
internal sealed class PushQueue(RecordSchema schema, int capacity, long capacityBytes)
{
    private const int MostFree = 4;
    private const long MostFreeTextBytes = 1 << 16;
    private const int ValuesPerBatch = 1 << 17;

    /// <summary>A row's position, weight, label, target, key and time.</summary>
    private const int BytesPerRow = 48;

    private readonly LinkedList<Waiting> _waiting = [];
    private readonly Stack<RecordBatch> _free = [];
    private readonly int _batchRows = Math.Clamp(ValuesPerBatch / Math.Max(1, schema.Width), 16, 1024);
    private readonly Channel<bool> _arrived =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The most records.</summary>
    public int Capacity => capacity;

    /// <summary>The most bytes.</summary>
    public long CapacityBytes => capacityBytes;

    /// <summary>Records that wait, rejected ones included.</summary>
    public int Records { get; private set; }

    /// <summary>Bytes they may take.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// The most bytes that so many records of a body may take once decoded: their values, and their texts as UTF-8 and as UTF-16.
    /// </summary>
    public long BytesOf(int records, int bodyBytes) =>
        records * (long)(BytesPerRow + sizeof(double) * schema.Width) + 3L * bodyBytes;

    /// <summary>An empty batch.</summary>
    public RecordBatch Rent()
    {
        if (!_free.TryPop(out RecordBatch? batch)) batch = new RecordBatch(schema, _batchRows);
        batch.Clear(HttpPushSource.PartitionName);
        return batch;
    }

    /// <summary>Takes a batch back; few are kept.</summary>
    public void Return(RecordBatch batch)
    {
        if (_free.Count < MostFree && batch.Texts.Bytes <= MostFreeTextBytes) _free.Push(batch);
    }

    /// <summary>Lets a batch wait, or its records with others in one.</summary>
    /// <param name="batch">Rented, its records numbered; belongs to the queue.</param>
    /// <param name="bytes">What its records may take.</param>
    public void Add(RecordBatch batch, long bytes)
    {
        int records = batch.Count + batch.Rejected.Count;
        Records += records;
        Bytes += bytes;
        if (_waiting.Last?.Value is { } last && last.Batch.HasRoomFor(batch))
        {
            new BatchCopy(batch).CopyTo(last.Batch, out _);
            last.Bytes += bytes;
            Return(batch);
        }
        else
        {
            _waiting.AddLast(new Waiting(batch) { Bytes = bytes });
        }
        _arrived.Writer.TryWrite(true);
    }

    /// <summary>Takes the batch that waits longest; what it has is still counted until <see cref="Done"/>.</summary>
    public bool TryTake([NotNullWhen(true)] out Waiting? next)
    {
        next = _waiting.First?.Value;
        if (next is not null) _waiting.RemoveFirst();
        return next is not null;
    }

    /// <summary>Records of a batch taken are on their way to the learner.</summary>
    /// <param name="from">The batch.</param>
    /// <param name="records">How many.</param>
    /// <param name="isLast">Whether they were the last of the batch.</param>
    public void Done(Waiting from, int records, bool isLast)
    {
        Records -= records;
        if (!isLast) return;
        Bytes -= from.Bytes;
        Return(from.Batch);
    }

    /// <summary>Waits for the next record.</summary>
    /// <returns>False when no more will come.</returns>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (!await _arrived.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false)) return false;
        _arrived.Reader.TryRead(out _);
        return true;
    }

    /// <summary>No more records will come.</summary>
    public void Complete() => _arrived.Writer.TryComplete();

    /// <summary>A batch that waits.</summary>
    internal sealed class Waiting(RecordBatch batch)
    {
        public RecordBatch Batch => batch;

        public long Bytes { get; set; }
    }
}
