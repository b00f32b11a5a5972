using System.Diagnostics;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Folds the statistics while this worker is the one that the group of reducers has given the topic's only partition: goes on from the
/// newest state in the model topic, and publishes states. Any other worker takes over from there. One that does not know yet that it was
/// replaced folds the same messages to the same states, which say nothing new. One thread.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="topics">The topics.</param>
/// <param name="worker">This worker's name, by which the others know it.</param>
/// <param name="newest">The newest state that is known here.</param>
internal sealed class Reducer(ModelContext context, ScaleOutTopics topics, string worker, Func<Checkpoint?> newest) : IDisposable
{
    private const int PollMilliseconds = 100;

    private readonly ModelOptions _options = context.Options;
    private readonly TraceLinks _links = new();
    private readonly BrokerWatch _watch = new(topics.Statistics, topics.NewOutage(), context.Time);
    private IConsumer<Ignore, byte[]?> _consumer = null!;
    private KafkaProducer? _producer;
    private GroupTransactions? _transactions;
    private Reduction? _reduction;
    private FirstParameters? _first;
    private CancellationToken _stop;

    /// <summary>Records in which first parameters are looked for. Any thread.</summary>
    public int Pending => _first?.Records ?? 0;

    /// <summary>Why nothing comes; null when all is well. Any thread.</summary>
    public string? Problem => _watch.Problem;

