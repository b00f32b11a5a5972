using System.Threading.Channels;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Http;

/// <summary>
/// Records pushed from outside with <see cref="TryPush"/>, from any thread; decoded at once, so that the sender learns what was rejected, and
/// kept in a bounded queue until they are read. The partition is <c>http</c>; positions count the records.
/// </summary>
public sealed class HttpPushSource : RecordSource
{
    /// <summary>Name of the only partition.</summary>
    public const string PartitionName = "http";

    private const int BatchRecords = 1024;

    private readonly Lock _gate = new();
    private readonly NdjsonDecoder _decoder;
    private readonly int _dimension, _capacity;
    private readonly Channel<RecordBatch> _queue = Channel.CreateUnbounded<RecordBatch>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Stack<RecordBatch> _free = [];
    private readonly List<RecordBatch> _decoded = [];
    private readonly List<Range> _ranges = [];
    private int _queued;
    private long _next;
    private bool _completed;
    private BatchCopy? _reading;

    /// <summary>Goes on counting at the context's position.</summary>
    public HttpPushSource(HttpSourceOptions options, SourceContext context)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.CapacityRecords);
        _decoder = new NdjsonDecoder(context.Schema);
        _dimension = context.Schema.Features.Count;
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
    public PushResult TryPush(ReadOnlySpan<byte> body, PushFormat format)
    {
        lock (_gate)
        {
            if (_completed) return new PushResult(PushStatus.Closed, 0, 0, "the source has ended and takes no more records");
            string? problem = Find(body, format);
            if (problem is not null) return new PushResult(PushStatus.Malformed, 0, 0, problem);
            if (_ranges.Count > _capacity)
                return new PushResult(PushStatus.TooMany, 0, 0, FormattableString.Invariant($"the request has {_ranges.Count} records, at most {_capacity} fit; send fewer at once"));
            if (_ranges.Count > _capacity - _queued)
                return new PushResult(PushStatus.Full, 0, 0, FormattableString.Invariant($"{_queued} records wait, {_ranges.Count} more do not fit in {_capacity}; send them again later"));
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

    private string? Find(ReadOnlySpan<byte> body, PushFormat format)
    {
        _ranges.Clear();
        if (format == PushFormat.Json) return JsonRecords.TryFind(body, _ranges, out string? problem) ? null : problem;
        int at = body.StartsWith("\uFEFF"u8) ? 3 : 0;
        while (at < body.Length)
        {
            int end = body[at..].IndexOf((byte)'\n');
            int next = end < 0 ? body.Length : at + end + 1;
            if (!body[at..next].Trim(" \t\r\n"u8).IsEmpty) _ranges.Add(at..next);
            at = next;
        }
        return null;
    }

    private PushResult Take(ReadOnlySpan<byte> body)
    {
        int rejected = 0;
        foreach (Range range in _ranges)
        {
            if (_decoded.Count == 0 || _decoded[^1].IsFull) _decoded.Add(Rent());
            Range record = range.Start..(range.Start.Value + body[range].TrimEnd("\r\n"u8).Length);
            if (!_decoder.DecodeMessage(body, record, _next, _next + 1, _decoded[^1], RecordDefaults.None)) rejected++;
            _next++;
        }
        foreach (RecordBatch batch in _decoded) _queue.Writer.TryWrite(batch);
        _decoded.Clear();
        _queued += _ranges.Count;
        return new PushResult(PushStatus.Taken, _ranges.Count - rejected, rejected);
    }

    private RecordBatch Rent()
    {
        if (!_free.TryPop(out RecordBatch? batch)) batch = new RecordBatch(_dimension, BatchRecords);
        batch.Clear(PartitionName, identity: null, _next);
        return batch;
    }
}
