using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// The one thread that owns the client: it makes it, lets a <see cref="KafkaSession"/> work with it, closes it, and tells the reader when
/// that is not possible any more.
/// </summary>
internal sealed class KafkaPoller : IAsyncDisposable
{
    private static readonly TimeSpan CloseDeadline = TimeSpan.FromSeconds(1.5);

    private readonly KafkaSourceOptions _options;
    private readonly SourceContext _context;
    private readonly KafkaMessageFields _fields;
    private readonly KafkaInbox _inbox;
    private readonly Outage _outage;
    private readonly ConsumerConfig _config;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile KafkaSession? _session;
    private bool _hasStarted;

    /// <summary>A poller that has not started.</summary>
    /// <exception cref="SourceException">A property may not be set.</exception>
    public KafkaPoller(KafkaSourceOptions options, SourceContext context, KafkaMessageFields fields, KafkaInbox inbox)
    {
        (_options, _context, _fields, _inbox) = (options, context, fields, inbox);
        _outage =
            new Outage(options.Brokers, options.UnavailableAfter, "source.kafka", context.Time) { ReachableChanged = inbox.SetReachable };
        _config = KafkaClient.ConsumerConfig(options, fields);
    }

    /// <summary>Why nothing comes from the brokers; null when all is well.</summary>
    public string? Problem => _outage.Problem;

    /// <summary>How far reading is behind, for the partitions whose end is known.</summary>
    public IReadOnlyList<PartitionProgress> Progress => _session?.Progress ?? [];

    /// <summary>Partitions paused because what was read of them waits to be used.</summary>
    public int PausedPartitions => _session?.PausedPartitions ?? 0;

    /// <summary>How many rounds of polls were made: grows as long as the thread is alive.</summary>
    public long Rounds => _session?.Rounds ?? 0;

    /// <summary>Starts the thread, once.</summary>
    public void Start()
    {
        if (_hasStarted) return;
        _hasStarted = true;
        new Thread(Run) { Name = "kafka " + string.Join(',', _options.Topics), IsBackground = true }.Start();
    }

    /// <summary>Stops polling and closes the client, which can wait for a broker that never answers: not longer than a deadline, then its
    /// thread is left to itself.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (!_hasStarted || await Task.WhenAny(_ended.Task, Task.Delay(CloseDeadline, _context.Time)).ConfigureAwait(false) == _ended.Task)
            _stop.Dispose();
    }

    /// <summary>Commits a position for lag tools at the next opportunity, as good as it goes.</summary>
    public void Commit(SourcePosition durable)
    {
        if (_options.GroupId is not null) _session?.Commit(durable);
    }

    private void Run()
    {
        try
        {
            using IConsumer<MessageBytes, MessageBytes> consumer = Build();
            try
            {
                // Gone before the consumer is closed: it polls a queue of the consumer's.
                using var session = new KafkaSession(consumer, _options, _context, _fields, _inbox, _outage, _stop.Token);
                _session = session;
                session.Run();
            }
            finally
            {
                consumer.Close();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped while it waited for the brokers.
        }
        catch (SourceException failure)
        {
            _inbox.Fail(failure);
        }
        catch (KafkaException failure)
        {
            _inbox.Fail(KafkaClient.FailureOf(failure.Error, _options, failure));
        }
        catch (Exception failure) when (KafkaClient.IsUnusable(failure))
        {
            _inbox.Fail(KafkaClient.UnusableClient(failure));
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private IConsumer<MessageBytes, MessageBytes> Build() => new ConsumerBuilder<MessageBytes, MessageBytes>(_config)
        .SetKeyDeserializer(_fields.NeedsKey ? new MessageBlocks() : new NoMessageBytes())
        .SetValueDeserializer(new MessageBlocks())
        .SetLogHandler((_, _) => { })
        .SetErrorHandler((_, error) => _session?.OnError(error))
        .Build();
}