    /// <summary>Stands ready, and folds when it is this worker's turn, until the stop.</summary>
    /// <exception cref="CommandException">It cannot go on.</exception>
    /// <exception cref="SourceException">The brokers were away for too long, or the source cannot be read.</exception>
    public void Run(CancellationToken stop)
    {
        _stop = stop;
        KafkaTarget statistics = topics.Statistics;
        _consumer = Build(statistics);
        if (_options.ScaleOut!.Transactions == Transactions.On)
            _transactions = new GroupTransactions(
                topics.Model, topics.ReducerTransactions, ScaleOutTopics.MaxMessageBytes, topics.NewOutage());
        else
            _producer = new KafkaProducer(
                topics.Model, ScaleOutTopics.MaxMessageBytes, isBatched: false, topics.NewOutage(), context.Time);
        try
        {
            statistics.Attempt(() =>
            {
                _consumer.Subscribe(statistics.Topic);
                return true;
            });
            while (!stop.IsCancellationRequested) Step(statistics);
            if (_transactions is null && _reduction is { Unpublished: > 0 }) Publish(_reduction);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What was folded and not published is folded again by the next one.
        }
        finally
        {
            LetGo();
            _watch.Close(_consumer);
            _producer?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _transactions?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _first?.Dispose();

    private void Step(KafkaTarget statistics)
    {
        int wait = _reduction is { Unpublished: > 0 } ? 0 : PollMilliseconds;
        ConsumeResult<Ignore, byte[]?>? result = statistics.Attempt(() => _watch.Consume(_consumer, TimeSpan.FromMilliseconds(wait)));
        if (!context.Metrics.IsReducer) return;
        if (_reduction is null)
        {
            BeginModel();
            return;
        }

        if (result is { IsPartitionEOF: false })
        {
            Verdict verdict = _reduction.Take(result.Offset.Value, result.Message.Value, context.Time.GetUtcNow());
            context.Metrics.StatisticsTaken(SnakeCase.Of(verdict));
            if (verdict is Verdict.Accepted or Verdict.StaleDamped && WorkerTraces.IsOn)
                _links.Add(TraceHeaders.Read(result.Message.Headers));
            if (verdict is Verdict.Accepted or Verdict.StaleDamped or Verdict.StaleRejected && _reduction.LastStaleness is >= 0 and var tau)
                context.Metrics.ContributionTaken(tau);
            if (verdict is not (Verdict.Accepted or Verdict.Duplicate))
                WorkerLog.ContributionNotCounted(context.Log, _options.Id, result.Offset.Value, SnakeCase.Of(verdict));
        }

        if ((result is { IsPartitionEOF: true } && result.Offset.Value < _reduction.Next) || newest()?.StatisticsCuts > _reduction.Cuts)
        {
            // The log was cut: whoever takes over says so, or goes on from the state that does.
            GiveUp();
            return;
        }

        // As soon as nothing more is at hand, and at the latest after so many.
        if (_reduction.Unpublished >= Reduction.Batch || (_reduction.Unpublished > 0 && result is null or { IsPartitionEOF: true }))
            Publish(_reduction);
    }

    /// <summary>Makes the first state, when there is enough to make it of; the one that is first in the topic counts.</summary>
    private void BeginModel()
    {
        _first ??= new FirstParameters(context, topics.NewOutage());
        if (_first.TryFind() is not { } learner) return;
        // Nobody can have sent anything of a run before its first state.
        Reduction begun = Reduction.Begin(_options, learner, topics.EndOfStatistics(_stop), context.Time, _first.Starts);
        _first.Dispose();
        _first = null;
        using Activity? span = WorkerTraces.Begin("begin", _options.Id, begun.Version);
        bool isWritten = Publish(begun, new Message<byte[]?, byte[]?>
        {
            Key = ScaleOutTopics.StartKey(_options.Id, begun.RunId),
            Value = CheckpointFile.Encode(begun.Capture(context.Time.GetUtcNow())),
        });
        if (!isWritten) return;
        _reduction = topics.ReadNewest(_stop) is { } state ? Reduction.Restore(_options, state) : begun;
        WorkerLog.ModelBegun(context.Log, _options.Id, _reduction.RunId);
        ReadFrom(_reduction.Next);
    }

    /// <summary>What came while there was no model was let go of, and may belong to it.</summary>
    private void ReadFrom(long offset)
    {
        try
        {
            _consumer.Seek(new TopicPartitionOffset(topics.Statistics.Topic, 0, offset));
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal)
        {
            // Not fetched yet, or no more.
            GiveUp();
        }
    }

    private bool Publish(Reduction reduction, params Message<byte[]?, byte[]?>[] before)
    {
        using Activity? span = WorkerTraces.Begin("fold", _options.Id, reduction.Version, ActivityKind.Consumer)
            .OfMessages("fold", "process", topics.Statistics.Topic, (int)reduction.Unpublished);
        _links.MoveTo(span);
        IReadOnlyList<SnapshotDocument> snapshots = reduction.TakeSnapshots();
        using Activity? sending = WorkerTraces.Send(topics.Model.Topic, snapshots.Count + 1);
        List<Message<byte[]?, byte[]?>> messages = [.. before];
        // Snapshots first: were this interrupted, they are made and written again, and none is left out.
        foreach (SnapshotDocument made in snapshots)
        {
            SnapshotIdentity identity = SnapshotIdentity.Read(made.Json.Span)!;
            messages.Add(new Message<byte[]?, byte[]?>
            {
                Key = System.Text.Encoding.UTF8.GetBytes(_options.Id),
                Value = made.Json.ToArray(),
                Headers = SnapshotHeaders.Of(identity, new RunClaim(identity.RunId)),
                Timestamp = new Timestamp(identity.CreatedAt),
            });
        }

        Checkpoint state = reduction.Capture(context.Time.GetUtcNow());
        messages.Add(new Message<byte[]?, byte[]?> { Key = topics.StateKey, Value = CheckpointFile.Encode(state) });
        return Write(messages);
    }

    /// <returns>False when it was not written, or perhaps not: whoever is next goes on from what can be read.</returns>
    private bool Write(List<Message<byte[]?, byte[]?>> messages)
    {
        if (_transactions is null)
        {
            foreach (Message<byte[]?, byte[]?> message in messages) _producer!.Send(message);
            _producer!.WaitAsync(_producer.TakeDelivery(), _stop).GetAwaiter().GetResult();
            return true;
        }

        var to = new TopicPartition(topics.Model.Topic, 0);
        // Many large snapshots would take longer than a transaction may: the state, which is last, is whole in any case.
        foreach (TransactionMessage[] part in TransactionMessage.Split(
            [.. messages.Select(message => new TransactionMessage(to, message))], ScaleOutTopics.MaxMessageBytes))
        {
            TransactionEnd end = _transactions.Commit(part, read: null, _stop);
            TransactionNotes.Tell(context, "reducer", end);
            if (end != TransactionEnd.Committed) return GiveUp();
        }

        return true;
    }

    /// <summary>Another folds, or may: the group says who goes on, after reading what there is.</summary>
    private bool GiveUp()
    {
        LetGo();
        return topics.Statistics.Attempt(() =>
        {
            _consumer.Unsubscribe();
            _consumer.Subscribe(topics.Statistics.Topic);
            return false;
        });
    }

    private IConsumer<Ignore, byte[]?> Build(KafkaTarget statistics)
    {
        ConsumerConfig config =
            statistics.Attempt(() => statistics.Configure(new ConsumerConfig { CheckCrcs = true, FetchWaitMaxMs = 100 }));
        config.GroupId = topics.ReducerGroup;
        config.ClientId = worker;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.EnablePartitionEof = true;
        // Statistics that retention has taken are a gap, which the ranges show and the workers mend.
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.SessionTimeoutMs = (int)_options.ScaleOut!.SessionTimeout.TotalMilliseconds;
        config.HeartbeatIntervalMs = Math.Min(3000, config.SessionTimeoutMs.Value / 3);
        return statistics.Attempt(() => new ConsumerBuilder<Ignore, byte[]?>(config)
            .SetValueDeserializer(Deserializers.ByteArray!)
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => _watch.Note(error))
            .SetPartitionsAssignedHandler((_, given) =>
                given.Select(partition => new TopicPartitionOffset(partition, TakeOver())).ToList())
            .SetPartitionsRevokedHandler((_, _) => LetGo())
            .SetPartitionsLostHandler((_, _) => Lost()).Build());
    }

    /// <summary>Goes on from the newest state.</summary>
    /// <returns>Where to read on.</returns>
    private Offset TakeOver()
    {
        // In this order: the one before writes no more, and what it has written can be read.
        _transactions?.Begin(_stop);
        Checkpoint? state = topics.ReadNewest(_stop);
        // A compacted topic may have kept only what somebody wrote too late.
        if (state is not null && newest() is { } known && known.RunId == state.RunId && ModelStates.IsNewer(known, state)) state = known;
        _reduction = state is null ? null : Reduction.Restore(_options, state);
        // A state has what was in the log to stay: of a log that ends before that something is gone.
        if (_reduction is { Next: var next } && topics.EndOfStatistics(_stop) is var end && end < next)
        {
            WorkerLog.StatisticsLost(context.Log, _options.Id, end, next);
            _reduction.PassCut(end);
        }

        context.Metrics.IsReducer = true;
        WorkerLog.ReducerActive(context.Log, _options.Id, _reduction?.Version ?? 0, _reduction?.Next ?? 0);
        return _reduction is null ? Offset.Beginning : new Offset(_reduction.Next);
    }

    /// <summary>The group gave the work to another without asking, who may be at it.</summary>
    private void Lost()
    {
        if (context.Metrics.IsReducer) context.Metrics.WasFenced("reducer");
        LetGo();
    }

    private void LetGo()
    {
        context.Metrics.IsReducer = false;
        _links.Clear();
        _transactions?.Leave();
        _reduction = null;
        _first?.Dispose();
        _first = null;
    }
}
