namespace StreamEm.Sources.Http;

/// <summary>
/// Records pushed from outside with <see cref="TryPush"/>, from any thread; decoded at once, so that the sender learns what was rejected,
/// and kept in a queue bounded in records and bytes until they are read. The partition is <c>http</c>; positions count the records.
/// </summary>
public sealed class HttpPushSource : RecordSource
{
    /// <summary>Name of the only partition.</summary>
    public const string PartitionName = "http";

    private readonly Lock _gate = new();
    private readonly RequestDecoder _requests;
    private readonly PushQueue _queue;
    private readonly RejectionBudget _budget;
    private readonly List<RecordBatch> _decoded = [];
    private readonly long[] _requestsOf = new long[Enum.GetValues<PushStatus>().Length];
    private readonly bool _isFiltered;
    private long _next, _filteredOut;
    private bool _completed;
    private PushQueue.Waiting? _reading;
    private BatchCopy? _rest;

    /// <summary>Goes on counting at the context's position.</summary>
    public HttpPushSource(HttpSourceOptions options, SourceContext context)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.CapacityRecords);
        _isFiltered = context.Schema.Where is not null;
        _requests = new RequestDecoder(context.Schema);
        _queue = new PushQueue(context.Schema, options.CapacityRecords, options.CapacityBytes);
        _budget = new RejectionBudget(context.Time);
        _next = context.Position.Partitions.TryGetValue(PartitionName, out PartitionPosition? position) ? position.Next : 0;
    }

    /// <inheritdoc/>
    public override bool IsReplayable => false;

    /// <inheritdoc/>
    public override bool IsPushed => true;

    /// <summary>Number of records that wait to be read, rejected ones included.</summary>
    public int Queued
    {
        get
        {
            lock (_gate) return _queue.Records;
        }
    }

    /// <summary>Records passed over since the source was opened because the model is not about them.</summary>
    public long FilteredOut => Interlocked.Read(ref _filteredOut);

    /// <summary>Requests that had this answer, since the source was opened.</summary>
    public long Requests(PushStatus status) => Interlocked.Read(ref _requestsOf[(int)status]);

    /// <summary>Takes the records of one request, all of them or none.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="format">How it is written.</param>
    /// <param name="isThrottled">Whether too large a share of the records is rejected at present: then only so much of what cannot be
    /// used is kept (<see cref="RejectionBudget"/>), and a request that goes beyond it is not taken.</param>
    /// <param name="trace">The trace that the request is part of, and its records with it; none where nobody follows it.</param>
    public PushResult TryPush(
        ReadOnlySpan<byte> body, RequestFormat format, bool isThrottled = false, RecordTrace trace = default)
    {
        PushResult result;
        lock (_gate) result = Push(body, format, isThrottled, trace);
        Interlocked.Increment(ref _requestsOf[(int)result.Status]);
        return result;
    }

    /// <inheritdoc/>
    public override bool Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _queue.Complete();
        }
        return true;
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        batch.Clear(PartitionName);
        while (_rest is null && !TryTake())
        {
            if (!await _queue.WaitAsync(cancellationToken).ConfigureAwait(false) && !TryTake()) return false;
        }
        int copied = _rest!.Value.CopyTo(batch, out _rest);
        lock (_gate) _queue.Done(_reading!, copied, isLast: _rest is null);
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Complete();
        return base.DisposeAsync();
    }

    private bool TryTake()
    {
        lock (_gate)
        {
            if (!_queue.TryTake(out _reading)) return false;
        }
        _rest = new BatchCopy(_reading.Batch);
        return true;
    }

    private PushResult Push(ReadOnlySpan<byte> body, RequestFormat format, bool isThrottled, RecordTrace trace)
    {
        if (_completed) return new PushResult(PushStatus.Closed, 0, 0, "the source has ended and takes no more records");
        if (!_requests.TryBegin(body, format, out string? problem)) return new PushResult(PushStatus.Malformed, 0, 0, problem);
        int count = _requests.Count;
        long bytes = _queue.BytesOf(count, body.Length);
        if (count > _queue.Capacity || bytes > _queue.CapacityBytes)
            return new PushResult(PushStatus.TooMany, 0, 0,
                FormattableString.Invariant($"the request has {Many(count)} records, at most {_queue.Capacity} in ")
                    + FormattableString.Invariant($"{_queue.CapacityBytes >> 20} MiB of memory fit; send fewer at once"));
        if (count > _queue.Capacity - _queue.Records || bytes > _queue.CapacityBytes - _queue.Bytes)
            return new PushResult(PushStatus.Full, 0, 0,
                FormattableString.Invariant(
                    $"{_queue.Records} records wait, {count} more do not fit in {_queue.Capacity}; send them again later"));
        RequestRejections? rejections = Decode(body, out int accepted);
        PushResult result = Judge(accepted, rejections, isThrottled);
        if (result.AreKept) CountBytes(body.Length);
        if (_isFiltered)
        {
            result = result with { FilteredOut = _decoded.Sum(batch => batch.FilteredOut) };
            Interlocked.Add(ref _filteredOut, result.FilteredOut.Value);
        }
        foreach (RecordBatch batch in _decoded)
        {
            if (result.AreKept && batch.Count + batch.Rejected.Count > 0)
            {
                batch.Number(_next);
                batch.KeepTrace(0, trace);
                _next += batch.Count + batch.Rejected.Count;
                _queue.Add(batch, bytes / _decoded.Count);
            }
            else
            {
                _queue.Return(batch);
            }
        }
        _decoded.Clear();
        return result;
    }

    private RequestRejections? Decode(ReadOnlySpan<byte> body, out int accepted)
    {
        RequestRejections? rejections = null;
        bool isMore = true;
        for (accepted = 0; isMore;)
        {
            RecordBatch batch = _queue.Rent();
            isMore = _requests.Decode(body, batch);
            _decoded.Add(batch);
            if (batch.Rejected.Count > 0) (rejections ??= new RequestRejections()).Add(batch, accepted + rejections.Count);
            accepted += batch.Count;
        }
        return rejections;
    }

    private PushResult Judge(int accepted, RequestRejections? rejections, bool isThrottled)
    {
        if (rejections is null) return new PushResult(PushStatus.Taken, accepted, 0) { AreKept = true };
        long characters = _decoded.Sum(batch => batch.RejectedCharacters) + (long)RejectionBudget.PerRecord * rejections.Count;
        bool areKept = !isThrottled || _budget.TryTake(characters);
        PushStatus status = accepted == 0 ? PushStatus.Unusable : areKept ? PushStatus.Taken : PushStatus.Throttled;
        return new PushResult(status, status == PushStatus.Taken ? accepted : 0, rejections.Count)
        { Rejections = rejections, AreKept = areKept };
    }

    private static string Many(int count) => count > RequestDecoder.MaxRecords
        ? FormattableString.Invariant($"more than {RequestDecoder.MaxRecords}")
        : FormattableString.Invariant($"{count}");
}
