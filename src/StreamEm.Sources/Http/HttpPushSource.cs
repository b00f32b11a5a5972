using System.Threading.Channels;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Http;

/// <summary>
/// Records pushed from outside with <see cref="TryPush"/>, from any thread; decoded at once, so that the sender learns what was rejected,
/// and kept in a bounded queue until they are read. The partition is <c>http</c>; positions count the records.
/// </summary>
public sealed class HttpPushSource : RecordSource
{
    /// <summary>Name of the only partition.</summary>
    public const string PartitionName = "http";

    private const int BatchRecords = 1024;

    private readonly Lock _gate = new();
    private readonly RequestDecoder _requests;
    private readonly RecordSchema _schema;
    private readonly int _capacity;
    private readonly Channel<RecordBatch> _queue =
        Channel.CreateUnbounded<RecordBatch>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Stack<RecordBatch> _free = [];
    private readonly List<RecordBatch> _decoded = [];
    private int _queued;
    private long _next;
    private bool _completed;
    private BatchCopy? _reading;

    /// <summary>Goes on counting at the context's position.</summary>
    public HttpPushSource(HttpSourceOptions options, SourceContext context)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.CapacityRecords);
        _requests = new RequestDecoder(context.Schema);
        _schema = context.Schema;
        _capacity = options.CapacityRecords;
        _next = context.Position.Partitions.TryGetValue(PartitionName, out PartitionPosition? position) ? position.Next : 0;
    }

    /// <inheritdoc/>
    public override bool IsReplayable => false;

    /// <summary>Number of records that wait to be read, rejected ones included.</summary>
    public int Queued
    {
        get
        {
            lock (_gate) return _queued;
        }
    }

    /// <summary>Takes the records of one request, all of them or none.</summary>
    public PushResult TryPush(ReadOnlySpan<byte> body, RequestFormat format)
    {
        lock (_gate)
        {
            if (_completed) return new PushResult(PushStatus.Closed, 0, 0, "the source has ended and takes no more records");
            if (!_requests.TryFind(body, format, out string? problem)) return new PushResult(PushStatus.Malformed, 0, 0, problem);
            if (_requests.Count > _capacity)
                return new PushResult(PushStatus.TooMany, 0, 0,
                    FormattableString.Invariant($"the request has {_requests.Count} records, at most {_capacity} fit; send fewer at once"));
            if (_requests.Count > _capacity - _queued)
                return new PushResult(PushStatus.Full, 0, 0,
                    FormattableString.Invariant(
                        $"{_queued} records wait, {_requests.Count} more do not fit in {_capacity}; send them again later"));
            return Take(body);
        }
    }

    /// <inheritdoc/>
    public override bool Complete()
    {
        lock (_gate)
        {
            _completed = true;
            _queue.Writer.TryComplete();
        }
        return true;
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        batch.Clear(PartitionName);
        if (_reading is null)
        {
            RecordBatch? decoded;
            while (!_queue.Reader.TryRead(out decoded))
            {
                if (!await _queue.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false)) return false;
            }
            _reading = new BatchCopy(decoded);
        }
        int copied = _reading.Value.CopyTo(batch, out BatchCopy? rest);
        RecordBatch source = _reading.Value.Source;
        _reading = rest;
        lock (_gate)
        {
            _queued -= copied;
            if (rest is null) _free.Push(source);
        }
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        Complete();
        return base.DisposeAsync();
    }

    private PushResult Take(ReadOnlySpan<byte> body)
    {
        int rejected = 0;
        for (int i = 0; i < _requests.Count; i++)
        {
            if (_decoded.Count == 0 || _decoded[^1].IsFull) _decoded.Add(Rent());
            if (!_requests.Decode(body, i, _next, _decoded[^1])) rejected++;
            _next++;
        }
        foreach (RecordBatch batch in _decoded) _queue.Writer.TryWrite(batch);
        _decoded.Clear();
        _queued += _requests.Count;
        return new PushResult(PushStatus.Taken, _requests.Count - rejected, rejected);
    }

    private RecordBatch Rent()
    {
        if (!_free.TryPop(out RecordBatch? batch)) batch = new RecordBatch(_schema, BatchRecords);
        batch.Clear(PartitionName, identity: null, _next);
        return batch;
    }
}
