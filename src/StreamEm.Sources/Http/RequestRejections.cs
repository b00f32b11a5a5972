namespace StreamEm.Sources.Http;

/// <summary>The records of one request that cannot be used: how many for which reason, and the first of them.</summary>
public sealed class RequestRejections
{
    /// <summary>How many of them are told.</summary>
    public const int MostTold = 5;

    private const int MaxDetail = 300;

    private readonly SortedDictionary<RejectionReason, int> _reasons = [];
    private readonly List<RequestRejection> _first = [];

    /// <summary>Number of records that cannot be used.</summary>
    public int Count { get; private set; }

    /// <summary>How many for which reason.</summary>
    public IReadOnlyDictionary<RejectionReason, int> Reasons => _reasons;

    /// <summary>The first of them.</summary>
    public IReadOnlyList<RequestRejection> First => _first;

    /// <summary>Adds those of a batch.</summary>
    /// <param name="batch">Some records of the request.</param>
    /// <param name="before">Records of the request before those of the batch.</param>
    public void Add(RecordBatch batch, int before)
    {
        for (int i = 0; i < batch.Rejected.Count; i++)
        {
            RejectedRecord record = batch.Rejected[i];
            Count++;
            _reasons[record.Reason] = _reasons.GetValueOrDefault(record.Reason) + 1;
            if (_first.Count == MostTold) continue;
            string detail = record.Detail.Length > MaxDetail ? string.Concat(record.Detail.AsSpan(0, MaxDetail), "...") : record.Detail;
            _first.Add(new RequestRejection(before + i + record.BeforeRow, record.Reason, detail));
        }
    }
}

/// <summary>One record of a request that cannot be used.</summary>
/// <param name="Record">Its number in the request, from 0.</param>
/// <param name="Reason">From the closed list.</param>
/// <param name="Detail">What was found and expected.</param>
public readonly record struct RequestRejection(int Record, RejectionReason Reason, string Detail);
