using System.Diagnostics;
using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <summary>
/// Writes messages, and the offsets of what they were made of, in one transaction each: readers of what is committed see all of it or
/// nothing. It is fenced twice. By its id: who begins under it ends what another left open under it, and that one writes no more. By the
/// consumer group: offsets of one who has lost its partitions are refused, and the messages with them.
/// <para>A transaction is open for as long as the brokers take, never while anything is computed. Whatever end of one is not certain costs
/// the client: the next one begins anew under the id, which settles at the brokers what was left. Nobody may take
/// <see cref="TransactionEnd.Committed"/> for a proof: an end that comes late can tear a transaction where brokers or client count no
/// epoch for each (KAFKA-14402), so that readers need a check of their own. One thread.</para>
/// </summary>
/// <param name="target">The cluster, and whose errors these are.</param>
/// <param name="id">The <c>transactional.id</c>.</param>
/// <param name="maxMessageBytes">The largest message the topics take.</param>
/// <param name="outage">How long the brokers may be away.</param>
internal sealed class GroupTransactions(KafkaTarget target, string id, int maxMessageBytes, Outage outage) : IDisposable
{
    private const int RetryMilliseconds = 50;

    /// <summary>Failures one after another, brokers that are away left out, after which it is given up.</summary>
    private const int MostFailures = 10;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    private IProducer<byte[]?, byte[]?>? _client;
    private volatile Error? _lastError, _undelivered;
    private int _failures;

    /// <summary>How long the brokers leave a transaction open of one that is not heard of.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The configuration of the client.</summary>
    /// <exception cref="SourceException">A property is refused.</exception>
    public ProducerConfig Configure()
    {
        ProducerConfig config = KafkaProducer.Configure(target, maxMessageBytes, isBatched: false);
        config.TransactionalId = id;
        config.TransactionTimeoutMs = (int)Longest.TotalMilliseconds;
        // The client wants these below the transaction's.
        config.MessageTimeoutMs = config.TransactionTimeoutMs * 4 / 5;
        config.SocketTimeoutMs = config.MessageTimeoutMs;
        return config;
    }

    /// <summary>
    /// Begins under the id, unless it has: whoever did before writes no more, and what was left open is settled when this returns.
    /// </summary>
    /// <exception cref="CommandException">It cannot be: no right to the id (77), brokers without transactions (78).</exception>
    /// <exception cref="SourceException">The brokers were away for too long.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Begin(CancellationToken stop)
    {
        while (_client is null)
        {
            stop.ThrowIfCancellationRequested();
            IProducer<byte[]?, byte[]?> client = Build();
            try
            {
                Init(client, stop);
                _client = client;
            }
            catch (KafkaException failure)
            {
                Judge(failure);
            }
            finally
            {
                if (_client is null) Close(client);
            }
        }
    }

    /// <summary>Writes all of it, or nothing.</summary>
    /// <param name="messages">The messages, of at most 64 MiB together or one.</param>
    /// <param name="read">The offsets; null for none.</param>
    /// <param name="stop">Stops it before it has begun, or when the brokers do not answer: then its end is not known.</param>
    /// <exception cref="CommandException">It can never be written.</exception>
    /// <exception cref="SourceException">The brokers were away for too long.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public TransactionEnd Commit(IReadOnlyList<TransactionMessage> messages, GroupOffsets? read, CancellationToken stop)
    {
        Begin(stop);
        IProducer<byte[]?, byte[]?> client = _client!;
        var offsets = new long[messages.Count];
        bool isEnding = false;
        _undelivered = null;
        try
        {
            client.BeginTransaction();
            for (int at = 0; at < messages.Count; at++) Produce(client, messages[at], offsets, at);
            if (read is not null)
            {
                if (!read.Claim.IsValid()) return Abort(client, stop);
                client.SendOffsetsToTransaction(read.Next, read.Claim.Metadata, Longest);
                if (!read.Claim.IsValid()) return Abort(client, stop);
            }

            isEnding = true;
            Await(client.CommitTransaction, stop);
        }
        catch (KafkaException failure)
        {
            return EndOf(client, failure, isEnding, stop);
        }

        _failures = 0;
        outage.End();
        for (int at = 0; at < messages.Count; at++) messages[at].Written?.Invoke(Volatile.Read(ref offsets[at]));
        return TransactionEnd.Committed;
    }

