using System.Globalization;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Kafka;

/// <summary>
/// Writes messages to one topic, each once and in order (idempotent, acknowledged by all in-sync replicas), and says when they are there.
/// While the brokers do not answer the client tries again; how long is too long is the outage's word. Messages are sent by one thread at a
/// time.
/// </summary>
internal sealed class KafkaProducer : IAsyncDisposable
{
    /// <summary>What brokers take when nobody says otherwise.</summary>
    public const int DefaultMaxMessageBytes = 1_048_588;

    /// <summary>What the client takes at most.</summary>
    public const int MaxClientMessageBytes = 1_000_000_000;

    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    private readonly KafkaTarget _target;
    private readonly Outage _outage;
    private readonly TimeProvider _time;
    private readonly IProducer<byte[]?, byte[]?> _client;
    private readonly Lock _lock = new();
    private Delivery _delivery = new();
    private volatile Error? _lastError;
    private (TopicPartition Partition, long Offset, long Count)? _newest;
    private long _bytes;

    /// <summary>Makes the client; nothing is asked yet.</summary>
    /// <param name="target">The topic.</param>
    /// <param name="maxMessageBytes">The largest message the topic takes.</param>
    /// <param name="isBatched">Whether messages may share a batch; if not, a batch is never larger than its message.</param>
    /// <param name="outage">How long the brokers may be away.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="CommandException">There can be none with these properties (78).</exception>
    public KafkaProducer(KafkaTarget target, int maxMessageBytes, bool isBatched, Outage outage, TimeProvider time)
    {
        (_target, _outage, _time) = (target, outage, time);
        ProducerConfig config = target.Attempt(() => Configure(target, maxMessageBytes, isBatched));
        _client = target.Attempt(() =>
            new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { })
                .SetErrorHandler((_, error) => _lastError = KafkaTarget.IsTelling(error) ? error : _lastError).Build());
    }

    /// <summary>The configuration of the client; see the constructor.</summary>
    /// <exception cref="SourceException">A property is refused.</exception>
    public static ProducerConfig Configure(KafkaTarget target, int maxMessageBytes, bool isBatched)
    {
        var config = new ProducerConfig
        {
            MessageMaxBytes = maxMessageBytes,
            CompressionType = CompressionType.Zstd,
            LingerMs = isBatched ? 50 : 0,
            // Who sends bounds what is under way; a queue that is full would be the end.
            QueueBufferingMaxMessages = 0,
            QueueBufferingMaxKbytes = int.MaxValue,
            // The outage decides: a message that the client gave up by itself would be a gap.
            MessageTimeoutMs = 0,
            // But a topic that is gone is no outage: its messages fail, unless a broker may only not have heard of it yet.
            TopicMetadataPropagationMaxMs = 5000,
        };
        if (!isBatched) config.BatchNumMessages = 1;
        target.Configure(config);
        config.EnableIdempotence = true;
        config.Acks = Acks.All;
        return config;
    }

    /// <summary>Where the newest message is that is durable, and how many are; null before the first.</summary>
    public (TopicPartition Partition, long Offset, long Count)? Newest
    {
        get
        {
            lock (_lock) return _newest;
        }
    }

    /// <summary>Why nothing is acknowledged; null when all is well. Any thread.</summary>
    public string? Problem => _outage.Problem;

    /// <summary>Bytes sent and not acknowledged.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>
    /// Sends a message, with the context of the span that is under way where it has none yet; whether it arrived is told by the next
    /// <see cref="TakeDelivery"/>.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="written">Told its offset once it is durable, on the client's thread; null for nobody.</param>
    /// <param name="partition">Where it goes; null where its key says.</param>
    /// <exception cref="CommandException">It can never be sent.</exception>
    public void Send(Message<byte[]?, byte[]?> message, Action<long>? written = null, int? partition = null)
    {
        CarryTrace(message);
        Delivery delivery = _delivery;
        delivery.Add();
        long bytes = (message.Key?.Length ?? 0) + (message.Value?.Length ?? 0);
        Interlocked.Add(ref _bytes, bytes);
        _target.Attempt(() =>
        {
            _client.Produce(new TopicPartition(_target.Topic, partition ?? Partition.Any), message, report =>
            {
                Interlocked.Add(ref _bytes, -bytes);
                if (!report.Error.IsError)
                {
                    NoteDurable(report.TopicPartitionOffset);
                    written?.Invoke(report.Offset.Value);
                }

                delivery.Done(report.Error.IsError ? _target.FailureOf(report.Error) : null);
            });
            return true;
        });
    }

    /// <summary>Gives a message the context of the span that is under way, where it has none yet.</summary>
    public static void CarryTrace(Message<byte[]?, byte[]?> message)
    {
        if (WorkerTraces.Current is var context && context != default && TraceHeaders.Read(message.Headers).IsNone)
            TraceContext.Write(context, (message.Headers ??= new Headers()).Add);
    }

    /// <summary>
    /// The delivery of everything sent since the last call: ends when all of it is durable, faults when some of it never will be.
    /// </summary>
    public Task TakeDelivery()
    {
        Delivery taken = _delivery;
        _delivery = new Delivery();
        taken.Close();
        return taken.Completion;
    }

    /// <summary>Waits for a delivery while the outage allows it.</summary>
    /// <exception cref="CommandException">It failed, or the brokers were away for too long (69).</exception>
    public async Task WaitAsync(Task delivery, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            using var look = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task first = await Task.WhenAny(delivery, Task.Delay(LookEvery, _time, look.Token)).ConfigureAwait(false);
            await look.CancelAsync().ConfigureAwait(false);
            if (first == delivery) break;
            cancellationToken.ThrowIfCancellationRequested();
            Look(_time.GetElapsedTime(start));
        }

        await delivery.ConfigureAwait(false);
        NoteAnswer();
    }

    /// <summary>Looks at a delivery that nobody waits for.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="waited">For how long it has been the next to end.</param>
    /// <returns>Whether it has ended.</returns>
    /// <exception cref="CommandException">It failed, or the brokers were away for too long (69).</exception>
    public bool Look(Task delivery, TimeSpan waited)
    {
        if (!delivery.IsCompleted)
        {
            if (waited >= LookEvery) Look(waited);
            return false;
        }

        delivery.GetAwaiter().GetResult();
        NoteAnswer();
        return true;
    }

    private void NoteAnswer()
    {
        lock (_lock) _outage.End();
        _lastError = null;
    }

    /// <summary>Gives the client a little time to close; what it has not delivered then is lost to it, not to the caller.</summary>
    public async ValueTask DisposeAsync()
    {
        Task closing = Task.Factory
            .StartNew(_client.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAny(closing, Task.Delay(CloseDeadline, _time)).ConfigureAwait(false);
    }

    private void NoteDurable(TopicPartitionOffset place)
    {
        lock (_lock)
        {
            if (_newest is { } newest && newest.Offset >= place.Offset) _newest = newest with { Count = newest.Count + 1 };
            else _newest = (place.TopicPartition, place.Offset.Value, (_newest?.Count ?? 0) + 1);
        }
    }

    private void Look(TimeSpan waited) => _target.Attempt(() =>
    {
        lock (_lock)
        {
            if (_lastError is { } error)
            {
                if (error.IsFatal || KafkaClient.IsDenied(error.Code) || KafkaClient.IsGone(error.Code)) throw _target.FailureOf(error);
                _outage.Begin(error.Reason);
            }
            else if (waited > Silence)
            {
                _outage.Begin(string.Create(CultureInfo.InvariantCulture,
                    $"messages to topic '{_target.Topic}' have not been acknowledged for {waited.TotalSeconds:0} s"));
            }

            _outage.ThrowIfTooLong();
            return true;
        }
    });

    /// <summary>Messages sent together and what became of them.</summary>
    private sealed class Delivery
    {
        private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _open = 1;

        public Task Completion => _completion.Task;

        public void Add() => Interlocked.Increment(ref _open);

        public void Close() => Done(null);

        public void Done(CommandException? failure)
        {
            if (failure is not null) _completion.TrySetException(failure);
            if (Interlocked.Decrement(ref _open) == 0) _completion.TrySetResult();
        }
    }
}
