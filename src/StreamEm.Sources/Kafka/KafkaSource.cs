using StreamEm.Core.Features;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// Records from topics. Partitions are assigned explicitly, from the positions given; the consumer group's offsets are only a report to lag
/// tools. The order of records is round robin over the partitions (<see cref="TurnOrder"/>) and depends on the positions and the topics'
/// content, but for one thing that only time can tell: that a partition is idle, or has records again, or is new. Each such decision is a
/// position of its own, so that it is in the state with everything that was learned after it.
/// </summary>
public sealed class KafkaSource : RecordSource
{
    private readonly KafkaSourceOptions _options;
    private readonly SourceContext _context;
    private readonly MessageDecoder _decoder;
    private readonly KafkaInbox _inbox;
    private readonly KafkaPoller _poller;
    private readonly TurnOrder _order;
    private readonly Dictionary<KafkaPartition, Chunk> _chunks = [];
    private readonly SharedTurns? _shared;
    private bool _hasJoined;
    private long _tombstones;

    /// <summary>Connects to nobody yet; what cannot be found out without the brokers is told by <see cref="ReadAsync"/>.</summary>
    /// <param name="options">Which topics of which brokers.</param>
    /// <param name="context">The records' fields, where to go on, and whether and where to end.</param>
    /// <exception cref="SourceException">Options and schema cannot be used.</exception>
    public KafkaSource(KafkaSourceOptions options, SourceContext context)
    {
        (_options, _context) = (options, context with { Position = context.Position.Copy() });
        _decoder = new MessageDecoder(options, context.Schema, context.KeepOriginals, context.Time, context.KeepTraces);
        _order = new TurnOrder(context.MinibatchSize, isShared: options.Only is not null);
        _inbox = new KafkaInbox(context.Time);
        _shared = SharedTurns.Of(options, context, _order, _inbox, partition => _chunks[partition].HasMore);
        _poller = new KafkaPoller(options, _context, _decoder.Fields, _inbox);
    }

    /// <summary>Why options and schema cannot be used together; null when they can. Nobody is asked.</summary>
    public static string? Refusal(KafkaSourceOptions options, RecordSchema schema)
    {
        try
        {
            using var decoder = new MessageDecoder(options, schema, keepsOriginals: false, TimeProvider.System);
            return null;
        }
        catch (SourceException refusal)
        {
            return refusal.Message;
        }
    }

    /// <inheritdoc/>
    public override bool IsReplayable => true;

    /// <inheritdoc/>
    public override string? Problem => _poller.Problem ?? _decoder.Problem;

    /// <summary>Messages without a value that were passed over.</summary>
    public long Tombstones => Interlocked.Read(ref _tombstones);

    /// <inheritdoc/>
    public override SourceProgress Progress => new(_poller.Progress, Tombstones, _poller.PausedPartitions);

    /// <summary>
    /// Connects and begins to read ahead, on a thread of its own; the first <see cref="ReadAsync"/> does it when nobody has.
    /// </summary>
    internal void Start()
    {
        if (!IsFed) _poller.Start();
    }

    /// <summary>Whether somebody else puts messages into <see cref="Inbox"/>, and no broker is asked.</summary>
    internal bool IsFed { get; init; }

    /// <summary>What was read and not yet used.</summary>
    internal KafkaInbox Inbox => _inbox;

    /// <summary>How many rounds of polls were made: grows as long as the client's thread is alive.</summary>
    internal long Rounds => _poller.Rounds;

    /// <summary>What was read and not yet used, in bytes.</summary>
    internal long BytesAhead => _inbox.Bytes;

    /// <inheritdoc/>
    public override void Acknowledge(SourcePosition durable) => _poller.Commit(durable.Copy());

    /// <inheritdoc/>
    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        Start();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long seen = _inbox.Changes;
            if (TryJoin(batch) || TryWake(batch)) return true;
            if (!_order.MoveNext())
            {
                if (_context.Once && _hasJoined && _order.Partitions.All(partition => partition.IsDone))
                {
                    batch.Clear("");
                    return false;
                }

                await WaitAsync(null, seen, null, cancellationToken).ConfigureAwait(false);
                continue;
            }

            KafkaPartition partition = _order.Current!;
            if (Refill(partition) is { HasMore: true } chunk)
            {
                if (Decode(partition, chunk, batch) is not { } lacking) return true;
                await _decoder.LearnAsync(lacking, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (TryPassOver(partition, batch, out TimeSpan? wait)) return true;
            await WaitAsync(partition, seen, wait, cancellationToken).ConfigureAwait(false);
        }
    }