    /// <summary>Writes no more until it begins anew.</summary>
    public void Leave()
    {
        if (_client is { } client) Close(client);
        _client = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Leave();

    private void Produce(IProducer<byte[]?, byte[]?> client, TransactionMessage message, long[] offsets, int at)
    {
        KafkaProducer.CarryTrace(message.Message);
        while (true)
        {
            try
            {
                client.Produce(message.To, message.Message, report =>
                {
                    if (report.Error.IsError) _undelivered ??= report.Error;
                    else Volatile.Write(ref offsets[at], report.Offset.Value);
                });
                return;
            }
            catch (ProduceException<byte[]?, byte[]?> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                client.Poll(TimeSpan.FromMilliseconds(RetryMilliseconds));
            }
        }
    }

    private void Init(IProducer<byte[]?, byte[]?> client, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                client.InitTransactions(Slice);
                outage.End();
                return;
            }
            catch (KafkaRetriableException failure)
            {
                if (_lastError is { } error && KafkaClient.IsDenied(error.Code)) throw target.FailureOf(error, failure);
                outage.Begin((_lastError ?? failure.Error).Reason);
                outage.ThrowIfTooLong();
                stop.WaitHandle.WaitOne(RetryMilliseconds);
                stop.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>What became of a transaction at which a call failed: told by what the client says to do, not by the error's code.</summary>
    private TransactionEnd EndOf(IProducer<byte[]?, byte[]?> client, KafkaException failure, bool isEnding, CancellationToken stop)
    {
        TransactionEnd end;
        if (failure is KafkaTxnRequiresAbortException)
            end = Abort(client, stop);
        else
            end = IsFenced(failure.Error.Code) ? TransactionEnd.Fenced : TransactionEnd.Aborted;
        // An abort after a commit was asked for is no proof: the client may take a new epoch for it, whatever became of the commit.
        if (isEnding && end == TransactionEnd.Aborted) end = TransactionEnd.Unknown;
        if (isEnding || failure is not KafkaTxnRequiresAbortException) Leave();
        stop.ThrowIfCancellationRequested();
        Judge(failure);
        return end;
    }

    /// <summary>
    /// Ends a transaction, in calls that go on with one another: one without a timeout would ask brokers that do not answer for ever. Not
    /// longer than brokers leave it open, after which they have ended it themselves, and not much longer than the stop.
    /// </summary>
    /// <exception cref="KafkaException">It failed, or nobody answered.</exception>
    private void Await(Action<TimeSpan> end, CancellationToken stop)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                end(Slice);
                return;
            }
            catch (KafkaRetriableException) when (!stop.IsCancellationRequested && Stopwatch.GetElapsedTime(begun) < Longest)
            {
                stop.WaitHandle.WaitOne(RetryMilliseconds);
            }
        }
    }

    private TransactionEnd Abort(IProducer<byte[]?, byte[]?> client, CancellationToken stop)
    {
        try
        {
            Await(client.AbortTransaction, stop);
            return TransactionEnd.Aborted;
        }
        catch (KafkaException failure)
        {
            // Nobody will ask for its commit any more: the next client's beginning, or the brokers, abort it.
            Leave();
            return IsFenced(failure.Error.Code) ? TransactionEnd.Fenced : TransactionEnd.Aborted;
        }
    }

    /// <summary>Whether it is any use to go on.</summary>
    private void Judge(KafkaException failure)
    {
        Error error = failure.Error;
        // Some message was not delivered: why tells its own report.
        if (error.Code == ErrorCode.Local_Inconsistent) error = _undelivered ?? error;
        bool isFinal = KafkaClient.IsDenied(error.Code) || KafkaClient.IsGone(error.Code)
            || error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.PolicyViolation
                or ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion;
        if (isFinal) throw target.FailureOf(error, failure);
        if (error.Code is ErrorCode.Local_TimedOut or ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Transport
            or ErrorCode.Local_AllBrokersDown or ErrorCode.RequestTimedOut)
        {
            outage.Begin(error.Reason);
            outage.ThrowIfTooLong();
        }
        else if (++_failures > MostFailures)
        {
            throw target.FailureOf(error, failure);
        }
    }

    private static bool IsFenced(ErrorCode code) =>
        code is ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch;

    private IProducer<byte[]?, byte[]?> Build()
    {
        _lastError = null;
        ProducerConfig config = target.Attempt(Configure);
        return target.Attempt(() => new ProducerBuilder<byte[]?, byte[]?>(config).SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => _lastError = KafkaTarget.IsTelling(error) ? error : _lastError).Build());
    }

    /// <summary>Not longer than a deadline: closing can wait for a broker that never answers.</summary>
    private static void Close(IProducer<byte[]?, byte[]?> client)
    {
        Task closing = Task.Factory.StartNew(
            client.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task.WaitAny([closing], KafkaTopic.CloseDeadline);
    }
}
