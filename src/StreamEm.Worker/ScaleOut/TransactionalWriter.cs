using Confluent.Kafka;
using StreamEm.Worker.Kafka;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Sends what is ready, and the offsets that it was read up to, in one transaction after another, on a thread of its own: the worker
/// computes meanwhile. When one is not committed, what was to come after it would leave a gap and is let go.
/// </summary>
internal sealed class TransactionalWriter : StatisticsWriter
{
    private readonly Membership _members;
    private readonly GroupTransactions _transactions;
    private readonly TopicPartition _to;
    private readonly Action<TransactionEnd> _ended;
    private readonly Lock _lock = new();
    private readonly Queue<Outgoing> _ready = new();
    private readonly SemaphoreSlim _more = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _round;
    private bool _isBroken, _isFenced;

    /// <summary>Begins under the id.</summary>
    /// <param name="members">Whose partitions these are; polled by the thread that sends.</param>
    /// <param name="transactions">Owned from now on.</param>
    /// <param name="topic">The statistics topic.</param>
    /// <param name="ended">Told how every transaction ended. Any thread.</param>
    public TransactionalWriter(Membership members, GroupTransactions transactions, string topic, Action<TransactionEnd> ended)
    {
        (_members, _transactions, _to, _ended) = (members, transactions, new TopicPartition(topic, 0), ended);
        _running = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public override void Send(Message<byte[]?, byte[]?> message, RecordRange range, Action<long> written)
    {
        KafkaProducer.CarryTrace(message);
        GroupClaim? claim = _members.Claim();
        lock (_lock)
        {
            // No member any more, of which the next poll tells more.
            if (claim is null) _isBroken = true;
            if (_isBroken) return;
            _ready.Enqueue(new Outgoing(new TransactionMessage(_to, message, written), range, claim!));
        }

        _more.Release();
    }

    /// <inheritdoc/>
    public override bool Look()
    {
        if (_running.IsFaulted) _running.GetAwaiter().GetResult();
        bool isBroken, isFenced;
        lock (_lock) (isBroken, isFenced, _isFenced) = (_isBroken, _isFenced, false);
        // Taken for dead: then the partitions are others', or should be.
        if (isFenced) _members.JoinAnew();
        return !isBroken;
    }

    /// <inheritdoc/>
    public override void Forget()
    {
        lock (_lock)
        {
            _round++;
            _ready.Clear();
            _isBroken = false;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _stop.Cancel();
        if (Task.WaitAny([_running], KafkaTopic.CloseDeadline) < 0) return;
        _stop.Dispose();
        _more.Dispose();
    }

    private void Run()
    {
        try
        {
            _transactions.Begin(_stop.Token);
            while (true)
            {
                _more.Wait(_stop.Token);
                WriteReady();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What was not sent is worked on by whoever comes next.
        }
        finally
        {
            _transactions.Dispose();
        }
    }

    private void WriteReady()
    {
        Outgoing[] ready;
        long round;
        lock (_lock)
        {
            ready = TakeReady();
            round = _round;
        }

        if (ready.Length == 0) return;
        TopicPartitionOffset[] next = [.. ready.GroupBy(one => one.Range.Partition)
            .Select(group => Membership.PlaceOf(group.Key, group.Max(one => one.Range.To)))];
        TransactionEnd end = _transactions.Commit(
            [.. ready.Select(one => one.Message)], new GroupOffsets(ready[^1].Claim, next), _stop.Token);
        _ended(end);
        if (end == TransactionEnd.Committed) return;
        lock (_lock)
        {
            _isFenced |= end == TransactionEnd.Fenced;
            if (round != _round) return;
            _isBroken = true;
            _ready.Clear();
        }
    }

    /// <summary>What is ready, as much as a transaction may hold.</summary>
    private Outgoing[] TakeReady()
    {
        var taken = new List<Outgoing>();
        long bytes = 0;
        while (_ready.TryPeek(out Outgoing? next))
        {
            bytes += next.Message.Message.Value?.Length ?? 0;
            if (taken.Count > 0 && bytes > ScaleOutTopics.MaxMessageBytes) break;
            taken.Add(_ready.Dequeue());
        }

        return [.. taken];
    }

    private sealed record Outgoing(TransactionMessage Message, RecordRange Range, GroupClaim Claim);
}
