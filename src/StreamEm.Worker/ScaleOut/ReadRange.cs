using StreamEm.Sources;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>What a worker has read of a partition since its last message.</summary>
/// <param name="rejected">Where rejected records go.</param>
internal sealed class ReadRange(RejectionSink rejected)
{
    private readonly RejectionLedger _rejections = new(new RejectionCounts());
    private readonly long[] _reasons = new long[Enum.GetValues<RejectionReason>().Length];

    /// <summary>The partition.</summary>
    public string Partition { get; set; } = "";

    /// <summary>Behind the last record.</summary>
    public PartitionPosition End { get; set; } = new(0);

    /// <summary>Records, rejected ones among them.</summary>
    public long Read { get; private set; }

    /// <summary>Of these, rejected ones by reason.</summary>
    public IReadOnlyList<long> Rejected => [.. _reasons];

    /// <summary>What their messages say of where they come from.</summary>
    public TraceLinks Links { get; } = new();

    /// <summary>Counts records.</summary>
    public void Accept(RecordBatch batch, int first, int count)
    {
        _rejections.Accept(batch, first, count);
        Links.Add(batch, first, count);
        Read += count;
    }

    /// <summary>Counts and keeps a rejected record.</summary>
    public void Reject(RejectedRecord record)
    {
        _rejections.Reject(record.Reason);
        _reasons[(int)record.Reason]++;
        Read++;
        rejected.Write(record);
    }

    /// <summary>Why too many were rejected; null while they are not.</summary>
    /// <param name="limit">The share that is too many.</param>
    public string? Excess(double limit) => _rejections.Excess(limit, atEnd: false);

    /// <summary>Begins anew.</summary>
    public void Forget()
    {
        Read = 0;
        Links.Clear();
        Array.Clear(_reasons);
    }
}