    private ValueTask WaitAsync(KafkaPartition? partition, long seen, TimeSpan? atMost, CancellationToken cancellationToken) =>
        _shared?.WaitAsync(partition, seen, atMost, cancellationToken) ?? _inbox.WaitAsync(partition, seen, atMost, cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _poller.DisposeAsync().ConfigureAwait(false);
        _decoder.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Takes a new partition into the rotation; its position is worth keeping before anything is learned from it.</summary>
    private bool TryJoin(RecordBatch batch)
    {
        if (!_inbox.TryTakeJoined(out KafkaPartition? partition)) return false;
        _hasJoined = true;
        _order.Add(partition!);
        _chunks.Add(partition!, new Chunk());
        Decide(partition!, batch);
        return true;
    }

    /// <summary>Between two turns, takes a partition back into the rotation that was idle and has records again.</summary>
    private bool TryWake(RecordBatch batch)
    {
        if (_order.Current is not null && _order.Left > 0) return false;
        foreach (KafkaPartition partition in _order.Partitions)
        {
            if (!partition.IsIdle) continue;
            if (_shared?.IsDue(partition) ?? _inbox.HasMessages(partition)) TurnOrder.Wake(partition);
            else if (_shared?.TryReachEnd(partition) != true) continue;
            Decide(partition, batch);
            return true;
        }

        return false;
    }

    /// <summary>
    /// Ends the turn of a partition that has nothing: because a drained run has read all of it, or because it is idle, or gives way.
    /// </summary>
    private bool TryPassOver(KafkaPartition partition, RecordBatch batch, out TimeSpan? wait)
    {
        wait = null;
        (long Offset, TimeSpan Since)? end = _inbox.EndOf(partition) is { } told && told.Offset >= partition.Position.Next ? told : null;
        if (_shared?.GivesWay(partition, isAtEnd: end is not null) == true)
        {
            Rest(partition, batch);
            return true;
        }

        if (end is not (var offset, var since)) return false;
        if (partition.Position.End is { } last)
        {
            // Between the last record and the end there may be offsets without a record: transaction markers, compacted records.
            if (offset < last) return false;
            partition.Position = partition.Position with { Next = last };
            batch.Clear(partition.Name, partition.Position);
        }
        else
        {
            if (_options.IdleAfter is not { } idleAfter) return false;
            wait = idleAfter - since;
            if (wait > TimeSpan.Zero) return false;
            Rest(partition, batch);
        }

        return true;
    }

    private void Rest(KafkaPartition partition, RecordBatch batch)
    {
        TurnOrder.Rest(partition);
        _shared?.Rest(partition);
        Decide(partition, batch);
    }

    private static void Decide(KafkaPartition partition, RecordBatch batch)
    {
        batch.Clear(partition.Name, partition.Position);
        batch.IsDecision = true;
    }

    private Chunk Refill(KafkaPartition partition)
    {
        Chunk chunk = _chunks[partition];
        if (!chunk.HasMore && _inbox.HasMessages(partition)) chunk.Refill(_inbox, partition);
        return chunk;
    }

    /// <summary>Decodes messages until the turn, the batch or the chunk ends.</summary>
    /// <returns>The schema that the first message needs, which was not decoded; null when something was done.</returns>
    private int? Decode(KafkaPartition partition, Chunk chunk, RecordBatch batch)
    {
        batch.Clear(partition.Name, partition.Position);
        int? lacking = null;
        int left = _order.Left;
        long end = partition.Position.End ?? long.MaxValue;
        while (chunk.HasMore && batch.Count < left && !batch.IsFull)
        {
            ref readonly KafkaMessage message = ref chunk.Peek();
            if (message.Offset >= end)
            {
                batch.EndOffset = end;
                break;
            }

            if (message.IsGap)
            {
                if (batch.Count > 0 || batch.Rejected.Count > 0) break;
                PartitionPosition before = partition.Position;
                batch.Clear(partition.Name,
                    before with { Next = message.Offset, Skipped = (before.Skipped ?? 0) + Math.Max(0, message.Offset - before.Next) });
                chunk.Advance();
                continue;
            }

            if (!message.Value.IsNull && _decoder.Lacks(message) is { } schema)
            {
                if (batch.EndOffset == partition.Position.Next && batch.Rejected.Count == 0) lacking = schema;
                break;
            }

            chunk.Advance();
            CountBytes(message.Bytes);
            if (message.Value.IsNull)
            {
                Interlocked.Increment(ref _tombstones);
                batch.EndOffset = message.Offset + 1;
                continue;
            }

            batch.EndOffset = message.Offset;
            int rejected = batch.Rejected.Count;
            _decoder.Decode(message, batch);
            if (_context.KeepOriginals && batch.Rejected.Count > rejected) batch.KeepOriginal(rejected, Original(partition, message));
        }

        chunk.Release(_inbox);
        partition.Position = batch.EndPosition;
        return lacking;
    }

    private static OriginalMessage Original(KafkaPartition partition, in KafkaMessage message) => new(
        partition.Id.Topic, partition.Id.Number, message.Key.IsNull ? null : message.Key.Span.ToArray(), message.Value.Span.ToArray(),
        [.. message.Headers?.Select(header => new KeyValuePair<string, byte[]?>(header.Key, header.GetValueBytes())) ?? []],
        message.Timestamp);

    /// <summary>Messages of one partition taken from the inbox, and how far they are used.</summary>
    private sealed class Chunk
    {
        private List<KafkaMessage> _messages = [];
        private long _used;
        private int _next;

        public bool HasMore => _next < _messages.Count;

        public ref readonly KafkaMessage Peek() => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_messages)[_next];

        public void Advance() => _used += System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_messages)[_next++].Bytes;

        public void Refill(KafkaInbox inbox, KafkaPartition partition) => (_messages, _next) = (inbox.Take(partition, _messages), 0);

        /// <summary>
        /// Makes room for as many bytes as were used since the last time: reading goes on while a large chunk is worked off.
        /// </summary>
        public void Release(KafkaInbox inbox)
        {
            inbox.Release(_used);
            _used = 0;
            if (HasMore) return;
            _messages.Clear();
            _next = 0;
        }
    }
}
